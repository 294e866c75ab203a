"""A listener of a virtual node as its clients see it: where it is and how it is watched."""

import ipaddress
from dataclasses import dataclass
from typing import Literal

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
class CookieHash:
    """A cookie that tells sessions apart.

    Attributes:
        name: its name.
        path: paths for which browsers send it.
        ttl_s: seconds for which who has none is given one; 0 for as long as the browser runs, None
            gives nobody one.
    """

    name: str
    path: str = "/"
    ttl_s: int | None = None


@dataclass(frozen=True, slots=True)
class HeaderHash:
    """A header whose value tells requests apart."""

    name: str


@dataclass(frozen=True, slots=True)
class SourceHash:
    """The client's address tells requests apart."""


Stickiness = CookieHash | HeaderHash | SourceHash


@dataclass(frozen=True, slots=True)
class SlowStart:
    """New endpoints come to their full share within `window_ms`, beginning with a part of it."""

    window_ms: int
    min_percent: int


@dataclass(frozen=True, slots=True)
class Balancing:
    """How callers choose among endpoints.

    Attributes:
        algorithm: of Envoy's algorithms, by Envoy's name.
        stickiness: what keeps requests at one endpoint; None for nothing.
        slow_start: how new endpoints come to their share; None for at once.
        panic_percent: healthy endpoints below which all are used; None for Envoy's 50.
        connect_ms: time for connecting, in ms.
    """

    algorithm: Literal["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM", "RING_HASH", "MAGLEV"] = (
        "ROUND_ROBIN"
    )
    stickiness: Stickiness | None = None
    slow_start: SlowStart | None = None
    panic_percent: int | None = None
    connect_ms: int = 10_000


EVENLY = Balancing()
"""What App Mesh did."""


Discovery = DnsServiceDiscovery | CloudMapServiceDiscovery
"""How the endpoints of a node are found."""


def discovered_as(discovery: Discovery | None) -> str:
    """The host name something is found under; "" for none.

    That is its DNS name, or `SERVICE.NAMESPACE` of Cloud Map.
    """
    if discovery is None:
        return ""
    if isinstance(discovery, DnsServiceDiscovery):
        return discovery.hostname.removesuffix(".")
    return f"{discovery.service_name}.{discovery.namespace_name}"


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
        registered: whether a registry is there to know the endpoints discovery does not look up.
        balancing: how callers choose among endpoints.
        bare: whether the endpoints are the application itself, with no proxy of the node in
            front: then nobody speaks the TLS of its listener.
    """

    node: Key
    mesh: str
    node_name: str
    protocol: str
    port: int
    discovery: Discovery | None = None
    ip_preference: str | None = None
    endpoints: tuple[Address, ...] | None = None
    health_check: HealthCheck | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ServerTls | None = None
    zone_aware: bool = False
    registered: bool = False
    bare: bool = False
    balancing: Balancing = EVENLY

    @property
    def is_found(self) -> bool:
        """Whether there is any way to its endpoints; without one Envoy answers 503."""
        if self.endpoints is not None:
            return bool(self.endpoints)
        if isinstance(self.discovery, CloudMapServiceDiscovery):
            return self.registered
        return self.discovery is not None


@dataclass(frozen=True, slots=True)
class WeightedCluster:
    """A cluster and its share, relative to its siblings' weights."""

    cluster: Cluster
    weight: int
