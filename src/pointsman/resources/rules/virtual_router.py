"""Rules of VirtualRouter and its routes."""

from collections.abc import Iterator

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.virtual_router import (
    GrpcMatch,
    HttpMatch,
    Route,
    RouteAction,
    VirtualRouterSpec,
)
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules import matching
from pointsman.resources.rules.common import SPEC, aws_name, one_of, unique
from pointsman.resources.words import listed


def check(resource: Resource[VirtualRouterSpec]) -> Iterator[Problem]:
    """At least one listener, and all that `check_routes` asks for."""
    if not resource.spec.listeners:
        message = "spec.listeners needs at least one entry"
        hint = "listeners: [{portMapping: {port: 8080, protocol: http}}]"
        yield Problem(codes.MISSING_FIELD, message, hint, resource.key, (*SPEC, "listeners"))
    yield from check_routes(resource)


def check_routes(resource: Resource[VirtualRouterSpec]) -> Iterator[Problem]:
    """Listeners and routes with unique names, and routes that are valid."""
    key, spec = resource.key, resource.spec
    yield from aws_name(key, spec.aws_name)
    ports = [listener.port_mapping.port for listener in spec.listeners]
    yield from unique(key, (*SPEC, "listeners"), ("portMapping", "port"), ports, "port")
    names = (route.name for route in spec.routes)
    yield from unique(key, (*SPEC, "routes"), ("name",), names, "name")
    for index, route in enumerate(spec.routes):
        yield from _route(key, (*SPEC, "routes", index), route, ports)


def _route(key: Key, path: FieldPath, route: Route, ports: list[int]) -> Iterator[Problem]:
    kinds = {
        "httpRoute": route.http_route,
        "http2Route": route.http2_route,
        "grpcRoute": route.grpc_route,
        "tcpRoute": route.tcp_route,
    }
    yield from one_of(key, path, kinds)
    for name, body in kinds.items():
        if body is None:
            continue
        where: FieldPath = (*path, name)
        if isinstance(body.match, HttpMatch):
            yield from _http(key, (*where, "match"), body.match)
        elif isinstance(body.match, GrpcMatch):
            yield from _grpc(key, (*where, "match"), body.match)
        yield from _port(key, where, body.match.port if body.match else None, ports)
        yield from _action(key, (*where, "action"), body.action)


def _http(key: Key, path: FieldPath, match: HttpMatch) -> Iterator[Problem]:
    yield from one_of(key, path, {"prefix": match.prefix, "path": match.path})
    yield from matching.literal_path(key, (*path, "prefix"), match.prefix)
    yield from matching.path_match(key, (*path, "path"), match.path)
    yield from matching.method(key, (*path, "method"), match.method)
    yield from matching.headers(key, (*path, "headers"), match.headers)
    yield from matching.query_parameters(key, (*path, "queryParameters"), match.query_parameters)


def _grpc(key: Key, path: FieldPath, match: GrpcMatch) -> Iterator[Problem]:
    if match.method_name is not None and match.service_name is None:
        message = f"{show_path(path)}.methodName needs serviceName beside it"
        yield Problem(codes.DEPENDENT_FIELD, message, "", key, (*path, "methodName"))
    yield from matching.grpc_name(key, (*path, "serviceName"), match.service_name)
    yield from matching.grpc_name(key, (*path, "methodName"), match.method_name)
    yield from matching.headers(key, (*path, "metadata"), match.metadata)


def _port(key: Key, path: FieldPath, port: int | None, ports: list[int]) -> Iterator[Problem]:
    if not ports:
        return
    where: FieldPath = (*path, "match", "port")
    if port is None and len(ports) > 1:
        message = f"{show_path(where)} is missing; the router has several listeners"
        hint = f"its ports are {listed(map(str, ports), 'and')}"
        yield Problem(codes.BAD_PORT, message, hint, key, where)
    elif port is not None and port not in ports:
        message = f"{show_path(where)} is {port}, which is not a listener of the router"
        hint = f"its ports are {listed(map(str, ports), 'and')}"
        yield Problem(codes.BAD_PORT, message, hint, key, where)


def _action(key: Key, path: FieldPath, action: RouteAction) -> Iterator[Problem]:
    for index, target in enumerate(action.weighted_targets):
        names = {
            "virtualNodeRef": target.virtual_node_ref,
            "virtualNodeARN": target.virtual_node_arn,
        }
        yield from one_of(key, (*path, "weightedTargets", index), names)
