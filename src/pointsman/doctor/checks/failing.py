"""Requests that failed, told by what they have in common: one finding for each cause."""

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Final

from pointsman.doctor.blame import blame
from pointsman.doctor.blamed import ENDPOINT, Blame
from pointsman.doctor.catalogue.availability import ONE_SIDED_TLS, TOO_LARGE
from pointsman.doctor.catalogue.routes import LOST
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.failures import Failure, failures
from pointsman.doctor.finding import Fact, Finding, fact
from pointsman.graph.intent import decide
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.request import Request as Asked
from pointsman.resources.key import Key
from pointsman.resources.problem import Severity
from pointsman.telemetry.requests import Request

FEWEST: Final = 3
"""Failed requests below which nothing is said; one of a thousand that fails is nothing to mend."""
MUCH: Final = 0.1
"""Share of the requests from which on something that callers may cause is worth a warning."""
_SHOWN: Final = 3


def failed_requests(evidence: Evidence) -> Iterator[Finding]:
    """Each cause that some requests failed for."""
    causes: dict[tuple[Blame, Key | None], list[Failure]] = {}
    for failure in failures(evidence):
        found = blame(evidence, failure)
        if found is not None:
            causes.setdefault((found, failure.subject), []).append(failure)
    one_sided = {subject for found, subject in causes if found.check is ONE_SIDED_TLS}
    for (found, subject), those in causes.items():
        # What a plaintext listener makes of TLS is the same trouble, seen from the other side.
        twice = found.check is TOO_LARGE and subject in one_sided
        if len(those) >= FEWEST and not twice:
            yield _finding(evidence, found, subject, those)


def _finding(
    evidence: Evidence, found: Blame, subject: Key | None, those: Sequence[Failure]
) -> Finding:
    count, total = len(those), max(_total(evidence, subject), len(those))
    cause = found.cause.replace(ENDPOINT, _where(_endpoints(those)))
    message = f"{count} of {total} requests{_to(subject)} fail: {cause}"
    return Finding(
        found.check,
        found.place,
        message,
        _severity(found, those, total),
        tuple(_facts(found, those)),
        with_why(found.advice, those[-1].request),
        affected=count,
    )


def _to(subject: Key | None) -> str:
    return "" if subject is None else f" to {subject}"


def _severity(found: Blame, those: Sequence[Failure], total: int) -> Severity:
    """Errors that no client saw are none yet."""
    if found.minor:
        return Severity.WARNING if len(those) >= MUCH * total else Severity.NOTE
    if all(item.hidden for item in those):
        return max(found.check.severity, Severity.WARNING, key=attrgetter("rank"))
    return found.check.severity


def _total(evidence: Evidence, subject: Key | None) -> int:
    """Requests that were sent to a node, or taken by a gateway or a sidecar.

    Proxies count every five seconds, so those they tell of may be more.
    """
    if subject is None:
        return 0
    live = evidence.live
    counted = live.nodes.get(subject) or live.taken.get(subject)
    return max(counted.requests if counted is not None else 0, evidence.told_of[subject])


def _facts(found: Blame, those: Sequence[Failure]) -> Iterator[Fact]:
    latest = those[-1]
    yield fact(_told(latest))
    if found.check is LOST:
        yield from _nearest(latest)
    endpoints = _endpoints(those)
    if len(endpoints) > 1:
        shown = ", ".join(endpoints[:_SHOWN]) + (" …" if len(endpoints) > _SHOWN else "")
        yield fact(f"it is so at {len(endpoints)} endpoints: {shown}")
    hidden = sum(item.hidden for item in those)
    if hidden:
        yield fact(f"{hidden} of them were answered by another try")


def _endpoints(those: Sequence[Failure]) -> list[str]:
    return sorted({item.request.endpoint for item in those if item.request.endpoint})


def _where(endpoints: list[str]) -> str:
    if len(endpoints) == 1:
        return endpoints[0]
    return f"each of {len(endpoints)} endpoints" if endpoints else "its endpoint"


def with_why(advice: str, request: Request) -> str:
    """Advice, and how to see all that is known of one of the requests."""
    see = f"pointsman why {request.id}" if request.id else ""
    return "; ".join(filter(None, (advice, see)))


def _told(failure: Failure) -> str:
    request = failure.request
    flags = f" {','.join(request.flags)}" if request.flags else ""
    where = f" from {request.endpoint}" if request.endpoint else ""
    said = request.failure or request.details
    return (
        f"{request.method} {request.authority}{request.path} was answered "
        f"{request.status or 'nothing'}{flags}{where}{f': {said}' if said else ''}"
    )


def _nearest(failure: Failure) -> Iterator[Fact]:
    """Why the routes that come closest do not take a request."""
    request, gateway = failure.request, failure.proxy
    if not isinstance(gateway, Gateway):
        return
    asked = Asked(request.method, request.authority, request.path, request.headers)
    for listener in gateway.listeners:
        if listener.port == request.port:
            for item in decide(gateway, listener, asked).rejected[:_SHOWN]:
                yield fact(f"not by {item.key}: {item.clause}", item.key)
