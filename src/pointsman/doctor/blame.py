"""Why a request failed, as a check, an object and a sentence.

Envoy tells by response flags, by details of the response code, and by what went wrong with the
connection to the backend (Envoy's manual, "Access logging" and "HTTP response code details").
What the flags mean in general is `observe.causes`; here they meet the objects of the mesh.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from pointsman.doctor.catalogue import availability, latency, routes
from pointsman.doctor.check import Check
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.failures import Failure, fault_policy
from pointsman.doctor.finding import Place
from pointsman.doctor.places import route_field, rule_field
from pointsman.envoy.stats import Measure
from pointsman.graph.model.gateway import Gateway


class Blame(NamedTuple):
    """The cause that some requests have in common.

    Attributes:
        check: the kind of trouble.
        place: what has to be looked at.
        cause: half a sentence that follows "N of M requests …: ".
        advice: what to do.
        minor: whether callers may be at fault, so that a few of them are nothing to mend.
    """

    check: Check
    place: Place
    cause: str
    advice: str = ""
    minor: bool = False


_SIZES: Final = {
    413: "bodies are larger than is allowed",
    431: "headers are larger than is allowed",
}

_Judge = Callable[[Evidence, Failure], "Blame | None"]


def blame(evidence: Evidence, failure: Failure) -> Blame | None:
    """Why a request failed; None for what is nobody's fault here."""
    for flag in failure.request.flags:
        judge = _BY_FLAG.get(flag)
        if judge is not None:
            return judge(evidence, failure)
    return _answered(evidence, failure)


# --- connections ------------------------------------------------------------------------------

_TLS: Final = (
    (
        ("certificate_has_expired", "certificate has expired", "certificate_expired"),
        availability.EXPIRED,
        "its certificate has expired",
        "renew the certificate of the node's listener",
    ),
    (
        ("wrong_version_number", "packet length too long", "record_layer", "http_request"),
        availability.ONE_SIDED_TLS,
        "it is called with TLS and speaks plaintext",
        "add tls to the node's listener, or take it from the caller's clientPolicy",
    ),
    (
        ("certificate_required", "bad_certificate", "handshake_failure", "unknown_ca"),
        availability.ONE_SIDED_TLS,
        "it does not accept the caller's certificate, or asks for one and gets none",
        "give the caller's clientPolicy a certificate that the node's validation trusts",
    ),
    (
        ("certificate_verify_failed", "self signed", "self_signed", "unable to get local issuer"),
        availability.NO_CONNECTION,
        "its certificate is not trusted, or has none of the names asked for",
        "compare trust and subjectAlternativeNames of the caller with the node's certificate",
    ),
)
"""What Envoy says of TLS that failed, in parts; the first that fits counts."""


def _unconnected(_evidence: Evidence, failure: Failure) -> Blame:
    said = failure.request.failure.lower()
    where = failure.request.endpoint or "its endpoint"
    place = _of_node(failure, "serviceDiscovery")
    if "tls" in said or "ssl" in said:
        for signs, check, cause, advice in _TLS:
            if any(sign in said for sign in signs):
                return Blame(check, _of_node(failure), cause, advice)
        return Blame(availability.NO_CONNECTION, _of_node(failure), f"TLS with {where} fails")
    if not said and _has_tls(failure):
        cause = f"{where} ends the connection before TLS is agreed upon; it may speak plaintext"
        advice = "add tls to the node's listener, or take it from the caller's clientPolicy"
        return Blame(availability.ONE_SIDED_TLS, _of_node(failure), cause, advice)
    if "refused" in said:
        cause = f"nobody listens at {where}"
        advice = "start the application, or mend the port of the listener or the host name"
    elif "timeout" in said or "timed out" in said:
        cause = f"{where} does not answer attempts to connect"
        advice = "look at firewalls and routes to it, and whether the machine is up"
    else:
        cause = f"no connection to {where} comes about"
        advice = "look whether it can be reached from the proxy's machine"
    return Blame(availability.NO_CONNECTION, place, cause, advice)


def _has_tls(failure: Failure) -> bool:
    """Whether the caller asks for TLS."""
    proxy = failure.proxy
    if isinstance(proxy, Gateway):
        return proxy.tls is not None
    backends = [backend for port in proxy.egress for backend in port.http] if proxy else []
    return any(backend.tls is not None for backend in backends)


