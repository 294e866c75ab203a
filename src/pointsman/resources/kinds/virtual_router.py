"""VirtualRouter: which requests for a service go to which nodes."""

from typing import Annotated, Literal

from pydantic import Field

from pointsman.resources.kinds.base import (
    Count,
    Duration,
    Method,
    Name,
    OwnerReference,
    Port,
    PortMapping,
    Priority,
    Reference,
    Text,
    Weight,
    schema,
)
from pointsman.resources.kinds.matching import Headers, MatchText, PathMatch, QueryParameters

HttpRetryEvent = Literal["server-error", "gateway-error", "client-error", "stream-error"]
TcpRetryEvent = Literal["connection-error"]
GrpcRetryEvent = Literal[
    "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"
]


@schema
class RouterListener:
    """A port clients may dial."""

    port_mapping: PortMapping
    """Port and protocol."""


@schema
class HttpMatch:
    """Which HTTP requests; one of prefix and path."""

    prefix: MatchText | None = None
    """How the path starts, as a string: `/a` matches `/ab`."""
    path: PathMatch | None = None
    """The whole path."""
    method: Method | None = None
    """The method."""
    scheme: Literal["http", "https"] | None = None
    """The scheme."""
    headers: Headers = ()
    """Conditions on headers, all of which must hold."""
    query_parameters: QueryParameters = ()
    """Conditions on query parameters, all of which must hold."""
    port: Port | None = None
    """The router's listener; required when it has several."""


@schema
class GrpcMatch:
    """Which gRPC requests; all of them when empty."""

    service_name: Name | None = None
    """Full name of the gRPC service."""
    method_name: Name | None = None
    """Name of the method; needs serviceName."""
    metadata: Headers = ()
    """Conditions on request metadata, all of which must hold."""
    port: Port | None = None
    """The router's listener; required when it has several."""


@schema
class TcpMatch:
    """Which connections."""

    port: Port | None = None
    """The router's listener; required when it has several."""


@schema
class WeightedTarget:
    """A share of the requests for one virtual node."""

    virtual_node_ref: Reference | None = None
    """The node."""
    virtual_node_arn: Text | None = None
    """ARN of a node outside these manifests."""
    weight: Weight
    """Its share, relative to the other targets' weights."""
    port: Port | None = None
    """Its listener; required when the node has several."""


@schema
class RouteAction:
    """Where requests go."""

    weighted_targets: Annotated[tuple[WeightedTarget, ...], Field(min_length=1, max_length=10)]
    """Nodes and their shares."""


@schema
class HttpRetryPolicy:
    """When a request is tried again."""

    max_retries: Count
    """Tries after the first."""
    per_retry_timeout: Duration
    """Time for each try, the first included."""
    http_retry_events: tuple[HttpRetryEvent, ...] = ()
    """HTTP events."""
    tcp_retry_events: tuple[TcpRetryEvent, ...] = ()
    """TCP events."""


@schema
class GrpcRetryPolicy:
    """When a gRPC request is tried again."""

    max_retries: Count
    """Tries after the first."""
    per_retry_timeout: Duration
    """Time for each try, the first included."""
    grpc_retry_events: tuple[GrpcRetryEvent, ...] = ()
    """gRPC status codes."""
    http_retry_events: tuple[HttpRetryEvent, ...] = ()
    """HTTP events."""
    tcp_retry_events: tuple[TcpRetryEvent, ...] = ()
    """TCP events."""


@schema
class HttpTimeout:
    """How long a request may take; 0 disables."""

    per_request: Duration | None = None
    """The whole request, retries included; 15 s by default."""
    idle: Duration | None = None
    """Without a byte in either direction; 300 s by default."""


@schema
class TcpTimeout:
    """How long a connection may be silent; 0 disables."""

    idle: Duration | None = None
    """Without a byte in either direction; 300 s by default."""


@schema
class HttpRoute:
    """A route for HTTP requests."""

    match: HttpMatch
    """Which requests."""
    action: RouteAction
    """Where they go."""
    retry_policy: HttpRetryPolicy | None = None
    """When they are tried again; App Mesh's default policy when absent."""
    timeout: HttpTimeout | None = None
    """How long they may take."""


@schema
class GrpcRoute:
    """A route for gRPC requests."""

    match: GrpcMatch
    """Which requests."""
    action: RouteAction
    """Where they go."""
    retry_policy: GrpcRetryPolicy | None = None
    """When they are tried again; App Mesh's default policy when absent."""
    timeout: HttpTimeout | None = None
    """How long they may take."""


@schema
class TcpRoute:
    """A route for TCP connections."""

    match: TcpMatch | None = None
    """Which connections."""
    action: RouteAction
    """Where they go."""
    timeout: TcpTimeout | None = None
    """How long they may be silent."""


@schema
class Route:
    """A named route; exactly one of the four kinds."""

    name: Name
    """Unique in the router."""
    priority: Priority | None = None
    """0 is tried first; absent counts as 1000."""
    http_route: HttpRoute | None = None
    """For an http listener."""
    http2_route: HttpRoute | None = None
    """For an http2 listener."""
    grpc_route: GrpcRoute | None = None
    """For a grpc listener."""
    tcp_route: TcpRoute | None = None
    """For a tcp listener."""


@schema
class VirtualRouterSpec:
    """Spec of a VirtualRouter."""

    aws_name: Name | None = None
    """Name inside App Mesh; `name_namespace` by default."""
    mesh_ref: OwnerReference | None = None
    """The mesh, as the webhook writes it."""
    listeners: tuple[RouterListener, ...] = ()
    """Ports clients may dial; at least one. Only routers of v1beta1 services may have none: they
    have the first listener of the first node they route to."""
    routes: tuple[Route, ...] = ()
    """The routes."""
    mesh_name: Name | None = None
    """Pointsman extension: the mesh's name inside App Mesh."""
