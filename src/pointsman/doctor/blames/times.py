"""Limits of time: which one was reached, and where it is written."""

from pointsman.doctor.blamed import Blame
from pointsman.doctor.catalogue import availability
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.failures import Failure
from pointsman.doctor.finding import Place
from pointsman.doctor.paths import Call
from pointsman.doctor.written import listener_field, retry_of, timeout_of
from pointsman.graph.model.sidecar import Sidecar

_BY_TRY = "upstream_per_try_timeout"
"""Envoy's details where it is the time of one try that is over."""


def late(evidence: Evidence, failure: Failure) -> Blame:
    """Requests that took longer than they may."""
    route, proxy = failure.route, failure.proxy
    if isinstance(proxy, Sidecar) and failure.request.way == "in":
        return _at_node(evidence, failure, proxy)
    if route is None or proxy is None:
        return _blame(failure, Place(failure.subject), 0, "timeout.perRequest of the route")
    override = failure.rule.override if failure.rule is not None else None
    call = Call(proxy.key, override, route, None)
    if failure.request.details == _BY_TRY:
        place = retry_of(evidence, call)
        where = Place(place.key, (*place.path, "perRetryTimeout"))
        return _blame(failure, where, call.retry.per_retry_ms or 0, "perRetryTimeout")
    return _blame(
        failure, timeout_of(evidence, call), call.request_ms, "timeout.perRequest of the route"
    )


def _at_node(evidence: Evidence, failure: Failure, proxy: Sidecar) -> Blame:
    port = failure.request.port
    served = evidence.ingress.get((proxy.key, port))
    if served is None:
        return _blame(failure, Place(proxy.key), 0, "the timeout of its listener")
    written = ("timeout", served.protocol, "perRequest")
    field = listener_field(evidence, proxy.key, port, *written)
    name = f"{'.'.join(written)} of its listener"
    return _blame(failure, Place(proxy.key, field), served.timeouts.request_ms, name)


def _blame(failure: Failure, place: Place, ms: int, field: str) -> Blame:
    within = f" within {ms} ms" if ms else ""
    return Blame(
        availability.TOO_LATE,
        place,
        f"{failure.node or 'the backend'} does not answer{within}",
        f"find out what makes it slow; or raise {field}",
    )


def idle(_evidence: Evidence, failure: Failure) -> Blame:
    """Streams in which nothing moved."""
    return Blame(
        availability.TOO_LATE,
        Place(failure.subject),
        "nothing moved for as long as the idle timeout",
        "raise timeout.idle, or let the stream show signs of life",
    )


def reset_here(_evidence: Evidence, failure: Failure) -> Blame:
    """Requests that the proxy itself ended."""
    return Blame(
        availability.TOO_LATE,
        Place(failure.subject),
        f"the proxy itself ended them ({failure.request.details or 'no reason was told'})",
    )
