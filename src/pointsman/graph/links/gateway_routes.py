"""Gateway routes: which requests at which gateway go to which services."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pointsman.graph.compose import compose
from pointsman.graph.links.context import Context, follow, report_missing
from pointsman.graph.links.guards import link_guards
from pointsman.graph.links.hygiene_policy import route_hygiene
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.matches import grpc_match, http_match
from pointsman.graph.links.membership import Mesh
from pointsman.graph.links.policies import Target
from pointsman.graph.links.route_policy import gateway_route_override
from pointsman.graph.links.routes import PROTOCOL_OF_FIELD
from pointsman.graph.links.services import link_service, service_ports
from pointsman.graph.links.version_policy import route_version, versioned
from pointsman.graph.model.gateway import (
    ANY_HOST,
    Domain,
    DomainKind,
    GatewayRule,
    Rewrite,
    ServiceTarget,
)
from pointsman.graph.model.guards import Guards
from pointsman.graph.model.hygiene import RouteHygiene
from pointsman.graph.model.match import ANY_PATH, PathKind, RequestMatch
from pointsman.graph.model.route import Override, Service, lost_service
from pointsman.graph.model.version import ApiVersion
from pointsman.resources.codes import references, routing
from pointsman.resources.key import Key
from pointsman.resources.kinds.gateway_route import (
    GatewayGrpcRoute,
    GatewayHttpRewrite,
    GatewayHttpRoute,
    GatewayRouteSpec,
    HostnameMatch,
    VirtualServiceTarget,
)
from pointsman.resources.kinds.virtual_gateway import VirtualGatewaySpec
from pointsman.resources.origin import FieldPath
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource

Call = tuple[Key, int | None, Key]
"""A service, the port it is called on, and the mesh of who calls."""


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """A target block of the manifest.

    Attributes:
        key: the service it names; None when it names none.
        port: the service's port, if one is named.
        call: how the service is asked for; None when it cannot be.
        weight: its share.
        path: where the block stands.
    """

    key: Key | None
    port: int | None
    call: Call | None
    weight: int
    path: FieldPath


@dataclass(frozen=True, slots=True)
class Placed:
    """What a gateway route says, before anything is looked up.

    Attributes:
        mesh: its mesh.
        gateway: the gateway it attaches to.
        targets: the services it names.
        problems: found so far.
    """

    mesh: Mesh | None
    gateway: Key | None
    targets: tuple[NamedTarget, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A linked gateway route, with what it was linked from."""

    placed: Placed
    gateway: VirtualGatewaySpec | None
    services: tuple[Linked[Service] | None, ...]
    override: Linked[Override | None]
    guards: Linked[Guards]
    hygiene: RouteHygiene | None
    version: ApiVersion | None
    result: Linked[GatewayRule | None]


def link_gateway_route(
    context: Context, route: Resource[GatewayRouteSpec]
) -> Linked[GatewayRule | None]:
    """Links a gateway route; the result is remembered.

    The value is None when the route cannot be attached to a gateway's listener. With an error
    further on, the rule is there but its targets are not: its requests are answered 503 rather
    than fall through to a wider rule that leads elsewhere.
    """
    # Ten thousand unchanged routes pass here for every edit, so this is plainer than Memo.get.
    placing = (route.spec, route.labels, context.membership)
    known: Known | None = context.memo.recall(route.key, placing)
    placed = known.placed if known is not None else _place(context, route)
    resource = context.resources.get(placed.gateway) if placed.gateway is not None else None
    gateway = resource.spec if resource is not None else None
    services = tuple([_service(context, target) for target in placed.targets])
    override = gateway_route_override(context, route.key, placed.mesh)
    guards = link_guards(context, Target(route.key))
    hygiene = route_hygiene(context, route.key)
    version = route_version(context, route.key)
    if (
        known is None
        or known.override is not override
        or known.guards is not guards
        or known.hygiene is not hygiene
        or known.version is not version
        or known.gateway is not gateway
        or known.services != services
        or None in services
    ):
        findings = Findings(route.key, *placed.problems)
        if None in services and placed.mesh is not None:
            _report_services(context, placed.targets, services, placed.mesh.key, findings)
        result = _link(route, placed, gateway, services, override, guards, findings)
        if result.value is not None and hygiene is not None:
            result = replace(result, value=replace(result.value, hygiene=hygiene))
        if result.value is not None and version is not None:
            result = replace(result, value=versioned(result.value, version))
        known = Known(placed, gateway, services, override, guards, hygiene, version, result)
    context.memo.keep(route.key, placing, known)
    return known.result


def _place(context: Context, route: Resource[GatewayRouteSpec]) -> Placed:
    findings = Findings(route.key)
    mesh = context.membership.mesh_of(route.key, route.spec, findings)
    gateway = context.membership.gateway_of(route, mesh, findings) if mesh else None
    targets = tuple(_targets(route.spec, mesh.key if mesh else None, findings))
    return Placed(mesh, gateway, targets, tuple(findings.problems))


