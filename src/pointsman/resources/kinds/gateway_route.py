"""GatewayRoute: which requests at a gateway go to which virtual service."""

from typing import Annotated, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.base import (
    Method,
    Name,
    OwnerReference,
    Port,
    Priority,
    Reference,
    Text,
    schema,
)
from pointsman.resources.kinds.matching import (
    Headers,
    MatchText,
    PathMatch,
    QueryParameters,
)

Toggle = Literal["ENABLED", "DISABLED"]
Hostname = Annotated[str, Strict(), Field(min_length=1, max_length=253)]


@schema
class HostnameMatch:
    """A condition on the request's host; exactly one of the two."""

    exact: Hostname | None = None
    """The host itself."""
    suffix: Hostname | None = None
    """How the host ends; something must stand before it."""


@schema
class GatewayHttpMatch:
    """Which HTTP requests; at least one of prefix, path and hostname."""

    prefix: MatchText | None = None
    """How the path starts, as a string: `/a` matches `/ab`."""
    path: PathMatch | None = None
    """The whole path; excludes prefix."""
    hostname: HostnameMatch | None = None
    """The host. A host named by any route no longer sees the routes without hostname."""
    method: Method | None = None
    """The method."""
    headers: Headers = ()
    """Conditions on headers, all of which must hold."""
    query_parameters: QueryParameters = ()
    """Conditions on query parameters, all of which must hold."""
    port: Port | None = None
    """The gateway's listener; required when it has several."""


@schema
class GatewayGrpcMatch:
    """Which gRPC requests; at least one of serviceName and hostname."""

    service_name: Name | None = None
    """Full name of the gRPC service."""
    hostname: HostnameMatch | None = None
    """The host."""
    metadata: Headers = ()
    """Conditions on request metadata, all of which must hold."""
    port: Port | None = None
    """The gateway's listener; required when it has several."""


@schema
class VirtualServiceTarget:
    """A virtual service, by reference or by ARN."""

    virtual_service_ref: Reference | None = None
    """The service."""
    virtual_service_arn: Text | None = None
    """ARN of a service outside these manifests."""


@schema
class GatewayRouteTarget:
    """Where a request goes."""

    virtual_service: VirtualServiceTarget
    """The virtual service."""
    port: Port | None = None
    """Its port; required when the service's provider has several listeners."""


@schema
class WeightedServiceTarget:
    """Pointsman extension: a share of the requests for one virtual service."""

    target_ref: VirtualServiceTarget
    """The virtual service (`targetRef.virtualServiceRef`)."""
    weight: Annotated[int, Strict(), Field(ge=0, le=1_000_000)]
    """Its share, relative to the other targets' weights."""
    port: Port | None = None
    """Its port; required when the service's provider has several listeners."""


@schema
class PrefixRewrite:
    """What replaces the matched prefix."""

    default_prefix: Toggle | None = None
    """DISABLED keeps the path; ENABLED, the default, replaces the matched prefix by `/`."""
    value: Annotated[str, Strict(), Field(min_length=1, max_length=255)] | None = None
    """Replaces the matched prefix; starts and ends with `/`."""


@schema
class PathRewrite:
    """What replaces the whole path."""

    exact: MatchText | None = None
    """The new path."""


@schema
class HostnameRewrite:
    """Whether the backend sees the virtual service's name as host."""

    default_target_hostname: Toggle | None = None
    """ENABLED, the default, sends the virtual service's name; DISABLED keeps the host."""


@schema
class GatewayHttpRewrite:
    """How the request is changed on its way."""

    prefix: PrefixRewrite | None = None
    """Replaces the matched prefix."""
    path: PathRewrite | None = None
    """Replaces the path; only with match.path."""
    hostname: HostnameRewrite | None = None
    """Replaces the host."""


@schema
class GatewayGrpcRewrite:
    """How the request is changed on its way."""

    hostname: HostnameRewrite | None = None
    """Replaces the host."""


@schema
class GatewayHttpAction:
    """Where HTTP requests go; exactly one of target and weightedTargets."""

    target: GatewayRouteTarget | None = None
    """The one target App Mesh knows."""
    weighted_targets: tuple[WeightedServiceTarget, ...] = ()
    """Pointsman extension: several targets, by weight."""
    rewrite: GatewayHttpRewrite | None = None
    """How the request is changed."""


@schema
class GatewayGrpcAction:
    """Where gRPC requests go; exactly one of target and weightedTargets."""

    target: GatewayRouteTarget | None = None
    """The one target App Mesh knows."""
    weighted_targets: tuple[WeightedServiceTarget, ...] = ()
    """Pointsman extension: several targets, by weight."""
    rewrite: GatewayGrpcRewrite | None = None
    """How the request is changed."""


@schema
class GatewayHttpRoute:
    """A route for HTTP requests."""

    match: GatewayHttpMatch
    """Which requests."""
    action: GatewayHttpAction
    """Where they go."""


@schema
class GatewayGrpcRoute:
    """A route for gRPC requests."""

    match: GatewayGrpcMatch
    """Which requests."""
    action: GatewayGrpcAction
    """Where they go."""


@schema
class GatewayRouteSpec:
    """Spec of a GatewayRoute; exactly one of the three routes."""

    aws_name: Name | None = None
    """Name inside App Mesh; `name_namespace` by default."""
    mesh_ref: OwnerReference | None = None
    """The mesh, as the webhook writes it."""
    virtual_gateway_ref: OwnerReference | None = None
    """The gateway, as the webhook writes it; otherwise found by VirtualGateway's selectors."""
    priority: Priority | None = None
    """0 is tried first; absent counts as 1000."""
    http_route: GatewayHttpRoute | None = None
    """For an http listener."""
    http2_route: GatewayHttpRoute | None = None
    """For an http2 listener."""
    grpc_route: GatewayGrpcRoute | None = None
    """For a grpc listener."""
    mesh_name: Name | None = None
    """Pointsman extension: the mesh's name inside App Mesh."""
    gateway_name: Name | None = None
    """Pointsman extension: name of the gateway in this namespace."""
