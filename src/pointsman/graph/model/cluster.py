"""A listener of a virtual node as its clients see it: where it is and how it is watched."""

import ipaddress
from dataclasses import dataclass

from pointsman.graph.model.tls import ServerTls
from pointsman.resources.key import Key
from pointsman.resources.kinds.listeners import HealthCheck
from pointsman.resources.kinds.virtual_node import (
    CloudMapServiceDiscovery,
    DnsServiceDiscovery,
    OutlierDetection,
)


def is_ip(host: str) -> bool:
    """Whether a host is an IP address rather than a name to look up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Address:
    """A host (IP address or name) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        """`host:port`, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Cluster:
    """One port of one virtual node, to be called.

    Attributes:
        node: the virtual node.
        mesh: the mesh's name inside App Mesh.
        node_name: the node's name inside App Mesh.
        protocol: grpc, http, http2 or tcp.
        port: the listener's port.
        discovery: how endpoints are found; None when nothing says so.
        ip_preference: which IP version is used; None leaves it to the resolver.
        endpoints: addresses given by the operator instead of discovery; None without.
        health_check: active check done by clients.
        outlier_detection: passive check done by clients.
        tls: TLS of the node's own listener; None for plaintext.
        zone_aware: whether endpoints in the caller's own zone are used first.
        bare: whether the endpoints are the application itself, with no proxy of the node in
            front: then nobody speaks the TLS of its listener.
    """

    node: Key
    mesh: str
    node_name: str
    protocol: str
    port: int
    discovery: DnsServiceDiscovery | CloudMapServiceDiscovery | None = None
    ip_preference: str | None = None
    endpoints: tuple[Address, ...] | None = None
    health_check: HealthCheck | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ServerTls | None = None
    zone_aware: bool = False
    bare: bool = False

    @property
    def is_found(self) -> bool:
        """Whether there is any way to its endpoints; without one Envoy answers 503."""
        if self.endpoints is not None:
            return bool(self.endpoints)
        return isinstance(self.discovery, DnsServiceDiscovery)


@dataclass(frozen=True, slots=True)
class WeightedCluster:
    """A cluster and its share, relative to its siblings' weights."""

    cluster: Cluster
    weight: int
