"""VirtualGateway: where requests enter the mesh."""

from typing import Literal

from pointsman.resources.kinds.base import (
    LabelSelector,
    Name,
    OwnerReference,
    Port,
    schema,
)
from pointsman.resources.kinds.listeners import (
    HealthCheck,
    HttpConnectionPool,
    Logging,
    RequestPool,
)
from pointsman.resources.kinds.tls import BackendDefaults, ListenerTls


@schema
class GatewayPortMapping:
    """A gateway's port; gateways speak no plain TCP."""

    port: Port
    """TCP port."""
    protocol: Literal["grpc", "http", "http2"]
    """Protocol spoken on the port."""


@schema
class GatewayConnectionPool:
    """Limits of a gateway listener; exactly one, of the listener's protocol."""

    http: HttpConnectionPool | None = None
    """Limits of HTTP/1.1."""
    http2: RequestPool | None = None
    """Limits of HTTP/2."""
    grpc: RequestPool | None = None
    """Limits of gRPC."""


@schema
class GatewayListener:
    """A port of the gateway."""

    port_mapping: GatewayPortMapping
    """Port and protocol."""
    health_check: HealthCheck | None = None
    """Health check of the gateway itself; App Mesh showed its result, nothing routes by it."""
    connection_pool: GatewayConnectionPool | None = None
    """Limits of what passes through the listener."""
    tls: ListenerTls | None = None
    """TLS of the listener."""


@schema
class VirtualGatewaySpec:
    """Spec of a VirtualGateway."""

    aws_name: Name | None = None
    """Name inside App Mesh and in node ids; `name_namespace` by default."""
    mesh_ref: OwnerReference | None = None
    """The mesh, as the webhook writes it; otherwise found by Mesh.spec.namespaceSelector."""
    namespace_selector: LabelSelector | None = None
    """Namespaces whose GatewayRoutes attach. Absent selects none, `{}` selects all."""
    gateway_route_selector: LabelSelector | None = None
    """GatewayRoutes that attach, by their labels. Absent and `{}` both select all."""
    pod_selector: LabelSelector | None = None
    """Pods that are this gateway; of no meaning without Kubernetes."""
    listeners: tuple[GatewayListener, ...] = ()
    """Ports of the gateway."""
    logging: Logging | None = None
    """Access log."""
    backend_defaults: BackendDefaults | None = None
    """Policy of connections towards the mesh."""
    mesh_name: Name | None = None
    """Pointsman extension: the mesh's name inside App Mesh."""
