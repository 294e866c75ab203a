"""Rules of Rollout."""

from collections.abc import Iterator

from pointsman.resources.codes import delivery
from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.rollout import (
    Analysis,
    CanaryStrategy,
    RolloutSpec,
    RolloutStrategy,
)
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules import matching
from pointsman.resources.rules.common import SPEC, one_of, unique
from pointsman.resources.rules.route_policy import check_cohort
from pointsman.resources.rules.urls import called

_STRATEGY: FieldPath = (*SPEC, "strategy")
_ANALYSIS: FieldPath = (*SPEC, "analysis")


def check(resource: Resource[RolloutSpec]) -> Iterator[Problem]:
    """Two versions, one strategy that moves, and bounds that can be met."""
    key, spec = resource.key, resource.spec
    home = key.namespace
    stable, candidate = spec.stable, spec.candidate
    if (stable.namespace or home, stable.name) == (candidate.namespace or home, candidate.name):
        message = "spec.candidate is the same as spec.stable"
        yield Problem(codes.DUPLICATE_ENTRY, message, "", key, (*SPEC, "candidate"))
    yield from _strategy(key, spec.strategy)
    if spec.target_ref.kind == "GatewayRoute":
        yield from _weights_only(key, spec)
    yield from _analysis(key, spec.analysis)
    names = [(hook.type, hook.name) for hook in spec.webhooks]
    yield from unique(key, (*SPEC, "webhooks"), ("name",), names, "type and name")
    for index, hook in enumerate(spec.webhooks):
        yield from called(key, (*SPEC, "webhooks", index, "url"), hook.url)
    for index, alert in enumerate(spec.alerts):
        yield from called(key, (*SPEC, "alerts", index, "url"), alert.url)


def _strategy(key: Key, strategy: RolloutStrategy) -> Iterator[Problem]:
    fields = {
        "canary": strategy.canary,
        "blueGreen": strategy.blue_green,
        "abTest": strategy.ab_test,
    }
    yield from one_of(key, _STRATEGY, fields)
    if strategy.canary is not None:
        yield from _canary(key, (*_STRATEGY, "canary"), strategy.canary)
    if strategy.blue_green is not None:
        where: FieldPath = (*_STRATEGY, "blueGreen")
        warm = {
            "mirror": strategy.blue_green.mirror,
            "headers": strategy.blue_green.headers or None,
        }
        yield from one_of(key, where, warm, needed=False)
        yield from matching.headers(key, (*where, "headers"), strategy.blue_green.headers)
    if strategy.ab_test is not None:
        where = (*_STRATEGY, "abTest", "headers")
        yield from matching.headers(key, where, strategy.ab_test.headers)


def _canary(key: Key, path: FieldPath, canary: CanaryStrategy) -> Iterator[Problem]:
    if canary.cohort is not None:
        yield from check_cohort(key, (*path, "cohort"), canary.cohort)
    written = {"steps": canary.steps or None, "stepWeight": canary.step_weight}
    yield from one_of(key, path, written)
    for index, (before, step) in enumerate(
        zip(canary.steps, canary.steps[1:], strict=False), start=1
    ):
        if step.weight <= before.weight:
            where: FieldPath = (*path, "steps", index, "weight")
            message = f"{show_path(where)} is {step.weight}, no more than the step before it has"
            yield Problem(codes.OUT_OF_RANGE, message, "", key, where)


def _weights_only(key: Key, spec: RolloutSpec) -> Iterator[Problem]:
    strategy = spec.strategy
    for name, field, value in (
        ("canary", "mirror", strategy.canary and strategy.canary.mirror),
        ("canary", "cohort", strategy.canary and strategy.canary.cohort),
        ("blueGreen", "mirror", strategy.blue_green and strategy.blue_green.mirror),
        ("blueGreen", "headers", strategy.blue_green and strategy.blue_green.headers),
        ("abTest", "headers", strategy.ab_test and strategy.ab_test.headers),
    ):
        if value:
            where: FieldPath = (*_STRATEGY, name, field)
            message = f"{show_path(where)} cannot be done at a GatewayRoute"
            hint = "name the VirtualRouter behind it in targetRef"
            yield Problem(delivery.NO_PLACE, message, hint, key, where)


def _analysis(key: Key, analysis: Analysis) -> Iterator[Problem]:
    if analysis.interval.ms < 1000:
        where: FieldPath = (*_ANALYSIS, "interval")
        message = f"{show_path(where)} is less than a second"
        yield Problem(codes.OUT_OF_RANGE, message, "", key, where)
    names = [check.name for check in analysis.prometheus]
    yield from unique(key, (*_ANALYSIS, "prometheus"), ("name",), names, "name")
    for index, check in enumerate(analysis.prometheus):
        yield from called(key, (*_ANALYSIS, "prometheus", index, "address"), check.address)
        if check.min is None and check.max is None:
            where = (*_ANALYSIS, "prometheus", index)
            message = f"{show_path(where)} needs min or max"
            yield Problem(codes.ONE_OF, message, "", key, where)
