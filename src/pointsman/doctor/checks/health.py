"""U07 and U16: health checks that say nothing of the application.

Callers' proxies check a node by requests that pass through the node's own proxy, so policies that
are for its callers are for checks, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.doctor.catalogue.availability import CHECK_FAILS, USED_UP
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, fact, found
from pointsman.graph.judge import judge
from pointsman.graph.model.access import Access
from pointsman.graph.model.guards import NO_GUARDS, Guards
from pointsman.graph.model.limits import (
    ALL_COUNT,
    SECONDS,
    KeyKind,
    Limit,
    Quota,
    Rate,
)
from pointsman.graph.model.methods import CertificateMethod
from pointsman.graph.request import Request
from pointsman.resources.key import Key
from pointsman.resources.kinds.listeners import HealthCheck
from pointsman.resources.origin import FieldPath

_SAME_FOR_CHECKS = frozenset({KeyKind.IP, KeyKind.PATH, KeyKind.ROUTE})
"""What all checks of one caller have in common."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """A listener with a health check, and what stands before the application."""

    node: Key
    path: FieldPath
    check: HealthCheck
    guards: Guards


def failing_checks(evidence: Evidence) -> Iterator[Finding]:
    """Health checks that overlap, or that the node's own policies refuse."""
    for checked in _checked(evidence):
        check = checked.check
        if check.timeout_millis > check.interval_millis:
            yield _overlapping(checked)
        if check.protocol in ("http", "http2"):
            if checked.guards.access is not None:
                yield from _refused(checked, checked.guards.access)
            if checked.guards.limits is not None:
                for limit in checked.guards.limits.limits:
                    yield from _used_up(checked, checked.guards.limits.policy, limit)


def _checked(evidence: Evidence) -> Iterator[_Checked]:
    for key, node in evidence.resources.of("VirtualNode").items():
        for index, listener in enumerate(node.spec.listeners):
            if listener.health_check is not None:
                served = evidence.ingress.get((key, listener.port_mapping.port))
                path = ("spec", "listeners", index, "healthCheck")
                guards = served.guards if served is not None else NO_GUARDS
                yield _Checked(key, path, listener.health_check, guards)


def _overlapping(checked: _Checked) -> Finding:
    check = checked.check
    message = (
        f"a check may take {check.timeout_millis} ms, the next one is due after "
        f"{check.interval_millis} ms: a dead endpoint is found out later than the interval says"
    )
    advice = "let timeoutMillis be less than intervalMillis"
    where = (*checked.path, "timeoutMillis")
    return found(CHECK_FAILS, checked.node, where, message, advice=advice)


def _refused(checked: _Checked, access: Access) -> Iterator[Finding]:
    """Callers' certificates come with the connection, so a policy that takes them may pass."""
    if any(isinstance(method, CertificateMethod) for method in access.methods):
        return
    request = Request("GET", checked.node.name, checked.check.path or "/")
    verdict = judge(access, request, lambda _method, _value: None)
    if verdict.status is None or not verdict.certain:
        return
    message = f"checks of {request.path} are answered {verdict.status}, so the node counts as dead"
    yield found(
        CHECK_FAILS,
        checked.node,
        checked.path,
        message,
        fact(f"{access.policy}: {verdict.why}", access.policy, ("spec",)),
        advice="check by protocol tcp, or attach the policy to the gateway",
    )


def _used_up(checked: _Checked, policy: Key, limit: Limit) -> Iterator[Finding]:
    allowance = limit.allowance
    alike = all(by.kind in _SAME_FOR_CHECKS for by in limit.by)
    if limit.shadow or limit.counted != ALL_COUNT or not alike:
        return
    if not isinstance(allowance, Rate | Quota):
        return
    checks = SECONDS[allowance.per] * 1000 // checked.check.interval_millis * limit.cost
    if checks <= allowance.requests:
        return
    message = (
        f"the health checks of one caller count as {checks} requests per {allowance.per}, "
        f"limit {limit.name} admits {allowance.requests}"
    )
    yield found(
        USED_UP,
        checked.node,
        checked.path,
        message,
        fact(f"limit {limit.name} of {policy}", policy, ("spec", "limits")),
        advice="admit more, leave the path of checks out, or check by protocol tcp",
    )
