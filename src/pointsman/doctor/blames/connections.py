"""Connections to backends: they do not come about, or end too early."""

from typing import Final

from pointsman.doctor.blamed import ENDPOINT, Blame, of_node
from pointsman.doctor.catalogue import availability, latency, routes
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.failures import Failure
from pointsman.doctor.finding import Place
from pointsman.doctor.places import route_field
from pointsman.doctor.written import listener_field
from pointsman.envoy.stats import Measure
from pointsman.graph.model.gateway import Gateway
from pointsman.resources.words import listed

BROKEN_OFF: Final = "upstream_reset_after_response_started"
"""How Envoy's details begin for an answer that had begun."""
WAITED_MS: Final = 100
"""Time in ms that a client has waited at least when it leaves because of it."""

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
_UNREACHED: Final = "look at firewalls and routes to it, and whether the machine is up"


def unconnected(_evidence: Evidence, failure: Failure) -> Blame:
    """Connections that do not come about."""
    said = failure.request.failure.lower()
    if "tls" in said or "ssl" in said:
        return _by_tls(failure, said)
    if not said and _has_tls(failure):
        cause = f"{ENDPOINT} ends the connection before TLS is agreed upon; it may speak plaintext"
        advice = "add tls to the node's listener, or take it from the caller's clientPolicy"
        return Blame(availability.ONE_SIDED_TLS, of_node(failure), cause, advice)
    if "refused" in said:
        cause = f"nobody listens at {ENDPOINT}"
        advice = "start the application, or mend the port of the listener or the host name"
    elif "timeout" in said or "timed out" in said:
        cause = f"{ENDPOINT} does not answer attempts to connect"
        advice = _UNREACHED
    else:
        cause = f"no connection to {ENDPOINT} comes about"
        advice = "look whether it can be reached from the proxy's machine"
    place = of_node(failure, "serviceDiscovery")
    return Blame(availability.NO_CONNECTION, place, cause, advice)


def _by_tls(failure: Failure, said: str) -> Blame:
    for signs, check, cause, advice in _TLS:
        if any(sign in said for sign in signs):
            return Blame(check, of_node(failure), cause, advice)
    return Blame(availability.NO_CONNECTION, of_node(failure), f"TLS with {ENDPOINT} fails")


def _has_tls(failure: Failure) -> bool:
    """Whether the caller asks for TLS."""
    proxy = failure.proxy
    if isinstance(proxy, Gateway):
        return proxy.tls is not None
    backends = [backend for port in proxy.egress for backend in port.http] if proxy else []
    return any(backend.tls is not None for backend in backends)


def no_endpoint(evidence: Evidence, failure: Failure) -> Blame:
    """Nodes of which no endpoint may be used."""
    node = failure.node
    if node is None and failure.route is not None:
        return _one_of(evidence, failure)
    counted = evidence.live.nodes.get(node) if node is not None else None
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
    return Blame(availability.NO_ENDPOINT, of_node(failure, *path), cause, advice)


def _one_of(evidence: Evidence, failure: Failure) -> Blame:
    """Where a route has several nodes and nobody tells which of them was chosen."""
    assert failure.route is not None
    targets = failure.route.targets
    nodes = dict.fromkeys(str(item.cluster.node) for item in targets if item.weight)
    return Blame(
        availability.NO_ENDPOINT,
        Place(failure.route.key, route_field(evidence, failure.route, "action")),
        f"{listed(nodes)} has no endpoint that may be used",
        "look whether their host names are found, and at their health checks: pointsman top "
        "--by node",
    )


def no_address(_evidence: Evidence, failure: Failure) -> Blame:
    """Host names without an address."""
    return Blame(
        availability.NO_ENDPOINT,
        of_node(failure, "serviceDiscovery"),
        "its host name has no address",
        "mend the host name, or the name server that the proxy asks",
    )


def cut(_evidence: Evidence, failure: Failure) -> Blame:
    """Connections that end while a request is under way."""
    if failure.request.details.startswith(BROKEN_OFF):
        return _broken_off(failure)
    return Blame(
        availability.CUT_OFF,
        of_node(failure),
        f"{ENDPOINT} ends the connection before it has answered",
        "look into the application's log; let it keep idle connections for longer than the proxy; "
        "and see whether it wants TLS, or a client certificate",
    )


def garbled(_evidence: Evidence, failure: Failure) -> Blame:
    """Answers that are not HTTP."""
    if failure.request.details.startswith(BROKEN_OFF):
        return _broken_off(failure)
    return Blame(
        routes.PROTOCOLS_DIFFER,
        of_node(failure, "listeners"),
        "what it answers is not the protocol of its listener",
        "let the listener's protocol (http, http2, grpc) be what the application speaks",
    )


def _broken_off(failure: Failure) -> Blame:
    return Blame(
        availability.CUT_OFF,
        of_node(failure),
        f"{ENDPOINT} breaks off answers that it has begun",
        "look into the application's log: it may have crashed, or told a wrong content-length",
    )


def full(evidence: Evidence, failure: Failure) -> Blame:
    """Connection pools that let no more wait."""
    return Blame(
        latency.POOL_FULL,
        pool_of(evidence, failure),
        "the connection pool is full and lets no more wait",
        "raise maxConnections or maxPendingRequests of its connectionPool, or find out why it is "
        "slow",
    )


def pool_of(evidence: Evidence, failure: Failure) -> Place:
    """The connection pool of the listener that a request came to."""
    if failure.proxy is None:
        return of_node(failure, "listeners")
    key = failure.proxy.key
    return Place(key, listener_field(evidence, key, failure.request.port, "connectionPool"))


def missing(_evidence: Evidence, failure: Failure) -> Blame:
    """Clusters that a proxy does not have."""
    key = failure.rule.key if failure.rule else failure.subject
    return Blame(
        availability.NO_CLUSTER,
        Place(key),
        "its proxy does not have the virtual node's cluster",
        "look at pointsman status: whether the proxy is synced or rejects something",
    )


def left(_evidence: Evidence, failure: Failure) -> Blame | None:
    """Clients that left without an answer, where the proxy had not given up itself.

    Those that got a part of one may be streams, which end like this.
    """
    request = failure.request
    if request.phases.answered is not None or request.duration < WAITED_MS:
        return None
    if request.phases.sent is None and request.endpoint:
        advice = f"{_UNREACHED}; where the caller asks for TLS, whether it speaks TLS"
        cause = f"clients leave before {ENDPOINT} is connected, with TLS where that is asked for"
        place = of_node(failure, "serviceDiscovery")
        return Blame(availability.NO_CONNECTION, place, cause, advice, minor=True)
    return Blame(
        latency.LEFT,
        of_node(failure),
        "clients leave before it has answered",
        "find out what makes it slow, or let clients wait for longer",
        minor=True,
    )
