"""What becomes of a request that an application sends, told from the graph alone.

The proxy beside the application decides by the port that is called and by the host. What it does
then is in `envoy.egress`; that both agree is proved by tests against real Envoy.
"""

import ipaddress
from dataclasses import dataclass, replace
from enum import StrEnum

from pointsman.graph.intent import Own, Rejected, Share, share_of
from pointsman.graph.model.sidecar import EgressPort, HttpBackend, Sidecar, TcpBackend
from pointsman.graph.paths import normalize, split_query
from pointsman.graph.request import Request


class Way(StrEnum):
    """How a request leaves the proxy beside the application."""

    SERVICE = "service"
    """To a virtual service that is told by the host."""
    TCP = "tcp"
    """To a virtual service that takes every connection to the port."""
    PASSES = "passes"
    """To where it was going, past all services."""
    ANSWERED = "answered"
    """Not at all: the proxy answers it."""
    CLOSED = "closed"
    """Not at all: the proxy closes the connection."""


@dataclass(frozen=True, slots=True)
class Call:
    """The decision.

    Attributes:
        sidecar: the proxy beside the application.
        port: the port called.
        way: how the request leaves.
        backend: the virtual service called by HTTP, with the policy of its connections.
        share: what becomes of a request for it.
        tcp: the virtual service called by TCP.
        status: what the proxy answers itself; None when it does not.
        rejected: routes that were tried before, in order.
        hosts: hosts that can be called on the port.
    """

    sidecar: Sidecar
    port: int
    way: Way
    backend: HttpBackend | None = None
    share: Share | None = None
    tcp: TcpBackend | None = None
    status: Own = None
    rejected: tuple[Rejected, ...] = ()
    hosts: tuple[str, ...] = ()


def decide_call(sidecar: Sidecar, port: int, request: Request) -> Call:
    """Where a request goes that an application sends.

    Args:
        sidecar: the proxy beside the application.
        port: the port the application connects to.
        request: what it sends.
    """
    past = Way.PASSES if sidecar.open else Way.CLOSED
    egress = next((item for item in sidecar.egress if item.port == port), None)
    if egress is None:
        return Call(sidecar, port, past)
    tcp = _tcp(egress, request.host)
    if tcp is not None or not egress.http:
        return Call(sidecar, port, past if tcp is None else Way.TCP, tcp=tcp)
    hosts = tuple(backend.service.name for backend in egress.http)
    path, query = split_query(request.target)
    normal = normalize(path)
    if normal is None or "#" in query:
        return Call(sidecar, port, Way.ANSWERED, status=400, hosts=hosts)
    backend = _backend(egress, request.authority)
    if backend is None and sidecar.open:
        return Call(sidecar, port, Way.PASSES, hosts=hosts)
    if backend is None:
        return Call(sidecar, port, Way.ANSWERED, status=404, hosts=hosts)
    rejected: list[Rejected] = []
    share = share_of(backend.service, 1.0, replace(request, target=normal + query), rejected)
    status = share.status
    way = Way.SERVICE if status is None else Way.ANSWERED
    return Call(sidecar, port, way, backend, share, None, status, tuple(rejected), hosts)


def _tcp(egress: EgressPort, host: str) -> TcpBackend | None:
    """The TCP service that is called: by address the one with the narrowest range around it.

    A name says nothing of its address here; it is taken for what has no addresses, and where there
    is nothing like that, for the first service, as a proxy does that is called by name.
    """
    rest = next((item for item in egress.tcp if not item.addresses), None)
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return rest or (egress.tcp[0] if egress.tcp and not egress.http else None)
    around = [
        (network.prefixlen, item)
        for item in egress.tcp
        for network in map(ipaddress.ip_network, item.addresses)
        if address in network
    ]
    return max(around, key=lambda found: found[0])[1] if around else rest


def _backend(egress: EgressPort, authority: str) -> HttpBackend | None:
    """The service whose name the host is, alone or with the port that is called."""
    for backend in egress.http:
        name = backend.service.name.lower()
        if authority.lower() in (name, f"{name}:{egress.port}"):
            return backend
    return None
