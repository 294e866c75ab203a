"""Rules of Canary: what of Flagger's fields moves traffic here, and what is only told."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Final

from pointsman.resources.codes import delivery
from pointsman.resources.codes import fields as codes
from pointsman.resources.go_duration import go_seconds
from pointsman.resources.key import Key
from pointsman.resources.kinds.base import manifest_name
from pointsman.resources.kinds.canary import CanaryAnalysis, CanaryMetric, CanarySpec
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules import matching
from pointsman.resources.rules.common import SPEC, one_of
from pointsman.resources.rules.urls import called
from pointsman.resources.words import shown

BUILT_IN: Final = ("request-success-rate", "request-duration")
"""Measures that need no MetricTemplate."""
_WORKLOADS: Final = frozenset(
    {
        "autoscaler_ref",
        "primary_ready_threshold",
        "canary_ready_threshold",
        "port_name",
        "target_port",
        "port_discovery",
        "app_protocol",
        "apex",
        "primary",
        "canary",
    }
)
_NO_EFFECT: Final = frozenset(
    {
        "ingress_ref",
        "upstream_ref",
        "route_ref",
        "rewrite",
        "headers",
        "cors_policy",
        "traffic_policy",
        "gateways",
        "gateway_refs",
        "delegation",
        "session_affinity",
        "alerts",
    }
)


def check(resource: Resource[CanarySpec]) -> Iterator[Problem]:
    """It moves, what it relies on can be measured, and nothing is ignored in silence."""
    key, spec = resource.key, resource.spec
    message = f"nothing starts or copies {spec.target_ref.kind or 'the workload'} here"
    yield Problem(delivery.WAITS_FOR_WORKLOADS, message, "", key, (*SPEC, "targetRef"))
    yield from _told(key, SPEC, spec)
    yield from _told(key, (*SPEC, "service"), spec.service)
    written = {"analysis": spec.analysis, "canaryAnalysis": spec.canary_analysis}
    yield from one_of(key, SPEC, written, needed=not spec.skip_analysis)
    for name, analysis in written.items():
        if analysis is not None:
            yield from _told(key, (*SPEC, name), analysis)
            yield from _analysis(key, (*SPEC, name), analysis)


def _told(key: Key, path: FieldPath, block: Any) -> Iterator[Problem]:
    """Fields that do nothing here."""
    assert is_dataclass(block)
    for field in fields(block):
        if getattr(block, field.name) in (None, ()):
            continue
        where: FieldPath = (*path, manifest_name(field.name))
        if field.name in _WORKLOADS:
            message = f"{show_path(where)} waits for the Kubernetes source"
            yield Problem(delivery.WAITS_FOR_WORKLOADS, message, "", key, where)
        elif field.name in _NO_EFFECT:
            message = f"{show_path(where)} has no effect"
            yield Problem(delivery.NOT_ENFORCED, message, "", key, where)


def _analysis(key: Key, path: FieldPath, analysis: CanaryAnalysis) -> Iterator[Problem]:
    moves = (analysis.step_weight or 0) > 0 or analysis.step_weights or (analysis.iterations or 0)
    if not moves:
        message = f"{show_path(path)} has no step and no iterations, so that nothing would move"
        hint = "write stepWeight, stepWeights or iterations"
        yield Problem(delivery.NO_ANALYSIS, message, hint, key, path)
    yield from _duration(key, (*path, "interval"), analysis.interval)
    for index, metric in enumerate(analysis.metrics):
        yield from _metric(key, (*path, "metrics", index), metric)
    for index, hook in enumerate(analysis.webhooks):
        yield from called(key, (*path, "webhooks", index, "url"), hook.url)
        yield from _duration(key, (*path, "webhooks", index, "timeout"), hook.timeout)
    for index, match in enumerate(analysis.match):
        for name, value in match.headers.items():
            where: FieldPath = (*path, "match", index, "headers", name)
            forms = {form.name: getattr(value, form.name) for form in fields(value)}
            yield from one_of(key, where, forms)
            yield from matching.regex(key, (*where, "regex"), value.regex)
        for unused in ("uri", "source_labels", "method", "query_params"):
            if getattr(match, unused) is not None:
                where = (*path, "match", index, manifest_name(unused))
                message = f"{show_path(where)} has no effect; only headers are compared"
                yield Problem(delivery.NOT_ENFORCED, message, "", key, where)
        if not match.headers:
            where = (*path, "match", index)
            message = f"{show_path(where)} has no headers, so that it would match everything"
            yield Problem(delivery.NO_ANALYSIS, message, "", key, where)


def _duration(key: Key, path: FieldPath, text: str | None) -> Iterator[Problem]:
    if text is not None and go_seconds(text) is None:
        message = f"{show_path(path)} is {shown(text)}, which is no length of time"
        yield Problem(codes.BAD_FORMAT, message, "write 30s or 1m30s", key, path)


def _metric(key: Key, path: FieldPath, metric: CanaryMetric) -> Iterator[Problem]:
    foreign = metric.template_ref is not None or metric.query is not None
    if foreign or metric.name not in BUILT_IN:
        message = f"{show_path(path)}: {metric.name} cannot be measured here"
        hint = f"{' and '.join(BUILT_IN)} can; a webhook of type rollout can ask for others"
        yield Problem(delivery.NO_ANALYSIS, message, hint, key, path)
        return
    bounds = metric.threshold_range
    bound = metric.threshold
    if bound is None and bounds is not None:
        bound = bounds.min if metric.name == BUILT_IN[0] else bounds.max
    if bound is None:
        wanted = "min" if metric.name == BUILT_IN[0] else "max"
        message = f"{show_path(path)} needs thresholdRange.{wanted}"
        yield Problem(delivery.NO_ANALYSIS, message, "", key, path)