def body_of(spec: GatewayRouteSpec) -> tuple[str, GatewayHttpRoute | GatewayGrpcRoute]:
    """The one route of the spec, and the field it stands in."""
    if spec.http_route is not None:
        return "httpRoute", spec.http_route
    if spec.http2_route is not None:
        return "http2Route", spec.http2_route
    assert spec.grpc_route is not None
    return "grpcRoute", spec.grpc_route


def _targets(spec: GatewayRouteSpec, mesh: Key | None, findings: Findings) -> Iterator[NamedTarget]:
    field, body = body_of(spec)
    path: FieldPath = ("spec", field, "action")
    action = body.action
    if action.target is not None:
        where = (*path, "target", "virtualService")
        key, port = _named(action.target.virtual_service, where, findings), action.target.port
        yield NamedTarget(key, port, (key, port, mesh) if key and mesh else None, 1, where)
    for index, target in enumerate(action.weighted_targets):
        where = (*path, "weightedTargets", index, "targetRef")
        key, port = _named(target.target_ref, where, findings), target.port
        call = (key, port, mesh) if key and mesh else None
        yield NamedTarget(key, port, call, target.weight, where)


def _named(block: VirtualServiceTarget, path: FieldPath, findings: Findings) -> Key | None:
    ref, arn = block.virtual_service_ref, block.virtual_service_arn
    return follow(ref, arn, "VirtualService", path, findings)


def _service(context: Context, target: NamedTarget) -> Linked[Service] | None:
    call = target.call
    if call is None:
        return None
    if call not in context.calls:
        context.calls[call] = _call(context, *call)
    service: Linked[Service] | None = context.calls[call]
    return service


def _call(context: Context, key: Key, port: int | None, mesh: Key) -> Linked[Service] | None:
    service = context.resources.get(key)
    if service is None:
        return None
    other = context.mesh_of(key, service.spec)
    if other is not None and other.key != mesh:
        return None
    ports = service_ports(context, service)
    if ports and (len(ports) > 1 if port is None else port not in ports):
        return None
    return link_service(context, service, ports[0] if port is None and ports else port)


def _report_services(
    context: Context,
    targets: tuple[NamedTarget, ...],
    services: tuple[Linked[Service] | None, ...],
    mesh: Key,
    findings: Findings,
) -> None:
    for target, service in zip(targets, services, strict=True):
        if service is None and target.key is not None:
            _report_service(context, target.key, target, mesh, findings)


def _report_service(
    context: Context, key: Key, target: NamedTarget, home: Key, findings: Findings
) -> None:
    service = context.resources.get(key)
    path = (*target.path, "virtualServiceRef")
    if service is None:
        report_missing(key, context.resources, path, findings)
        return
    mesh = context.mesh_of(key, service.spec)
    if mesh is not None and mesh.key != home:
        findings.add(references.OTHER_MESH, path, f"{key} belongs to mesh {mesh.key.name}")
        return
    ports = service_ports(context, service)
    shown = ", ".join(map(str, ports))
    where = target.path[:-1]
    if target.port is None:
        message = f"{key} is provided on {len(ports)} ports"
        findings.add(routing.PORT_REQUIRED, where, message, f"add `port`, one of {shown}")
    else:
        message = f"{key} is not provided on port {target.port}"
        findings.add(routing.NO_SUCH_PORT, (*where, "port"), message, f"its ports: {shown}")


def _link(
    route: Resource[GatewayRouteSpec],
    placed: Placed,
    gateway: VirtualGatewaySpec | None,
    services: tuple[Linked[Service] | None, ...],
    override: Linked[Override | None],
    guards: Linked[Guards],
    findings: Findings,
) -> Linked[GatewayRule | None]:
    if placed.gateway is None or gateway is None:
        return linked(None, findings.problems)
    field, body = body_of(route.spec)
    if not _attaches(gateway, field, body, findings):
        return linked(None, findings.problems)
    match = _match(body)
    targets = tuple(
        ServiceTarget(_called(target, service, route.key), target.weight)
        for target, service in zip(placed.targets, services, strict=True)
    )
    if all(_is_lost(service) for service in services):
        targets = ()
    if targets and not any(target.weight for target in targets):
        findings.add(
            routing.NO_WEIGHT,
            ("spec", field, "action", "weightedTargets"),
            "all weights are 0: requests are answered 503",
        )
    rule = GatewayRule(
        key=route.key,
        gateway=placed.gateway,
        port=body.match.port,
        domain=_domain(body.match.hostname),
        match=match,
        targets=targets,
        rewrite=_rewrite(body, match),
        priority=route.spec.priority,
        override=override.value,
        guards=guards.value,
    )
    _check_reach(rule, field, findings)
    for named, called in zip(placed.targets, targets, strict=False):
        _check_protocol(called.service, field, named.path, findings)
    used = (service for service in services if service)
    return linked(rule, findings.problems, override, guards, *used)


