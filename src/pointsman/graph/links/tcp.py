"""Virtual services as TCP connections reach them: a name and clusters by weight."""

from dataclasses import dataclass

from pointsman.graph.links.address_policy import addresses_of
from pointsman.graph.links.clusters import Node, unknown_cluster
from pointsman.graph.links.context import Context, follow
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.membership import Mesh
from pointsman.graph.links.names import aws_name
from pointsman.graph.links.no_requests import report_tcp
from pointsman.graph.links.policies import Target
from pointsman.graph.links.targets import choose_cluster, find_node, find_router
from pointsman.graph.model.cluster import WeightedCluster
from pointsman.graph.model.match import NO_PRIORITY
from pointsman.graph.model.sidecar import TcpBackend
from pointsman.resources.codes import routing
from pointsman.resources.kinds.virtual_router import Route, TcpRoute, VirtualRouterSpec
from pointsman.resources.kinds.virtual_service import VirtualRouterProvider, VirtualServiceSpec
from pointsman.resources.origin import FieldPath
from pointsman.resources.resource import Resource


@dataclass(frozen=True, slots=True)
class Reached:
    """Where connections go.

    Attributes:
        targets: clusters by weight, none of 0; with none at all connections are closed.
        idle_ms: time without bytes that ends one; None when the manifest does not say.
    """

    targets: tuple[WeightedCluster, ...] = ()
    idle_ms: int | None = None


def link_tcp_service(
    context: Context, service: Resource[VirtualServiceSpec], port: int
) -> Linked[TcpBackend]:
    """Links a virtual service as connected to on one of its TCP ports; remembered."""
    step = ("tcp service", service.key, port)
    seen: Linked[TcpBackend] | None = context.memo.seen(step)
    if seen is not None:
        return seen
    findings = Findings(service.key)
    uses: list[Linked[object]] = []
    mesh = context.mesh_of(service.key, service.spec)
    reached = Reached()
    if mesh is not None:
        reached = _reached(context, mesh, service, port, findings, uses)
    name = aws_name(service.key, service.spec)
    nobody = unknown_cluster(mesh.name if mesh else "", service.key, port)
    targets = reached.targets or (WeightedCluster(nobody, 1),)
    addresses = addresses_of(context, service.key)
    backend = TcpBackend(service.key, name, targets, reached.idle_ms, addresses=addresses)
    report_tcp(context, service.key, Target(service.key))
    result: Linked[TcpBackend] = context.memo.get(
        step,
        (backend, findings.problems, uses),
        lambda: linked(backend, findings.problems, *uses),
    )
    return result


def _reached(
    context: Context,
    mesh: Mesh,
    service: Resource[VirtualServiceSpec],
    port: int,
    findings: Findings,
    uses: list[Linked[object]],
) -> Reached:
    provider = service.spec.provider
    if provider is not None and provider.virtual_router is not None:
        return _routed(context, mesh, provider.virtual_router, port, findings, uses)
    if provider is not None and provider.virtual_node is not None:
        block = provider.virtual_node
        path: FieldPath = ("spec", "provider", "virtualNode")
        ref, arn = block.virtual_node_ref, block.virtual_node_arn
        key = follow(ref, arn, "VirtualNode", path, findings)
        node = find_node(context, key, mesh.key, path, findings) if key else None
        if node is not None:
            uses.append(node)
            cluster = choose_cluster(node.value, port, path, findings)
            if cluster is not None:
                return Reached((WeightedCluster(cluster, 1),))
    return Reached()


def _routed(
    context: Context,
    mesh: Mesh,
    provider: VirtualRouterProvider,
    port: int,
    findings: Findings,
    uses: list[Linked[object]],
) -> Reached:
    path = ("spec", "provider", "virtualRouter")
    ref, arn = provider.virtual_router_ref, provider.virtual_router_arn
    key = follow(ref, arn, "VirtualRouter", path, findings)
    router = find_router(context, key, mesh.key, path, findings) if key else None
    if router is None:
        return Reached()
    table = link_tcp_routes(context, router, mesh, port)
    uses.append(table)
    return table.value


def link_tcp_routes(
    context: Context, router: Resource[VirtualRouterSpec], mesh: Mesh, port: int
) -> Linked[Reached]:
    """Links the first TCP route a router has for a port; the result is remembered.

    It takes every connection, since TCP offers nothing by which to tell two apart.
    """
    step = ("tcp routes", router.key, port)
    seen: Linked[Reached] | None = context.memo.seen(step)
    if seen is not None:
        return seen
    findings = Findings(router.key)
    listeners = router.spec.listeners
    uses: list[Linked[Node]] = []
    routes = [
        (index, route, route.tcp_route)
        for index, route in enumerate(router.spec.routes)
        if route.tcp_route is not None
        and (route.tcp_route.match is None or route.tcp_route.match.port in (None, port))
    ]
    routes.sort(key=lambda item: (_priority(item[1]), item[1].name))
    reached = Reached()
    for position, (index, route, body) in enumerate(routes):
        path = ("spec", "routes", index, "tcpRoute")
        if position > 0:
            message = f"route {route.name} is never reached: {routes[0][1].name} takes all"
            findings.add(routing.SAME_MATCH, path, message, "remove one of them")
        else:
            reached = _link_route(context, mesh, body, path, findings, uses)
            report_tcp(context, router.key, Target(router.key, route.name), Target(router.key))
    protocols = {item.port_mapping.port: item.port_mapping.protocol for item in listeners}
    if routes and protocols.get(port, "tcp") != "tcp":
        message = f"tcpRoute on the {protocols[port]} listener {port} of the router"
        path = ("spec", "routes", routes[0][0], "tcpRoute")
        findings.add(routing.PROTOCOL_MISMATCH, path, message)
    elif not routes and protocols.get(port) == "tcp":
        message = f"the router has no TCP route for port {port}"
        findings.add(routing.NO_TCP_ROUTE, ("spec", "routes"), message)
    result: Linked[Reached] = context.memo.get(
        step,
        (reached, findings.problems, uses),
        lambda: linked(reached, findings.problems, *uses),
    )
    return result


def _priority(route: Route) -> int:
    return NO_PRIORITY if route.priority is None else route.priority


def _link_route(
    context: Context,
    mesh: Mesh,
    route: TcpRoute,
    path: FieldPath,
    findings: Findings,
    uses: list[Linked[Node]],
) -> Reached:
    targets = []
    for index, target in enumerate(route.action.weighted_targets):
        where = (*path, "action", "weightedTargets", index)
        ref, arn = target.virtual_node_ref, target.virtual_node_arn
        key = follow(ref, arn, "VirtualNode", where, findings)
        node = None
        if key is not None:
            node = find_node(context, key, mesh.key, (*where, "virtualNodeRef"), findings)
        if node is None:
            continue
        uses.append(node)
        cluster = choose_cluster(node.value, target.port, where, findings)
        if cluster is None:
            continue
        if cluster.protocol != "tcp":
            message = f"{cluster.node} speaks {cluster.protocol} on port {cluster.port}, "
            findings.add(routing.PROTOCOL_MISMATCH, where, message + "the route tcp")
        if target.weight:
            targets.append(WeightedCluster(cluster, target.weight))
    if not any(target.weight for target in route.action.weighted_targets):
        where = (*path, "action", "weightedTargets")
        findings.add(routing.NO_WEIGHT, where, "all weights are 0: connections are closed")
    idle = route.timeout.idle if route.timeout else None
    return Reached(tuple(targets), None if idle is None else idle.ms)
