"""RateLimitPolicy: how many requests whoever calls may make."""

from typing import Final

from pointsman.graph.links.access_policy import consumer_key, path_condition
from pointsman.graph.links.context import Context
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.matches import conditions
from pointsman.graph.links.policies import Attached
from pointsman.graph.model import limits as model
from pointsman.graph.model.limits import KeyKind
from pointsman.resources.codes import access as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds import rate_limit_policy as kinds
from pointsman.resources.origin import FieldPath

KIND: Final = "RateLimitPolicy"
_TIMEOUT_MS: Final = 100
_LONG: Final = frozenset({"day", "week", "month"})
_CHOSEN: Final = frozenset({KeyKind.HEADER, KeyKind.PATH})
"""Keys whose values callers choose."""


def link_limits(context: Context, attached: Attached) -> Linked[model.Limits]:
    """What a policy says; remembered."""
    step = ("limits", attached.policy)
    seen: Linked[model.Limits] | None = context.memo.seen(step)
    if seen is not None:
        return seen
    spec: kinds.RateLimitPolicySpec = attached.spec
    findings = Findings(attached.policy)
    for index, limit in enumerate(spec.limits):
        _check(context, ("spec", "limits", index), limit, findings)
    problems = tuple(findings.problems)
    result: Linked[model.Limits] = context.memo.get(
        step, (spec, problems), lambda: linked(_read(attached.policy, spec), [*problems])
    )
    return result


def _check(context: Context, path: FieldPath, limit: kinds.Limit, findings: Findings) -> None:
    """Consumers of overrides exist, and the limit holds somebody back."""
    for index, override in enumerate(limit.overrides):
        for place, ref in enumerate(override.consumers):
            key = consumer_key(ref, findings.key)
            if context.resources.get(key) is None:
                where = (*path, "overrides", index, "consumers", place)
                findings.add(codes.NO_CONSUMER, where, f"there is no {key}")
    if limit.rate is not None and limit.scope != "shared" and limit.rate.per in _LONG:
        message = f"limit {limit.name} counts by {limit.rate.per} in each proxy's memory"
        findings.add(codes.FORGETTING_RATE, (*path, "rate", "per"), message, "use quota")
    by = [_key(item) for item in limit.by]
    if by and all(item.kind in _CHOSEN for item in by):
        message = f"limit {limit.name} counts only by what callers choose"
        findings.add(codes.GUESSED_KEY, (*path, "by"), message, "add ip or consumer")


def _read(policy: Key, spec: kinds.RateLimitPolicySpec) -> model.Limits:
    return model.Limits(policy, tuple(_limit(policy, limit) for limit in spec.limits))


def _limit(policy: Key, spec: kinds.Limit) -> model.Limit:
    cost = (spec.cost.requests if spec.cost else None) or 1
    header = spec.cost.header if spec.cost else None
    return model.Limit(
        name=spec.name,
        by=tuple(_key(item) for item in spec.by),
        allowance=_allowance(spec.rate, spec.quota, cost) or _service(spec.external),
        overrides=tuple(_override(policy, item, cost) for item in spec.overrides),
        counted=_counted(spec.match),
        cost=cost,
        cost_header=header.lower() if header else None,
        shared=spec.scope == "shared" or spec.quota is not None,
        before=spec.stage == "before",
        shadow=spec.shadow,
        away=spec.when_away or "deny",
        strict=spec.strict,
        style=spec.headers,
        max_keys=spec.max_keys,
    )


def _key(spec: kinds.LimitKey) -> model.CountedBy:
    if spec.ip is not None:
        return model.CountedBy(KeyKind.IP, v4_bits=spec.ip.v4_bits, v6_bits=spec.ip.v6_bits)
    if spec.header is not None:
        return model.CountedBy(KeyKind.HEADER, spec.header.name.lower())
    if spec.claim is not None:
        return model.CountedBy(KeyKind.CLAIM, spec.claim.name)
    return model.CountedBy(next(kind for kind in KeyKind if getattr(spec, kind) is not None))


def _allowance(
    rate: kinds.Rate | None, quota: kinds.Quota | None, cost: int
) -> model.Allowance | None:
    if rate is not None:
        burst = cost if rate.smooth else rate.burst or rate.requests
        return model.Rate(rate.requests, rate.per, burst)
    if quota is not None:
        return model.Quota(quota.requests, quota.per, quota.window, quota.timezone)
    return None


def _service(spec: kinds.ExternalLimit | None) -> model.Service:
    if spec is None:
        raise AssertionError("a limit has a rate, a quota or a service, by its rules")
    timeout = spec.timeout.ms if spec.timeout else _TIMEOUT_MS
    return model.Service(spec.address, spec.domain, timeout, spec.ca_file)


def _override(policy: Key, spec: kinds.LimitOverride, cost: int) -> model.Override:
    return model.Override(
        consumers=tuple(consumer_key(ref, policy) for ref in spec.consumers),
        groups=spec.groups,
        allowance=_allowance(spec.rate, spec.quota, cost),
    )


def _counted(spec: kinds.LimitMatch | None) -> model.Counted:
    if spec is None:
        return model.ALL_COUNT
    return model.Counted(
        spec.methods, tuple(map(path_condition, spec.paths)), conditions(spec.headers)
    )
