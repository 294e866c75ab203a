"""What a Rollout asks for, as a plan; and the plan and the revision of any rollout."""

import hashlib
from typing import Any, Final

from pointsman.resources.kinds.canary import CanarySpec
from pointsman.resources.kinds.rollout import (
    Analysis,
    BlueGreenStrategy,
    CanaryStrategy,
    RolloutSpec,
    RolloutStrategy,
    RolloutWebhook,
)
from pointsman.resources.resource import Resource
from pointsman.rollout.plan import Alert, Criteria, Hook, Manner, Plan, Query, Stage, Webhook
from pointsman.rollout.read_canary import canary_weights, read_canary

_TIMEOUT_S: Final = 10.0
_APPROVALS: Final = {
    "start": Hook.CONFIRM_ROLLOUT,
    "traffic": Hook.CONFIRM_TRAFFIC,
    "promotion": Hook.CONFIRM_PROMOTION,
}


def read_plan(rollout: Resource[Any]) -> Plan:
    """The plan of a Rollout or a Canary that passed its rules."""
    spec = rollout.spec
    return read_canary(spec) if isinstance(spec, CanarySpec) else read_rollout(spec)


def revision_of(rollout: Resource[Any], candidate: Resource[Any]) -> str:
    """What tells one revision from another: a hash of what is to be rolled out.

    Args:
        rollout: the Rollout or Canary.
        candidate: the virtual node or service that is to take over.
    """
    spec = rollout.spec
    own = () if isinstance(spec, CanarySpec) else (spec.stable, spec.candidate, spec.revision)
    text = repr((own, candidate.key, candidate.spec))
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def read_rollout(spec: RolloutSpec) -> Plan:
    """The plan of a Rollout that passed its rules."""
    stages, gate = _stages(spec.strategy)
    blue_green, test = spec.strategy.blue_green, spec.strategy.ab_test
    picked = test.headers if test else blue_green.headers if blue_green else ()
    return Plan(
        manner=Manner.POINTSMAN,
        stages=stages,
        gate=gate,
        interval_s=spec.analysis.interval.ms / 1000,
        threshold=spec.analysis.threshold,
        criteria=_criteria(spec.analysis),
        headers=picked,
        cohort=spec.strategy.canary.cohort if spec.strategy.canary else None,
        approvals=frozenset(_APPROVALS[name] for name in spec.approvals),
        webhooks=tuple(map(_webhook, spec.webhooks)),
        alerts=tuple(Alert(alert.url, alert.format, alert.severity) for alert in spec.alerts),
        suspend=spec.suspend,
    )


def _stages(strategy: RolloutStrategy) -> tuple[tuple[Stage, ...], Hook | None]:
    if strategy.canary is not None:
        return _canary(strategy.canary), Hook.CONFIRM_PROMOTION
    if strategy.blue_green is not None:
        return _blue_green(strategy.blue_green), None
    assert strategy.ab_test is not None
    return (Stage(0, checks=strategy.ab_test.checks, routed=True),), Hook.CONFIRM_PROMOTION


def _canary(canary: CanaryStrategy) -> tuple[Stage, ...]:
    stages = [
        Stage(
            step.weight,
            hold_s=step.hold.ms / 1000 if step.hold else 0.0,
            pause=step.pause,
            gate=Hook.CONFIRM_TRAFFIC,
        )
        for step in canary.steps
    ]
    weights = canary_weights(canary.step_weight or 0, canary.max_weight, ())
    stages += [Stage(min(weight, 100), gate=Hook.CONFIRM_TRAFFIC) for weight in weights]
    if canary.mirror:
        stages.insert(0, Stage(0, mirror=canary.mirror, gate=Hook.CONFIRM_TRAFFIC))
    return tuple(stages)


def _blue_green(blue_green: BlueGreenStrategy) -> tuple[Stage, ...]:
    switch = Stage(100, checks=blue_green.watch, gate=Hook.CONFIRM_PROMOTION)
    if not blue_green.mirror and not blue_green.headers:
        return (switch,)
    warm = Stage(
        0,
        checks=blue_green.checks,
        mirror=blue_green.mirror or 0,
        routed=bool(blue_green.headers),
    )
    return warm, switch


def _criteria(analysis: Analysis) -> Criteria:
    latency = analysis.latency
    return Criteria(
        min_requests=analysis.min_requests,
        success=None if analysis.success_rate is None else analysis.success_rate / 100,
        latency_ms=latency.max.ms if latency else None,
        quantile=latency.quantile if latency else 0.99,
        margin=analysis.compare.margin / 100 if analysis.compare else None,
        risk=analysis.compare.risk if analysis.compare else 0.001,
        max_failed=analysis.max_failed_requests,
        queries=tuple(
            Query(item.name, item.address, item.query, item.min, item.max)
            for item in analysis.prometheus
        ),
    )


def _webhook(hook: RolloutWebhook) -> Webhook:
    return Webhook(
        hook=Hook(hook.type),
        name=hook.name,
        url=hook.url,
        timeout_s=hook.timeout.ms / 1000 if hook.timeout else _TIMEOUT_S,
        retries=hook.retries,
        metadata=hook.metadata,
    )
