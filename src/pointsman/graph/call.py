"""What becomes of a request that an application sends, told from the graph alone.

The proxy beside the application decides by the port that is called and by the host. What it does
then is in `envoy.egress`; that both agree is proved by tests against real Envoy.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import ip_address, ip_network

from pointsman.graph.intent import Own, Rejected, Share, share_of
from pointsman.graph.model.cluster import is_ip
from pointsman.graph.model.sidecar import EgressPort, HttpBackend, Sidecar, TcpBackend
from pointsman.graph.paths import normalize, split_query
from pointsman.graph.request import Request

TLS_PORT = 443
AMAZONAWS = ".amazonaws.com"
"""Names that App Mesh never closed, whatever the egress filter."""


class Way(StrEnum):
    """How a request leaves the proxy beside the application."""

    SERVICE = "service"
    """To a virtual service that is told by the host."""
    TCP = "tcp"
    """To a virtual service that takes every connection to the port."""
    PASSES = "passes"
    """To where it was going, past all services."""
    AMAZONAWS = "amazonaws"
    """To where it was going, because it is a service of AWS; only where it was redirected."""
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
    egress = next((item for item in sidecar.egress if item.port == port), EgressPort(port))
    tcp = _tcp(egress, request.host)
    if port == TLS_PORT and request.host.endswith(AMAZONAWS):
        return Call(sidecar, port, Way.AMAZONAWS)
    if tcp is not None:
        return Call(sidecar, port, Way.TCP, tcp=tcp)
    if not egress.http:
        return Call(sidecar, port, Way.PASSES if sidecar.open else Way.CLOSED)
    return _http_call(sidecar, egress, request)


def _http_call(sidecar: Sidecar, egress: EgressPort, request: Request) -> Call:
    port = egress.port
    hosts = tuple(backend.service.name for backend in egress.http)
    if request.is_pathless:
        return Call(sidecar, port, Way.ANSWERED, status=404, hosts=hosts)
    path, query = split_query(request.target)
    normal = normalize(path)
    if normal is None or "#" in query:
        return Call(sidecar, port, Way.ANSWERED, status=400, hosts=hosts)
    if "" in _forwarded_proto(request):
        return Call(sidecar, port, Way.ANSWERED, status=404, hosts=hosts)
    backend = _backend(egress, request.authority)
    if backend is None and sidecar.open:
        return Call(sidecar, port, Way.PASSES, hosts=hosts)
    if backend is None:
        return Call(sidecar, port, Way.ANSWERED, status=404, hosts=hosts)
    rejected: list[Rejected] = []
    believed = _believed(replace(request, target=normal + query))
    share = share_of(backend.service, 1.0, believed, rejected)
    status = share.status
    way = Way.SERVICE if status is None else Way.ANSWERED
    return Call(sidecar, port, way, backend, share, None, status, tuple(rejected), hosts)


def _forwarded_proto(request: Request) -> tuple[str, ...]:
    """What an application says of the scheme, all of it as one; Envoy takes no route for ""."""
    said = [value for name, value in request.headers if name == "x-forwarded-proto"]
    return (",".join(said),) if said else ()


def _believed(request: Request) -> Request:
    """The request with the scheme that its application says it came to it by."""
    for said in _forwarded_proto(request):
        scheme = said if said in ("http", "https") else request.scheme
        return replace(request, scheme=scheme, forwarded_proto=said)
    return request


def _tcp(egress: EgressPort, host: str) -> TcpBackend | None:
    """The TCP service called: by its addresses, by its name, which leads to them, or all the rest.

    Of several ranges with an address the narrowest counts, as in Envoy's filter chains.
    """
    inside = []
    if is_ip(host.strip("[]")):
        address = ip_address(host.strip("[]"))
        ranges = [(ip_network(text), item) for item in egress.tcp for text in item.addresses]
        inside = [(found.prefixlen, item) for found, item in ranges if address in found]
    if inside:
        return max(inside, key=lambda pair: pair[0])[1]
    for item in egress.tcp:
        if not item.addresses or host == item.name.lower():
            return item
    return None


def _backend(egress: EgressPort, authority: str) -> HttpBackend | None:
    """The service whose name the host is, alone or with the port that is called."""
    for backend in egress.http:
        name = backend.service.name.lower()
        if authority.lower() in (name, f"{name}:{egress.port}"):
            return backend
    return None
