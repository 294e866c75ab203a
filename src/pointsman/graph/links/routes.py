"""Routes of a virtual router, for one of its ports."""

from dataclasses import dataclass

from pointsman.graph.links.clusters import Node, unknown_cluster
from pointsman.graph.links.context import Context, follow
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.matches import grpc_match, http_match
from pointsman.graph.links.membership import Mesh
from pointsman.graph.links.targets import choose_cluster, find_node
from pointsman.graph.model.cluster import WeightedCluster
from pointsman.graph.model.match import RequestMatch, precedence
from pointsman.graph.model.route import (
    DEFAULT_RETRY,
    DEFAULT_TIMEOUT_MS,
    RetryPolicy,
    Route,
    Timeouts,
    sticky_ways,
)
from pointsman.resources.codes import routing
from pointsman.resources.key import Key
from pointsman.resources.kinds.base import PortMapping
from pointsman.resources.kinds.virtual_router import (
    GrpcRetryPolicy,
    GrpcRoute,
    HttpRetryPolicy,
    HttpRoute,
    HttpTimeout,
    VirtualRouterSpec,
    WeightedTarget,
)
from pointsman.resources.kinds.virtual_router import Route as RouteSpec
from pointsman.resources.origin import FieldPath
from pointsman.resources.resource import Resource

PROTOCOL_OF_FIELD = {"httpRoute": "http", "http2Route": "http2", "grpcRoute": "grpc"}


@dataclass(frozen=True, slots=True)
class Table:
    """A router's routes for one port, in the order they are tried."""

    routes: tuple[Route, ...]


Resolved = dict[tuple[int, int], "Linked[Node] | None"]
"""Nodes of a router's targets, by index of the route and of the target in it."""


def link_routes(
    context: Context, router: Resource[VirtualRouterSpec], mesh: Mesh, port: int
) -> Linked[Table]:
    """Links the routes a router has for one of its ports; the result is remembered."""
    step = ("routes", router.key, port)
    seen: Linked[Table] | None = context.memo.seen(step)
    if seen is not None:
        return seen
    findings = Findings(router.key)
    resolved = _resolve(context, router, mesh, findings)
    ports = router_ports(context, router)
    inputs = (router.spec, mesh, resolved, ports, findings.problems)
    result: Linked[Table] = context.memo.get(
        step,
        inputs,
        lambda: _link(
            router, mesh, port, ports, resolved, Findings(router.key, *findings.problems)
        ),
    )
    return result


def router_ports(context: Context, router: Resource[VirtualRouterSpec]) -> tuple[int, ...]:
    """Ports of a router, see `router_listeners`; port 0 when it has none at all."""
    return tuple(mapping.port for mapping in router_listeners(context, router)) or (0,)


def router_listeners(
    context: Context, router: Resource[VirtualRouterSpec]
) -> tuple[PortMapping, ...]:
    """Ports and protocols of a router.

    That of a v1beta1 service may have no listener: then it has the first listener of the first
    node it routes to (App Mesh controller v0.5).
    """
    listeners = tuple(listener.port_mapping for listener in router.spec.listeners)
    if listeners:
        return listeners
    for route in router.spec.routes:
        body = route.tcp_route or _body(route)[1]
        ref = body.action.weighted_targets[0].virtual_node_ref
        if ref is not None:
            key = Key("VirtualNode", ref.namespace or router.key.namespace, ref.name)
            node = context.resources.get(key)
            if node is not None and node.spec.listeners:
                mapping: PortMapping = node.spec.listeners[0].port_mapping
                return (mapping,)
    return ()


def _resolve(
    context: Context, router: Resource[VirtualRouterSpec], mesh: Mesh, findings: Findings
) -> Resolved:
    resolved: Resolved = {}
    for index, route in enumerate(router.spec.routes):
        if route.tcp_route is not None:
            continue
        for target_index, target in enumerate(_body(route)[1].action.weighted_targets):
            path = _target_path(index, route, target_index)
            key = follow(
                target.virtual_node_ref, target.virtual_node_arn, "VirtualNode", path, findings
            )
            resolved[index, target_index] = (
                find_node(context, key, mesh.key, (*path, "virtualNodeRef"), findings)
                if key
                else None
            )
    return resolved


def _link(
    router: Resource[VirtualRouterSpec],
    mesh: Mesh,
    port: int,
    ports: tuple[int, ...],
    resolved: Resolved,
    findings: Findings,
) -> Linked[Table]:
    ordered = []
    for index, route in enumerate(router.spec.routes):
        if route.tcp_route is None and _serves(index, route, port, ports, findings):
            _check_listener(router.spec, index, route, port, findings)
            built = _route(mesh, index, route, resolved, findings)
            ordered.append((precedence(route.priority, built.match, route.name), built))
    ordered.sort(key=lambda item: item[0])
    table = Table(tuple(route for _, route in ordered))
    _check_twins(table, findings)
    return linked(table, findings.problems, *(node for node in resolved.values() if node))


def _serves(
    index: int, route: RouteSpec, port: int, ports: tuple[int, ...], findings: Findings
) -> bool:
    field, body = _body(route)
    wanted = body.match.port
    if wanted is not None and wanted not in ports:
        message = f"the router has no listener on port {wanted}"
        hint = f"its ports: {', '.join(map(str, ports))}"
        path = ("spec", "routes", index, field, "match", "port")
        findings.add(routing.NO_SUCH_PORT, path, message, hint)
    return wanted in (None, port)


