"""VirtualService of v1beta1: service, virtual router and routes in one."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from pointsman.resources.key import Key
from pointsman.resources.kinds import virtual_router as v2
from pointsman.resources.kinds.base import (
    Count,
    Duration,
    Name,
    Priority,
    Reference,
    Weight,
    schema,
)
from pointsman.resources.kinds.virtual_service import (
    VirtualRouterProvider,
    VirtualServiceProvider,
    VirtualServiceSpec,
)
from pointsman.resources.v1beta1.names import aws_name


@schema
class RouterV1:
    """The router of the service."""

    name: Name | None = None
    """Its name; the service's, with dashes for dots, by default."""
    listeners: tuple[v2.RouterListener, ...] = ()
    """Ports clients may dial; the first listener of the first target by default."""


@schema
class TargetV1:
    """A share of the requests for one virtual node."""

    virtual_node_name: Name
    """The node, as `name` or `name.namespace`."""
    weight: Weight
    """Its share."""


@schema
class ActionV1:
    """Where requests go."""

    weighted_targets: Annotated[tuple[TargetV1, ...], Field(min_length=1, max_length=10)]
    """Nodes and their shares."""


@schema
class HttpRetryV1:
    """When a request is tried again."""

    max_retries: Count
    """Tries after the first."""
    per_retry_timeout_millis: Count
    """Milliseconds for each try, the first included."""
    http_retry_events: tuple[v2.HttpRetryEvent, ...] = ()
    """HTTP events."""
    tcp_retry_events: tuple[v2.TcpRetryEvent, ...] = ()
    """TCP events."""


@schema
class GrpcRetryV1:
    """When a gRPC request is tried again."""

    max_retries: Count
    """Tries after the first."""
    per_retry_timeout_millis: Count
    """Milliseconds for each try, the first included."""
    grpc_retry_events: tuple[v2.GrpcRetryEvent, ...] = ()
    """gRPC status codes."""
    http_retry_events: tuple[v2.HttpRetryEvent, ...] = ()
    """HTTP events."""
    tcp_retry_events: tuple[v2.TcpRetryEvent, ...] = ()
    """TCP events."""


@schema
class HttpRouteV1:
    """A route for HTTP requests."""

    match: v2.HttpMatch
    """Which requests."""
    action: ActionV1
    """Where they go."""
    retry_policy: HttpRetryV1 | None = None
    """When they are tried again."""


@schema
class GrpcRouteV1:
    """A route for gRPC requests."""

    match: v2.GrpcMatch
    """Which requests."""
    action: ActionV1
    """Where they go."""
    retry_policy: GrpcRetryV1 | None = None
    """When they are tried again."""


@schema
class TcpRouteV1:
    """A route for TCP connections."""

    action: ActionV1
    """Where they go."""


@schema
class RouteV1:
    """A named route; exactly one of the four kinds."""

    name: Name
    """Unique in the service."""
    priority: Priority | None = None
    """0 is tried first; absent counts as 1000."""
    http: HttpRouteV1 | None = None
    """For an http listener."""
    http2: HttpRouteV1 | None = None
    """For an http2 listener."""
    grpc: GrpcRouteV1 | None = None
    """For a grpc listener."""
    tcp: TcpRouteV1 | None = None
    """For a tcp listener."""


@schema
class VirtualServiceV1Beta1:
    """Spec of a v1beta1 VirtualService."""

    mesh_name: Name
    """The mesh."""
    virtual_router: RouterV1 | None = None
    """The router."""
    routes: tuple[RouteV1, ...] = ()
    """Which requests go to which nodes."""


def convert(spec: VirtualServiceV1Beta1, key: Key) -> Iterator[tuple[Key, Any]]:
    """The service in v1beta2 and, when it has a router or routes, the router."""
    if spec.virtual_router is None and not spec.routes:
        yield key, VirtualServiceSpec(aws_name=key.name, mesh_name=spec.mesh_name)
        return
    router = spec.virtual_router or RouterV1()
    name = router.name or key.name.replace(".", "-")
    router_key = Key("VirtualRouter", key.namespace, name)
    provider = VirtualRouterProvider(virtual_router_ref=Reference(name=name))
    yield (
        key,
        VirtualServiceSpec(
            aws_name=key.name,
            mesh_name=spec.mesh_name,
            provider=VirtualServiceProvider(virtual_router=provider),
        ),
    )
    yield (
        router_key,
        v2.VirtualRouterSpec(
            aws_name=aws_name(router_key),
            mesh_name=spec.mesh_name,
            listeners=router.listeners,
            routes=tuple(_route(route) for route in spec.routes),
        ),
    )


def _route(route: RouteV1) -> v2.Route:
    return v2.Route(
        name=route.name,
        priority=route.priority,
        http_route=_http(route.http) if route.http else None,
        http2_route=_http(route.http2) if route.http2 else None,
        grpc_route=_grpc(route.grpc) if route.grpc else None,
        tcp_route=v2.TcpRoute(action=_action(route.tcp.action)) if route.tcp else None,
    )


def _action(action: ActionV1) -> v2.RouteAction:
    return v2.RouteAction(weighted_targets=tuple(_target(t) for t in action.weighted_targets))


def _target(target: TargetV1) -> v2.WeightedTarget:
    name, _, namespace = target.virtual_node_name.partition(".")
    reference = Reference(name=name or target.virtual_node_name, namespace=namespace or None)
    return v2.WeightedTarget(virtual_node_ref=reference, weight=target.weight)


def _http(route: HttpRouteV1) -> v2.HttpRoute:
    retry = route.retry_policy
    return v2.HttpRoute(
        match=route.match,
        action=_action(route.action),
        retry_policy=v2.HttpRetryPolicy(
            max_retries=retry.max_retries,
            per_retry_timeout=Duration(unit="ms", value=retry.per_retry_timeout_millis),
            http_retry_events=retry.http_retry_events,
            tcp_retry_events=retry.tcp_retry_events,
        )
        if retry
        else None,
    )


def _grpc(route: GrpcRouteV1) -> v2.GrpcRoute:
    retry = route.retry_policy
    return v2.GrpcRoute(
        match=route.match,
        action=_action(route.action),
        retry_policy=v2.GrpcRetryPolicy(
            max_retries=retry.max_retries,
            per_retry_timeout=Duration(unit="ms", value=retry.per_retry_timeout_millis),
            grpc_retry_events=retry.grpc_retry_events,
            http_retry_events=retry.http_retry_events,
            tcp_retry_events=retry.tcp_retry_events,
        )
        if retry
        else None,
    )
