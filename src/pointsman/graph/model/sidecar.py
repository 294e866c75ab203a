"""The proxy beside the application of a virtual node."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pointsman.graph.model.cluster import WeightedCluster
from pointsman.graph.model.gateway import AccessLogFile
from pointsman.graph.model.guards import NO_GUARDS, Guards
from pointsman.graph.model.hygiene import Hygiene
from pointsman.graph.model.listener import PLAIN, Extras
from pointsman.graph.model.node_id import node_id
from pointsman.graph.model.route import Service, Timeouts
from pointsman.graph.model.telemetry import Telemetry
from pointsman.graph.model.tls import ClientTls, ServerTls
from pointsman.resources.key import Key
from pointsman.resources.kinds.virtual_node import NodeConnectionPool

OWN_PORT: Final = 15001
"""Where sidecars take what their applications send, as those of App Mesh did."""


@dataclass(frozen=True, slots=True)
class IngressListener:
    """A port of the application, as its own proxy serves it.

    Attributes:
        port: the port in the manifest.
        protocol: grpc, http, http2 or tcp.
        timeouts: of requests from outside; of TCP only the idle one counts.
        pool: limits of what reaches the application.
        tls: TLS of connections from outside; None for plaintext.
        extras: what its policy adds.
        guards: what stands before the application.
        hygiene: which requests it takes at all.
    """

    port: int
    protocol: str
    timeouts: Timeouts
    pool: NodeConnectionPool | None = None
    tls: ServerTls | None = None
    extras: Extras = PLAIN
    guards: Guards = NO_GUARDS
    hygiene: Hygiene | None = None


@dataclass(frozen=True, slots=True)
class HttpBackend:
    """A virtual service that the application calls, on one port.

    Attributes:
        service: the service.
        tls: what its backend asks of connections to it; None leaves it to what servers speak.
    """

    service: Service
    tls: ClientTls | None = None


@dataclass(frozen=True, slots=True)
class TcpBackend:
    """A virtual service of TCP connections.

    Attributes:
        key: the virtual service.
        name: its name inside App Mesh.
        targets: clusters by weight, at least one and none below 1.
        idle_ms: time without bytes that ends a connection, in ms; 0 means none, None 300 s.
        tls: what its backend asks of connections to it.
        addresses: ranges of addresses by which it is called; with none it takes what is left.
    """

    key: Key
    name: str
    targets: tuple[WeightedCluster, ...]
    idle_ms: int | None = None
    tls: ClientTls | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EgressPort:
    """Everything the application calls on one port.

    Attributes:
        port: the port.
        http: services told apart by host.
        tcp: services told apart by address. At most one has no addresses, and only without
            `http`: it stands last and takes every other connection.
    """

    port: int
    http: tuple[HttpBackend, ...] = ()
    tcp: tuple[TcpBackend, ...] = ()


@dataclass(frozen=True, slots=True)
class Sidecar:
    """The proxy of a virtual node.

    Attributes:
        key: the virtual node.
        mesh: the mesh's name inside App Mesh, with `@owner` for a shared mesh.
        mesh_name: the mesh's name inside App Mesh.
        name: the node's name inside App Mesh.
        hostname: the name it is discovered under; "" for none.
        ingress: ports of the application, in order.
        egress: ports the application calls, in order.
        open: whether what no backend describes passes through to where it was going.
        ip_preference: IP version of the application and of the listeners; None for IPv4.
        access_log: where requests are logged, both ways, if anywhere.
        telemetry: what its proxies tell a collector, if any.
    """

    key: Key
    mesh: str
    mesh_name: str
    name: str
    hostname: str
    ingress: tuple[IngressListener, ...]
    egress: tuple[EgressPort, ...]
    open: bool = False
    ip_preference: str | None = None
    access_log: AccessLogFile | None = None
    telemetry: Telemetry | None = None

    @property
    def node_id(self) -> str:
        """The id its proxies give: `mesh/MESH/virtualNode/NAME`."""
        return node_id(self.mesh, self.key.kind, self.name)

    @property
    def services(self) -> Iterator[Service]:
        """The virtual services of HTTP that its application calls, once for each port."""
        return (backend.service for port in self.egress for backend in port.http)

    @property
    def tcp_backends(self) -> Iterator[TcpBackend]:
        """Those of TCP, likewise."""
        return (backend for port in self.egress for backend in port.tcp)
