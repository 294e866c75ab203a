"""Rules of GatewayRoute."""

from collections.abc import Iterator

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.gateway_route import (
    GatewayGrpcAction,
    GatewayGrpcMatch,
    GatewayHttpAction,
    GatewayHttpMatch,
    GatewayHttpRewrite,
    GatewayHttpRoute,
    GatewayRouteSpec,
    HostnameMatch,
    PrefixRewrite,
    VirtualServiceTarget,
)
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules import matching
from pointsman.resources.rules.common import SPEC, aws_name, host, one_of
from pointsman.resources.words import shown


def check(resource: Resource[GatewayRouteSpec]) -> Iterator[Problem]:
    """One kind of route, with match, target and rewrite that fit together."""
    key, spec = resource.key, resource.spec
    yield from aws_name(key, spec.aws_name)
    routes = {
        "httpRoute": spec.http_route,
        "http2Route": spec.http2_route,
        "grpcRoute": spec.grpc_route,
    }
    yield from one_of(key, SPEC, routes)
    for name in ("httpRoute", "http2Route"):
        route = routes[name]
        if isinstance(route, GatewayHttpRoute):
            yield from _http(key, (*SPEC, name), route)
    if spec.grpc_route is not None:
        where: FieldPath = (*SPEC, "grpcRoute")
        yield from _grpc_match(key, (*where, "match"), spec.grpc_route.match)
        yield from _targets(key, (*where, "action"), spec.grpc_route.action)


def _http(key: Key, path: FieldPath, route: GatewayHttpRoute) -> Iterator[Problem]:
    yield from _http_match(key, (*path, "match"), route.match)
    yield from _targets(key, (*path, "action"), route.action)
    if route.action.rewrite is not None:
        yield from _rewrite(key, (*path, "action", "rewrite"), route.action.rewrite, route.match)


def _http_match(key: Key, path: FieldPath, match: GatewayHttpMatch) -> Iterator[Problem]:
    needed = match.hostname is None
    if needed and match.prefix is None and match.path is None:
        message = f"{show_path(path)} needs one of prefix, path and hostname"
        yield Problem(codes.ONE_OF, message, "prefix: / matches every path", key, path)
    paths = {"prefix": match.prefix, "path": match.path}
    yield from one_of(key, path, paths, needed=False)
    yield from matching.literal_path(key, (*path, "prefix"), match.prefix)
    yield from matching.path_match(key, (*path, "path"), match.path)
    yield from _hostname(key, (*path, "hostname"), match.hostname)
    yield from matching.method(key, (*path, "method"), match.method)
    yield from matching.headers(key, (*path, "headers"), match.headers)
    yield from matching.query_parameters(key, (*path, "queryParameters"), match.query_parameters)


def _grpc_match(key: Key, path: FieldPath, match: GatewayGrpcMatch) -> Iterator[Problem]:
    if match.service_name is None and match.hostname is None:
        message = f"{show_path(path)} needs serviceName or hostname"
        yield Problem(codes.ONE_OF, message, "", key, path)
    yield from matching.grpc_name(key, (*path, "serviceName"), match.service_name)
    yield from _hostname(key, (*path, "hostname"), match.hostname)
    yield from matching.headers(key, (*path, "metadata"), match.metadata)


def _hostname(key: Key, path: FieldPath, match: HostnameMatch | None) -> Iterator[Problem]:
    if match is None:
        return
    yield from one_of(key, path, {"exact": match.exact, "suffix": match.suffix})
    if match.exact is not None:
        yield from host(key, (*path, "exact"), match.exact)
    if match.suffix is not None:
        yield from host(key, (*path, "suffix"), match.suffix, ending=True)
    for field, name in (("exact", match.exact), ("suffix", match.suffix)):
        if name is not None and name.endswith("."):
            where: FieldPath = (*path, field)
            message = f"{show_path(where)} is {shown(name)}; only hosts sent with the dot match"
            hint = f"write {name.rstrip('.')}" if name.rstrip(".") else ""
            yield Problem(codes.DOTTED_HOST, message, hint, key, where)


def _targets(
    key: Key, path: FieldPath, action: GatewayHttpAction | GatewayGrpcAction
) -> Iterator[Problem]:
    weighted = action.weighted_targets or None
    if weighted is None and action.target is None:
        message = f"{show_path(path)}.target is missing"
        hint = "target: {virtualService: {virtualServiceRef: {name: NAME}}}"
        yield Problem(codes.MISSING_FIELD, message, hint, key, path)
    both = {"target": action.target, "weightedTargets": weighted}
    yield from one_of(key, path, both, needed=False)
    if action.target is not None:
        where: FieldPath = (*path, "target", "virtualService")
        yield from _service(key, where, action.target.virtual_service)
    for index, target in enumerate(action.weighted_targets):
        where = (*path, "weightedTargets", index, "targetRef")
        yield from _service(key, where, target.target_ref)


def _service(key: Key, path: FieldPath, target: VirtualServiceTarget) -> Iterator[Problem]:
    names = {
        "virtualServiceRef": target.virtual_service_ref,
        "virtualServiceARN": target.virtual_service_arn,
    }
    yield from one_of(key, path, names)


def _rewrite(
    key: Key, path: FieldPath, rewrite: GatewayHttpRewrite, match: GatewayHttpMatch
) -> Iterator[Problem]:
    both = {"prefix": rewrite.prefix, "path": rewrite.path}
    yield from one_of(key, path, both, needed=False)
    if rewrite.prefix is not None:
        yield from _prefix_rewrite(key, (*path, "prefix"), rewrite.prefix, match)
    if rewrite.path is not None:
        where: FieldPath = (*path, "path")
        yield from one_of(key, where, {"exact": rewrite.path.exact})
        if match.path is None:
            message = f"{show_path(where)} needs match.path"
            hint = "with match.prefix, write rewrite.prefix"
            yield Problem(codes.BAD_REWRITE, message, hint, key, where)
        new = rewrite.path.exact
        if new is not None and (not new.startswith("/") or "?" in new or "#" in new):
            message = (
                f"{show_path(where)}.exact is {shown(new)}; it must be a path that begins with /"
            )
            yield Problem(codes.BAD_REWRITE, message, "", key, (*where, "exact"))


def _prefix_rewrite(
    key: Key, path: FieldPath, rewrite: PrefixRewrite, match: GatewayHttpMatch
) -> Iterator[Problem]:
    both = {"defaultPrefix": rewrite.default_prefix, "value": rewrite.value}
    yield from one_of(key, path, both)
    if match.path is not None or (rewrite.value is not None and match.prefix is None):
        message = f"{show_path(path)} needs match.prefix"
        hint = "with match.path, write rewrite.path" if match.path else "prefix: / matches all"
        yield Problem(codes.BAD_REWRITE, message, hint, key, path)
    value = rewrite.value
    if value is None:
        return
    if not (value.startswith("/") and value.endswith("/")) or "?" in value or "#" in value:
        message = f"{show_path(path)}.value is {shown(value)}; it must begin and end with /"
        hint = f"write /{value.strip('/')}/" if value.strip("/") else "write /"
        yield Problem(codes.BAD_REWRITE, message, hint, key, (*path, "value"))
