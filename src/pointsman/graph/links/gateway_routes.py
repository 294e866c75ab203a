"""Gateway routes: which requests at which gateway go to which services."""

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.graph.links.context import Context, follow, report_missing
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.matches import grpc_match, http_match
from pointsman.graph.links.membership import Mesh
from pointsman.graph.links.reach import reaches
from pointsman.graph.links.routes import PROTOCOL_OF_FIELD
from pointsman.graph.links.services import link_service, service_ports
from pointsman.graph.model.gateway import (
    ANY_HOST,
    Domain,
    DomainKind,
    GatewayRule,
    Rewrite,
    ServiceTarget,
)
from pointsman.graph.model.match import PathKind, RequestMatch
from pointsman.graph.model.route import Service, unavailable
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
from pointsman.resources.resource import Resource


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """A target block of the manifest: the service it names, its weight and port, and its place."""

    block: VirtualServiceTarget
    weight: int
    port: int | None
    path: FieldPath


Targets = list[tuple[Linked[Service], int]]
"""Services with their weights."""


def link_gateway_route(
    context: Context, route: Resource[GatewayRouteSpec]
) -> Linked[GatewayRule | None]:
    """Links a gateway route; the result is remembered.

    The value is None when the route cannot be attached to a gateway's listener. With an error
    further on, the rule is there but its targets are not: its requests are answered 503 rather
    than fall through to a wider rule that leads elsewhere.
    """
    findings = Findings(route.key)
    mesh = context.membership.mesh_of(route.key, route.spec, findings)
    gateway = context.membership.gateway_of(route, mesh, findings) if mesh else None
    gateway_spec = None
    targets: Targets = []
    if mesh is not None and gateway is not None:
        resource = context.resources.get(gateway)
        gateway_spec = resource.spec if resource else None
        for named in _targets(route.spec):
            targets.append((_service(context, named, mesh, findings), named.weight))
    result: Linked[GatewayRule | None] = context.memo.get(
        route.key,
        (route.spec, gateway, gateway_spec, targets, findings.problems),
        lambda: _link(route, gateway, gateway_spec, targets, findings),
    )
    return result


def body_of(spec: GatewayRouteSpec) -> tuple[str, GatewayHttpRoute | GatewayGrpcRoute]:
    """The one route of the spec, and the field it stands in."""
    if spec.http_route is not None:
        return "httpRoute", spec.http_route
    if spec.http2_route is not None:
        return "http2Route", spec.http2_route
    assert spec.grpc_route is not None
    return "grpcRoute", spec.grpc_route


def _targets(spec: GatewayRouteSpec) -> Iterator[NamedTarget]:
    field, body = body_of(spec)
    path: FieldPath = ("spec", field, "action")
    action = body.action
    if action.target is not None:
        block = action.target.virtual_service
        yield NamedTarget(block, 1, action.target.port, (*path, "target", "virtualService"))
    for index, target in enumerate(action.weighted_targets):
        where = (*path, "weightedTargets", index, "targetRef")
        yield NamedTarget(target.target_ref, target.weight, target.port, where)


def _service(
    context: Context, named: NamedTarget, mesh: Mesh, findings: Findings
) -> Linked[Service]:
    """The service of a target; with an error, one whose requests are answered 503."""
    found = _find_service(context, named, mesh, findings)
    if found is not None:
        return found
    ref, home = named.block.virtual_service_ref, findings.key.namespace
    key = Key(
        "VirtualService", (ref.namespace if ref else None) or home, ref.name if ref else "arn"
    )
    return Linked(Service(key, f"{key.name}.{key.namespace}", None, (unavailable(key, ()),)))


def _find_service(
    context: Context, named: NamedTarget, mesh: Mesh, findings: Findings
) -> Linked[Service] | None:
    key = follow(
        named.block.virtual_service_ref,
        named.block.virtual_service_arn,
        "VirtualService",
        named.path,
        findings,
    )
    if key is None:
        return None
    path = (*named.path, "virtualServiceRef")
    service = context.resources.get(key)
    if service is None:
        report_missing(key, context.resources, path, findings)
        return None
    other = context.membership.mesh_of(key, service.spec, Findings(key))
    if other is not None and other.key != mesh.key:
        findings.add(references.OTHER_MESH, path, f"{key} belongs to mesh {other.key.name}")
        return None
    if not _has_port(service_ports(context, service), key, named, findings):
        return None
    return link_service(context, service, named.port)


def _has_port(ports: tuple[int, ...], service: Key, named: NamedTarget, findings: Findings) -> bool:
    shown = ", ".join(map(str, ports))
    path = named.path[:-1]
    if named.port is None and len(ports) > 1:
        message = f"{service} is provided on {len(ports)} ports"
        findings.add(routing.PORT_REQUIRED, path, message, f"add `port`, one of {shown}")
        return False
    if named.port is not None and ports and named.port not in ports:
        message = f"{service} is not provided on port {named.port}"
        findings.add(routing.NO_SUCH_PORT, (*path, "port"), message, f"its ports: {shown}")
        return False
    return True


def _link(
    route: Resource[GatewayRouteSpec],
    gateway: Key | None,
    gateway_spec: VirtualGatewaySpec | None,
    targets: Targets,
    findings: Findings,
) -> Linked[GatewayRule | None]:
    if gateway is None or gateway_spec is None:
        return linked(None, findings.problems)
    field, body = body_of(route.spec)
    if not _attaches(gateway_spec, field, body, findings):
        return linked(None, findings.problems)
    match = _match(body)
    services = tuple(ServiceTarget(service.value, weight) for service, weight in targets)
    path: FieldPath = ("spec", field, "action")
    if services and not any(target.weight for target in services):
        findings.add(
            routing.NO_WEIGHT,
            (*path, "weightedTargets"),
            "all weights are 0: requests are answered 503",
        )
    rewrite = _rewrite(body, match)
    for target, named in zip(services, _targets(route.spec), strict=True):
        _check_service(target.service, match, rewrite, (field, named), findings)
    rule = GatewayRule(
        key=route.key,
        gateway=gateway,
        port=body.match.port,
        domain=_domain(body.match.hostname),
        match=match,
        targets=services,
        rewrite=rewrite,
        priority=route.spec.priority,
    )
    return linked(rule, findings.problems, *(service for service, _ in targets))


def _check_service(
    service: Service,
    match: RequestMatch,
    rewrite: Rewrite,
    named: tuple[str, NamedTarget],
    findings: Findings,
) -> None:
    field, target = named
    if not reaches(match, rewrite, service):
        message = f"no route of {service.router or service.key} can match what is left"
        hint = "compare its paths and methods with the rewritten request"
        findings.add(routing.NO_ROUTE_LEFT, target.path, message, hint)
    for route in service.routes if service.router is None else ():
        for weighted in route.targets:
            cluster = weighted.cluster
            if cluster.protocol != PROTOCOL_OF_FIELD[field]:
                message = f"{cluster.node} speaks {cluster.protocol} on port {cluster.port}"
                findings.add(routing.PROTOCOL_MISMATCH, target.path, message)


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