def _no_endpoint(evidence: Evidence, failure: Failure) -> Blame:
    node = failure.node
    counted = evidence.live.nodes.get(node) if evidence.live and node else None
    resource = evidence.resources.get(node) if node else None
    listeners = resource.spec.listeners if resource is not None else ()
    if counted is not None and counted.causes.get(Measure.EJECTION):
        cause, path = "its endpoints were ejected because they failed", ("listeners",)
        advice = "find out why they fail; outlierDetection only takes them away"
    elif any(item.health_check for item in listeners):
        cause, path = "none of its endpoints passes the health check", ("listeners",)
        advice = "ask the health check's path by hand, and look at its port and protocol"
    else:
        cause, path = "no address of it is known", ("serviceDiscovery",)
        advice = "look whether its host name is found, or its registry lists instances"
    return Blame(availability.NO_ENDPOINT, _of_node(failure, *path), cause, advice)


def _no_address(_evidence: Evidence, failure: Failure) -> Blame:
    place = _of_node(failure, "serviceDiscovery")
    return Blame(
        availability.NO_ENDPOINT,
        place,
        "its host name has no address",
        "mend the host name, or the name server that the proxy asks",
    )


def _cut(_evidence: Evidence, failure: Failure) -> Blame:
    where = failure.request.endpoint or "the backend"
    return Blame(
        availability.CUT_OFF,
        _of_node(failure),
        f"{where} ends the connection before it has answered",
        "look into the application's log; let it keep idle connections for longer than the proxy; "
        "and see whether it wants TLS, or a client certificate",
    )


def _garbled(_evidence: Evidence, failure: Failure) -> Blame:
    return Blame(
        routes.PROTOCOLS_DIFFER,
        _of_node(failure, "listeners"),
        "what it answers is not the protocol of its listener",
        "let the listener's protocol (http, http2, grpc) be what the application speaks",
    )


def _pool(_evidence: Evidence, failure: Failure) -> Blame:
    return Blame(
        latency.POOL_FULL,
        _of_node(failure, "listeners"),
        "the connection pool is full and lets no more wait",
        "raise maxConnections or maxPendingRequests of its connectionPool, or find out why it is "
        "slow",
    )


def _missing(_evidence: Evidence, failure: Failure) -> Blame:
    key = failure.rule.key if failure.rule else failure.subject
    return Blame(
        availability.NO_CLUSTER,
        Place(key),
        "its proxy does not have the virtual node's cluster",
        "look at pointsman status: whether the proxy is synced or rejects something",
    )


# --- routes -----------------------------------------------------------------------------------


def _lost(_evidence: Evidence, failure: Failure) -> Blame | None:
    proxy, request = failure.proxy, failure.request
    if proxy is None:
        return None
    if request.way == "out":
        return Blame(
            routes.NO_BACKEND,
            Place(proxy.key, ("spec", "backends")),
            f"{request.authority} is none of its backends",
            "name the virtual service in spec.backends",
        )
    return Blame(routes.LOST, Place(proxy.key), "no gateway route takes them", minor=True)


def _own(evidence: Evidence, failure: Failure) -> Blame | None:
    """Answers that stand in a route itself."""
    status, rule = failure.request.status, failure.rule
    if rule is None:
        return None
    if status == 404:
        return Blame(
            routes.NOTHING_LEFT,
            Place(rule.key, rule_field(evidence, rule, "action")),
            "no route of the virtual service takes what the gateway route makes of them",
            "mend rewrite of the gateway route, or match of the router's routes",
        )
    if status == 503:
        return Blame(
            routes.NO_TARGET,
            Place(rule.key),
            "it leads to nothing that can be reached",
            "look at pointsman check for what is missing, and for weights of 0",
        )
    return None


# --- limits of time and size ------------------------------------------------------------------


def _late(evidence: Evidence, failure: Failure) -> Blame:
    route, where = failure.route, Place(failure.subject)
    limit = ""
    if route is not None:
        where = Place(route.key, route_field(evidence, route))
        limit = f" within {route.timeouts.request_ms} ms" if route.timeouts.request_ms else ""
    who = failure.node or "the backend"
    return Blame(
        availability.TOO_LATE,
        where,
        f"{who} does not answer{limit}",
        "find out what makes it slow; or raise timeout.perRequest of the route",
    )


def _idle(_evidence: Evidence, failure: Failure) -> Blame:
    return Blame(
        availability.TOO_LATE,
        Place(failure.subject),
        "nothing moved for as long as the idle timeout",
        "raise timeout.idle, or let the stream show signs of life",
    )


