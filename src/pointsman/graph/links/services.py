"""Virtual services as HTTP calls them: a name and a table of routes."""

from typing import Any

from pointsman.graph.links.context import Context, follow
from pointsman.graph.links.guards import with_guards
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.membership import Mesh
from pointsman.graph.links.names import aws_name
from pointsman.graph.links.route_policy import with_policies
from pointsman.graph.links.routes import link_routes, router_listeners, router_ports
from pointsman.graph.links.targets import choose_cluster, find_node, find_router
from pointsman.graph.model.cluster import WeightedCluster
from pointsman.graph.model.match import RequestMatch
from pointsman.graph.model.route import Route, Service
from pointsman.resources.codes import routing
from pointsman.resources.key import Key
from pointsman.resources.kinds.base import PortMapping, Reference
from pointsman.resources.kinds.virtual_service import (
    VirtualNodeProvider,
    VirtualRouterProvider,
    VirtualServiceSpec,
)
from pointsman.resources.resource import Resource


def service_ports(context: Context, service: Resource[VirtualServiceSpec]) -> tuple[int, ...]:
    """Ports of the router or node that provides a service; () when there is none."""
    provider = service.spec.provider
    if provider is not None and provider.virtual_router is not None:
        ref = provider.virtual_router.virtual_router_ref
        router = _provider(context, service, "VirtualRouter", ref)
        return router_ports(context, router) if router else ()
    return tuple(mapping.port for mapping in service_listeners(context, service))


def service_listeners(
    context: Context, service: Resource[VirtualServiceSpec]
) -> tuple[PortMapping, ...]:
    """Ports and protocols of the router or node that provides a service; () without one."""
    provider = service.spec.provider
    if provider is not None and provider.virtual_router is not None:
        ref = provider.virtual_router.virtual_router_ref
        router = _provider(context, service, "VirtualRouter", ref)
        return router_listeners(context, router) if router else ()
    if provider is not None and provider.virtual_node is not None:
        ref = provider.virtual_node.virtual_node_ref
        node = _provider(context, service, "VirtualNode", ref)
        return tuple(item.port_mapping for item in node.spec.listeners) if node else ()
    return ()


def _provider(
    context: Context, service: Resource[VirtualServiceSpec], kind: str, ref: Reference | None
) -> Resource[Any] | None:
    if ref is None:
        return None
    return context.resources.get(Key(kind, ref.namespace or service.key.namespace, ref.name))


def link_service(
    context: Context, service: Resource[VirtualServiceSpec], port: int | None
) -> Linked[Service]:
    """Links a virtual service as called on one of `service_ports`; None means the only one.

    The result is remembered, so equal inputs give the same object.
    """
    step = ("service", service.key, port)
    seen: Linked[Service] | None = context.memo.seen(step)
    if seen is not None:
        return seen
    findings = Findings(service.key)
    mesh = context.membership.mesh_of(service.key, service.spec, findings)
    provider = service.spec.provider
    table: tuple[Route, ...] = ()
    router: Key | None = None
    uses: list[Linked[object]] = []
    if mesh is None:
        pass
    elif provider is not None and provider.virtual_router is not None:
        router, table = _routed(context, mesh, provider.virtual_router, port, findings, uses)
    elif provider is not None and provider.virtual_node is not None:
        table = _direct(context, mesh, provider.virtual_node, port, findings, uses)
    else:
        findings.add(
            routing.NO_PROVIDER, ("spec",), "the service has no provider", "set `spec.provider`"
        )
    if mesh is not None:
        table, policies = with_policies(context, service.key, router, mesh, port, table)
        uses.extend(policies)
        table, guards = with_guards(context, service.key, router, port, table)
        uses.extend(guards)
    name = aws_name(service.key, service.spec)
    result: Linked[Service] = context.memo.get(
        step,
        (service.spec, mesh, router, table, findings.problems, uses),
        lambda: linked(Service(service.key, name, router, table), findings.problems, *uses),
    )
    return result


def _routed(
    context: Context,
    mesh: Mesh,
    provider: VirtualRouterProvider,
    port: int | None,
    findings: Findings,
    uses: list[Linked[object]],
) -> tuple[Key | None, tuple[Route, ...]]:
    path = ("spec", "provider", "virtualRouter")
    key = follow(
        provider.virtual_router_ref, provider.virtual_router_arn, "VirtualRouter", path, findings
    )
    if key is None:
        return None, ()
    router = find_router(context, key, mesh.key, path, findings)
    if router is None:
        return key, ()
    if all(route.tcp_route is not None for route in router.spec.routes) and router.spec.routes:
        message = f"{key} has TCP routes only"
        findings.add(routing.TCP_ROUTE_UNREACHABLE, path, message)
    chosen = router_ports(context, router)[0] if port is None else port
    table = link_routes(context, router, mesh, chosen)
    uses.append(table)
    return key, table.value.routes


def _direct(
    context: Context,
    mesh: Mesh,
    provider: VirtualNodeProvider,
    port: int | None,
    findings: Findings,
    uses: list[Linked[object]],
) -> tuple[Route, ...]:
    path = ("spec", "provider", "virtualNode")
    key = follow(
        provider.virtual_node_ref, provider.virtual_node_arn, "VirtualNode", path, findings
    )
    node = find_node(context, key, mesh.key, path, findings) if key else None
    if node is None:
        return ()
    uses.append(node)
    cluster = choose_cluster(node.value, port, path, findings)
    if cluster is None:
        return ()
    if cluster.protocol == "tcp":
        findings.add(routing.TCP_BEHIND_HTTP, path, f"{key} listens for TCP on port {cluster.port}")
        return ()
    return (Route(findings.key, path, None, RequestMatch(), (WeightedCluster(cluster, 1),)),)