def _called(target: NamedTarget, service: Linked[Service] | None, route: Key) -> Service:
    """The service of a target; a lost one keeps its share, which nobody can answer."""
    if service is not None and not _is_lost(service):
        return service.value
    return lost_service(target.key or Key("VirtualService", route.namespace, "arn"))


def _is_lost(service: Linked[Service] | None) -> bool:
    """Whether a service has no routes because of an error, rather than by its manifest."""
    return service is None or (service.broken and not service.value.routes)


def _check_protocol(service: Service, field: str, path: FieldPath, findings: Findings) -> None:
    """A node that provides a service itself speaks the route's protocol; routers see to theirs."""
    for route in service.routes if service.router is None else ():
        for weighted in route.targets:
            cluster = weighted.cluster
            if cluster.protocol != PROTOCOL_OF_FIELD[field]:
                message = f"{cluster.node} speaks {cluster.protocol} on port {cluster.port}"
                findings.add(routing.PROTOCOL_MISMATCH, path, message)


def _check_reach(rule: GatewayRule, field: str, findings: Findings) -> None:
    for target in rule.targets:
        routes = target.service.routes
        if not routes or any(route.match.path == ANY_PATH for route in routes):
            continue
        steps = compose(rule, target.service)
        if steps is not None and all(step.route is None for step in steps):
            findings.add(
                routing.NO_ROUTE_LEFT,
                ("spec", field, "match"),
                f"no route of {target.service.router} can match what is left of the path",
                "compare the rewrite with the paths of the router's routes",
            )


def _attaches(
    gateway: VirtualGatewaySpec,
    field: str,
    body: GatewayHttpRoute | GatewayGrpcRoute,
    findings: Findings,
) -> bool:
    protocols = {item.port_mapping.port: item.port_mapping.protocol for item in gateway.listeners}
    port = body.match.port
    path: FieldPath = ("spec", field, "match")
    shown = ", ".join(map(str, protocols)) or "none"
    if port is None and len(protocols) > 1:
        findings.add(
            routing.PORT_REQUIRED,
            path,
            f"the gateway has {len(protocols)} listeners",
            f"add `port` to the match, one of {shown}",
        )
        return False
    if port is not None and port not in protocols:
        findings.add(
            routing.NO_SUCH_PORT,
            (*path, "port"),
            f"the gateway has no listener on port {port}",
            f"its ports: {shown}",
        )
        return False
    for number, protocol in protocols.items():
        if port in (None, number) and protocol != PROTOCOL_OF_FIELD[field]:
            findings.add(
                routing.PROTOCOL_MISMATCH,
                ("spec", field),
                f"{field} on the {protocol} listener {number} of the gateway",
            )
    return True


def _domain(hostname: HostnameMatch | None) -> Domain:
    if hostname is not None and hostname.exact is not None:
        return Domain(DomainKind.EXACT, hostname.exact.lower())
    if hostname is not None and hostname.suffix is not None:
        return Domain(DomainKind.SUFFIX, hostname.suffix.lower())
    return ANY_HOST


def _match(body: GatewayHttpRoute | GatewayGrpcRoute) -> RequestMatch:
    if isinstance(body, GatewayHttpRoute):
        return http_match(body.match)
    return grpc_match(body.match.service_name, None, body.match.metadata)


def _rewrite(body: GatewayHttpRoute | GatewayGrpcRoute, match: RequestMatch) -> Rewrite:
    """The rewrite in force, with App Mesh's defaults.

    A matched prefix becomes `/` unless said otherwise; exact paths, regexes, hosts alone and
    gRPC keep the path; the host becomes the service's name (user guide, "gateway routes").
    """
    rewrite = body.action.rewrite
    hostname = rewrite.hostname if rewrite else None
    host = hostname is None or hostname.default_target_hostname != "DISABLED"
    if isinstance(body, GatewayGrpcRoute):
        return Rewrite(host)
    http = rewrite if isinstance(rewrite, GatewayHttpRewrite) else None
    if http is not None and http.path is not None and http.path.exact is not None:
        return Rewrite(host, path=http.path.exact)
    if match.path.kind is not PathKind.PREFIX or body.match.prefix is None:
        return Rewrite(host)
    if http is not None and http.prefix is not None:
        if http.prefix.value is not None:
            return Rewrite(host, prefix=http.prefix.value)
        if http.prefix.default_prefix == "DISABLED":
            return Rewrite(host)
    return Rewrite(host, prefix="/")
