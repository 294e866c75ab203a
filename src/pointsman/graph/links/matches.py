"""Match blocks of manifests as conditions."""

from collections.abc import Iterable

from pointsman.graph.model.match import (
    ANY_PATH,
    HeaderCondition,
    HeaderTest,
    PathCondition,
    PathKind,
    QueryCondition,
    RequestMatch,
)
from pointsman.resources.kinds import gateway_route, matching, virtual_router


def http_match(match: gateway_route.GatewayHttpMatch | virtual_router.HttpMatch) -> RequestMatch:
    """Conditions of an HTTP match block; hosts and ports are not among them."""
    return RequestMatch(
        path=_path(match.prefix, match.path),
        method=match.method,
        scheme=match.scheme if isinstance(match, virtual_router.HttpMatch) else None,
        headers=conditions(match.headers),
        queries=tuple(
            QueryCondition(query.name, query.match.exact if query.match else None)
            for query in match.query_parameters
        ),
    )


def grpc_match(
    service: str | None, method: str | None, metadata: Iterable[matching.HeaderMatch]
) -> RequestMatch:
    """Conditions of a gRPC match block: a method is the path `/service/method`."""
    path = ANY_PATH
    if service is not None and method is not None:
        path = PathCondition(PathKind.EXACT, f"/{service}/{method}")
    elif service is not None:
        path = PathCondition(PathKind.PREFIX, f"/{service}/")
    return RequestMatch(path=path, headers=conditions(metadata))


def _path(prefix: str | None, path: matching.PathMatch | None) -> PathCondition:
    if path is not None and path.exact is not None:
        return PathCondition(PathKind.EXACT, path.exact)
    if path is not None and path.regex is not None:
        return PathCondition(PathKind.REGEX, path.regex)
    return ANY_PATH if prefix is None else PathCondition(PathKind.PREFIX, prefix)


def conditions(matches: Iterable[matching.HeaderMatch]) -> tuple[HeaderCondition, ...]:
    """Conditions on headers, or on metadata."""
    return tuple(_header(match) for match in matches)


def _header(header: matching.HeaderMatch) -> HeaderCondition:
    name, match, invert = header.name.lower(), header.match, header.invert
    if match is not None:
        if match.range is not None:
            start, end = match.range.start, match.range.end
            return HeaderCondition(name, HeaderTest.RANGE, "", start, end, invert)
        for test in (HeaderTest.EXACT, HeaderTest.PREFIX, HeaderTest.SUFFIX, HeaderTest.REGEX):
            value = getattr(match, test.value)
            if value is not None:
                return HeaderCondition(name, test, value, invert=invert)
    return HeaderCondition(name, HeaderTest.PRESENT, invert=invert)
