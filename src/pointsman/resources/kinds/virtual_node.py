"""VirtualNode: one application, where it is found and how its proxy behaves."""

from typing import Annotated, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.base import (
    Duration,
    LabelSelector,
    Name,
    OwnerReference,
    PortMapping,
    Reference,
    Text,
    schema,
)
from pointsman.resources.kinds.listeners import (
    HealthCheck,
    HttpConnectionPool,
    Logging,
    Positive,
    RequestPool,
    TcpConnectionPool,
)
from pointsman.resources.kinds.tls import BackendDefaults, ClientPolicy, ListenerTls
from pointsman.resources.kinds.virtual_router import HttpTimeout, TcpTimeout


@schema
class NodeConnectionPool:
    """Limits of a node listener; exactly one, of the listener's protocol."""

    tcp: TcpConnectionPool | None = None
    """Limits of TCP."""
    http: HttpConnectionPool | None = None
    """Limits of HTTP/1.1."""
    http2: RequestPool | None = None
    """Limits of HTTP/2."""
    grpc: RequestPool | None = None
    """Limits of gRPC."""


@schema
class OutlierDetection:
    """When clients stop calling an endpoint that fails."""

    max_server_errors: Positive
    """Server errors in a row that eject an endpoint."""
    interval: Duration
    """Time between sweeps."""
    base_ejection_duration: Duration
    """Time of the first ejection; grows with each one."""
    max_ejection_percent: Annotated[int, Strict(), Field(ge=0, le=100)]
    """Share of the endpoints that may be ejected; one always may."""


@schema
class ListenerTimeout:
    """Timeouts of the node's own proxy; exactly one, of the listener's protocol."""

    tcp: TcpTimeout | None = None
    """Timeouts of TCP."""
    http: HttpTimeout | None = None
    """Timeouts of HTTP/1.1."""
    http2: HttpTimeout | None = None
    """Timeouts of HTTP/2."""
    grpc: HttpTimeout | None = None
    """Timeouts of gRPC."""


@schema
class NodeListener:
    """A port of the application."""

    port_mapping: PortMapping
    """Port and protocol."""
    health_check: HealthCheck | None = None
    """Active check, done by every client's proxy."""
    outlier_detection: OutlierDetection | None = None
    """Passive check, done by every client's proxy."""
    connection_pool: NodeConnectionPool | None = None
    """Limits, kept by the node's own proxy."""
    timeout: ListenerTimeout | None = None
    """Timeouts, kept by the node's own proxy."""
    tls: ListenerTls | None = None
    """TLS, done by the node's own proxy."""


@schema
class DnsServiceDiscovery:
    """Endpoints found by DNS."""

    hostname: Annotated[str, Strict(), Field(min_length=1)]
    """Name to look up."""
    response_type: Literal["LOADBALANCER", "ENDPOINTS"] | None = None
    """LOADBALANCER, the default, uses one address at a time; ENDPOINTS uses them all."""
    ip_preference: Literal["IPv6_ONLY", "IPv4_ONLY", "IPv4_PREFERRED", "IPv6_PREFERRED"] | None = (
        None
    )
    """Which IP version is used; the mesh's preference by default."""


@schema
class CloudMapAttribute:
    """An attribute instances must have."""

    key: Annotated[str, Strict(), Field(min_length=1, max_length=255)]
    """Name of the attribute."""
    value: Annotated[str, Strict(), Field(max_length=1024)]
    """Its value."""


@schema
class CloudMapServiceDiscovery:
    """Endpoints found in an AWS Cloud Map service."""

    namespace_name: Annotated[str, Strict(), Field(min_length=1, max_length=1024)]
    """Cloud Map namespace."""
    service_name: Annotated[str, Strict(), Field(min_length=1, max_length=1024)]
    """Cloud Map service."""
    attributes: tuple[CloudMapAttribute, ...] = ()
    """Attributes instances must have, all of them."""
    ip_preference: Literal["IPv6_ONLY", "IPv4_ONLY", "IPv4_PREFERRED", "IPv6_PREFERRED"] | None = (
        None
    )
    """Which IP version is used; the mesh's preference by default."""


@schema
class ServiceDiscovery:
    """Where the application is found; exactly one of the two."""

    dns: DnsServiceDiscovery | None = None
    """DNS."""
    aws_cloud_map: CloudMapServiceDiscovery | None = None
    """AWS Cloud Map."""


@schema
class VirtualServiceBackend:
    """A service the application calls."""

    virtual_service_ref: Reference | None = None
    """The service."""
    virtual_service_arn: Text | None = None
    """ARN of a service outside these manifests."""
    client_policy: ClientPolicy | None = None
    """Policy of connections towards it; replaces the defaults as a whole."""


@schema
class Backend:
    """Something the application calls."""

    virtual_service: VirtualServiceBackend
    """A virtual service."""


@schema
class VirtualNodeSpec:
    """Spec of a VirtualNode."""

    aws_name: Name | None = None
    """Name inside App Mesh and in node ids; `name_namespace` by default."""
    mesh_ref: OwnerReference | None = None
    """The mesh, as the webhook writes it."""
    pod_selector: LabelSelector | None = None
    """Pods that are this node; of no meaning without Kubernetes."""
    listeners: tuple[NodeListener, ...] = ()
    """Ports of the application; none for a pure client."""
    service_discovery: ServiceDiscovery | None = None
    """Where the application is found."""
    backends: tuple[Backend, ...] = ()
    """Services the application calls."""
    backend_groups: tuple[Reference, ...] = ()
    """Groups of services the application calls; `*` means every service of the namespace."""
    backend_defaults: BackendDefaults | None = None
    """Policy of connections towards backends without one of their own."""
    logging: Logging | None = None
    """Access log."""
    mesh_name: Name | None = None
    """Pointsman extension: the mesh's name inside App Mesh."""
