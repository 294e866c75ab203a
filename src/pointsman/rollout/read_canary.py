"""What Flagger's Canary asks for, as a plan.

Facts are those of Flagger 1.x: defaults, the steps that overshoot, the order of gates.
"""

from collections.abc import Iterator
from typing import Final

from pointsman.resources.go_duration import go_seconds
from pointsman.resources.kinds.canary import (
    CanaryAnalysis,
    CanaryMatch,
    CanaryMetric,
    CanarySpec,
    CanaryWebhook,
)
from pointsman.resources.kinds.matching import HeaderMatch, ValueMatch
from pointsman.rollout.plan import Criteria, Hook, Manner, Plan, Stage, Webhook

_INTERVAL_S: Final = 60.0
_LEAST_INTERVAL_S: Final = 10.0
_TIMEOUT_S: Final = 10.0
_SUCCESS: Final = "request-success-rate"


def read_canary(spec: CanarySpec) -> Plan:
    """The plan of a Canary that passed its rules."""
    analysis = spec.analysis or spec.canary_analysis or CanaryAnalysis()
    stages, gate = _stages(analysis)
    return Plan(
        manner=Manner.FLAGGER,
        stages=stages,
        gate=gate,
        interval_s=max(_LEAST_INTERVAL_S, go_seconds(analysis.interval) or _INTERVAL_S),
        threshold=max(1, analysis.threshold),
        criteria=_criteria(analysis.metrics),
        headers=tuple(_headers(analysis.match)),
        promotion_step=max(0, analysis.step_weight_promotion or 0),
        deadline_s=float(spec.progress_deadline_seconds),
        webhooks=tuple(map(_webhook, analysis.webhooks)),
        skip=spec.skip_analysis,
        suspend=spec.suspend,
    )


def canary_weights(step: int, most: int, steps: tuple[int, ...]) -> tuple[int, ...]:
    """The candidate's shares one after the other; a step may lead beyond the most."""
    if steps:
        return tuple(min(100, weight) for weight in steps)
    weights: list[int] = []
    while step > 0 and (weights[-1] if weights else 0) < min(100, most):
        weights.append(min(100, (weights[-1] if weights else 0) + step))
    return tuple(weights)


def _stages(analysis: CanaryAnalysis) -> tuple[tuple[Stage, ...], Hook | None]:
    rounds = analysis.iterations or 0
    mirror = (100 if analysis.mirror_weight is None else analysis.mirror_weight) * analysis.mirror
    if rounds > 0 and analysis.match:
        return (Stage(0, checks=rounds, routed=True),), Hook.CONFIRM_PROMOTION
    if rounds > 0:
        warm = Stage(0, checks=rounds, mirror=mirror)
        return (warm, Stage(100, gate=Hook.CONFIRM_PROMOTION)), None
    weights = canary_weights(
        analysis.step_weight or 0, analysis.max_weight or 100, analysis.step_weights
    )
    stages = [Stage(weight, gate=Hook.CONFIRM_TRAFFIC) for weight in weights]
    if mirror and stages:
        stages[0] = Stage(weights[0])
        stages.insert(0, Stage(0, mirror=mirror, gate=Hook.CONFIRM_TRAFFIC))
    return tuple(stages), Hook.CONFIRM_PROMOTION


def _criteria(metrics: tuple[CanaryMetric, ...]) -> Criteria:
    success = latency = None
    for metric in metrics:
        bounds = metric.threshold_range
        if metric.name == _SUCCESS:
            percent = bounds.min if bounds and bounds.min is not None else metric.threshold
            success = None if percent is None else percent / 100
        else:
            latency = bounds.max if bounds and bounds.max is not None else metric.threshold
    return Criteria(success=success, latency_ms=latency, quantile=0.99, plain=True)


def _headers(matches: tuple[CanaryMatch, ...]) -> Iterator[HeaderMatch]:
    for match in matches[:1]:
        for name, value in match.headers.items():
            form = ValueMatch(
                exact=value.exact, prefix=value.prefix, suffix=value.suffix, regex=value.regex
            )
            yield HeaderMatch(name=name, match=form)


def _webhook(hook: CanaryWebhook) -> Webhook:
    return Webhook(
        hook=Hook(hook.type),
        name=hook.name,
        url=hook.url,
        timeout_s=go_seconds(hook.timeout) or _TIMEOUT_S,
        retries=hook.retries,
        metadata=hook.metadata,
        quiet=hook.mute_alert,
    )