def _reset_here(_evidence: Evidence, failure: Failure) -> Blame:
    return Blame(
        availability.TOO_LATE,
        Place(failure.subject),
        f"the proxy itself ended them ({failure.request.details or 'no reason was told'})",
    )


def _refused_http(_evidence: Evidence, failure: Failure) -> Blame:
    return Blame(
        availability.TOO_LARGE,
        Place(failure.subject),
        _SIZES.get(failure.request.status, "clients send what is not HTTP as it should be"),
        "let clients speak the listener's protocol, TLS or not, within the limits of the "
        "HygienePolicy in force",
        minor=True,
    )


def _overloaded(_evidence: Evidence, failure: Failure) -> Blame:
    key = failure.proxy.key if failure.proxy else None
    return Blame(
        latency.OVERLOADED, Place(key), "its proxy is overloaded", "give it more, or add proxies"
    )


# --- policies ---------------------------------------------------------------------------------


def _on_purpose(_evidence: Evidence, failure: Failure) -> Blame:
    policy = fault_policy(failure.rule, failure.route)
    return Blame(
        availability.ON_PURPOSE,
        Place(failure.subject) if policy is None else Place(policy, ("spec", "fault")),
        "a policy fails them on purpose",
        "remove fault when the test is over",
    )


def _limited(_evidence: Evidence, failure: Failure) -> Blame:
    return Blame(
        availability.USED_UP,
        _taken_by(failure),
        "a limit is used up",
        "see pointsman quota show, and the RateLimitPolicy in force with pointsman explain",
        minor=True,
    )


def _limits_away(_evidence: Evidence, failure: Failure) -> Blame:
    return Blame(
        availability.USED_UP,
        _taken_by(failure),
        "the service of limits cannot be asked",
        "start it, or see where the RateLimitPolicy says it is",
    )


def _denied(_evidence: Evidence, failure: Failure) -> Blame:
    details = failure.request.details
    if "error" in details:
        return Blame(
            availability.NOBODY_PASSES,
            _taken_by(failure),
            "who decides whether they may pass cannot be asked",
            "start the service that the AccessPolicy asks",
        )
    return Blame(
        availability.NOBODY_PASSES,
        _taken_by(failure),
        f"they are refused {failure.request.status} by a policy of access",
        "see the AccessPolicy in force with pointsman explain and the caller's credential",
        minor=True,
    )


# --- by the answer alone ----------------------------------------------------------------------

_DENIALS: Final = (401, 403)


def _answered(evidence: Evidence, failure: Failure) -> Blame | None:
    request = failure.request
    if request.details.startswith("via_upstream"):
        return _by_application(failure)
    if request.status in _DENIALS:
        return _denied(evidence, failure)
    if request.details == "direct_response":
        return _own(evidence, failure)
    if request.status in _SIZES:
        return Blame(
            availability.TOO_LARGE,
            _taken_by(failure),
            _SIZES[request.status],
            "see limits of the HygienePolicy in force",
            minor=True,
        )
    return None


def _by_application(failure: Failure) -> Blame | None:
    status = failure.request.status
    if status >= 500:
        cause = f"the application answers {status} itself"
        return Blame(
            availability.FAILS, _of_node(failure), cause, "look into the application's log"
        )
    if status == 404:
        advice = "compare the path it sees, by pointsman explain, with what it serves"
        cause = "the application answers 404 itself"
        return Blame(routes.NOT_THERE, _of_node(failure), cause, advice, minor=True)
    return None


def _of_node(failure: Failure, *path: str) -> Place:
    if failure.node is None:
        return Place(failure.subject)
    return Place(failure.node, ("spec", *path) if path else ())


def _taken_by(failure: Failure) -> Place:
    """The gateway route, or whose proxy it was."""
    return Place(failure.rule.key if failure.rule is not None else failure.subject)


_BY_FLAG: Final[dict[str, _Judge]] = {
    "FI": _on_purpose,
    "UF": _unconnected,
    "DF": _no_address,
    "UH": _no_endpoint,
    "UC": _cut,
    "UR": _cut,
    "UPE": _garbled,
    "UO": _pool,
    "NC": _missing,
    "NR": _lost,
    "UT": _late,
    "UMSDR": _late,
    "DT": _late,
    "SI": _idle,
    "LR": _reset_here,
    "DPE": _refused_http,
    "OM": _overloaded,
    "RL": _limited,
    "RLSE": _limits_away,
    "UAEX": _denied,
}
"""Who judges a request with a flag; the first flag of a record that is here counts."""