def _check_listener(
    spec: VirtualRouterSpec, index: int, route: RouteSpec, port: int, findings: Findings
) -> None:
    field = _body(route)[0]
    for listener in spec.listeners:
        mapping = listener.port_mapping
        if mapping.port == port and mapping.protocol != PROTOCOL_OF_FIELD[field]:
            message = f"{field} on the {mapping.protocol} listener {port} of the router"
            findings.add(routing.PROTOCOL_MISMATCH, ("spec", "routes", index, field), message)


def _check_twins(table: Table, findings: Findings) -> None:
    first: dict[RequestMatch, Route] = {}
    for route in table.routes:
        twin = first.setdefault(route.match, route)
        if twin is not route:
            message = f"route {route.name} is never reached: {twin.name} has the same match"
            findings.add(routing.SAME_MATCH, route.path, message, "remove one of them")


def _body(route: RouteSpec) -> tuple[str, HttpRoute | GrpcRoute]:
    for field, body in zip(
        PROTOCOL_OF_FIELD, (route.http_route, route.http2_route, route.grpc_route), strict=True
    ):
        if body is not None:
            return field, body
    raise AssertionError(route.name)


def _target_path(index: int, route: RouteSpec, target_index: int) -> FieldPath:
    field = _body(route)[0]
    return ("spec", "routes", index, field, "action", "weightedTargets", target_index)


def _route(
    mesh: Mesh, index: int, route: RouteSpec, resolved: Resolved, findings: Findings
) -> Route:
    field, body = _body(route)
    targets = tuple(
        _target(
            mesh,
            PROTOCOL_OF_FIELD[field],
            target,
            resolved[index, target_index],
            _target_path(index, route, target_index),
            findings,
        )
        for target_index, target in enumerate(body.action.weighted_targets)
    )
    path = ("spec", "routes", index)
    if not any(target.weight for target in targets):
        findings.add(
            routing.NO_WEIGHT,
            (*path, field, "action", "weightedTargets"),
            f"all weights of route {route.name} are 0: its requests are answered 503",
            "give at least one target a weight above 0",
        )
    built = Route(
        key=findings.key,
        path=path,
        name=route.name,
        match=_match(body),
        targets=targets,
        timeouts=http_timeouts(body.timeout),
        retry=_retry(body.retry_policy),
    )
    _check_budget(built, field, findings)
    _check_stickiness(built, field, findings)
    return built


def _check_budget(route: Route, field: str, findings: Findings) -> None:
    tries, each = route.retry.max_retries + 1, route.retry.per_retry_ms or 0
    if 0 < route.timeouts.request_ms < tries * each:
        message = f"{tries} tries of {each} ms do not fit into {route.timeouts.request_ms} ms"
        hint = "raise timeout.perRequest, or lower perRetryTimeout or maxRetries"
        findings.add(routing.RETRY_BUDGET, (*route.path, field, "retryPolicy"), message, hint)


def _check_stickiness(route: Route, field: str, findings: Findings) -> None:
    ways = sticky_ways(route)
    if len(ways) > 1:
        message = f"targets of route {route.name} are sticky by {len(ways)} different things"
        path = (*route.path, field, "action", "weightedTargets")
        findings.add(routing.STICKY_APART, path, message, "let their BackendPolicies agree")


def _match(body: HttpRoute | GrpcRoute) -> RequestMatch:
    if isinstance(body, HttpRoute):
        return http_match(body.match)
    match = body.match
    return grpc_match(match.service_name, match.method_name, match.metadata)


def _target(
    mesh: Mesh,
    protocol: str,
    target: WeightedTarget,
    node: Linked[Node] | None,
    path: FieldPath,
    findings: Findings,
) -> WeightedCluster:
    cluster = choose_cluster(node.value, target.port, path, findings) if node else None
    if cluster is not None and cluster.protocol == "tcp":
        message = f"{cluster.node} listens for TCP on port {cluster.port}"
        findings.add(routing.TCP_BEHIND_HTTP, path, message)
        cluster = None
    elif cluster is not None and cluster.protocol != protocol:
        message = f"{cluster.node} speaks {cluster.protocol} on port {cluster.port}, the route "
        findings.add(routing.PROTOCOL_MISMATCH, path, message + protocol)
    ref = target.virtual_node_ref
    missing = Key(
        "VirtualNode",
        ref.namespace or findings.key.namespace if ref else findings.key.namespace,
        ref.name if ref else "arn",
    )
    return WeightedCluster(cluster or unknown_cluster(mesh.name, missing), target.weight)


def http_timeouts(timeout: HttpTimeout | None) -> Timeouts:
    """Limits of a route or of a listener, with App Mesh's default where nothing is written."""
    if timeout is None:
        return Timeouts()
    return Timeouts(
        DEFAULT_TIMEOUT_MS if timeout.per_request is None else timeout.per_request.ms,
        None if timeout.idle is None else timeout.idle.ms,
    )


def _retry(policy: HttpRetryPolicy | GrpcRetryPolicy | None) -> RetryPolicy:
    if policy is None:
        return DEFAULT_RETRY
    events: tuple[str, ...] = (*policy.http_retry_events, *policy.tcp_retry_events)
    if isinstance(policy, GrpcRetryPolicy):
        events += policy.grpc_retry_events
    return RetryPolicy(policy.max_retries, policy.per_retry_timeout.ms, events)
