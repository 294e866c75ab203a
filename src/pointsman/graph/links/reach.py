"""Whether any request that a gateway route takes can match a route of its service.

Only what is certain is said: a path that might match counts as one that does.
"""

from pointsman.graph.model.gateway import Rewrite
from pointsman.graph.model.match import PathCondition, PathKind, RequestMatch
from pointsman.graph.model.route import Service
from pointsman.graph.request import path_holds


def reaches(match: RequestMatch, rewrite: Rewrite, service: Service) -> bool:
    """Whether some request may match both, or the service has no routes at all."""
    path = _rewritten(match.path, rewrite)
    return not service.routes or any(
        _overlap(path, route.match.path) and _agree(match.method, route.match.method)
        for route in service.routes
    )


def _rewritten(path: PathCondition, rewrite: Rewrite) -> PathCondition:
    if rewrite.path is not None:
        return PathCondition(PathKind.EXACT, rewrite.path)
    if rewrite.prefix is not None:
        return PathCondition(PathKind.PREFIX, rewrite.prefix)
    return path


def _overlap(one: PathCondition, other: PathCondition) -> bool:
    if one.kind is PathKind.EXACT:
        return path_holds(other, one.value)
    if other.kind is PathKind.EXACT:
        return path_holds(one, other.value)
    if one.kind is PathKind.PREFIX and other.kind is PathKind.PREFIX:
        return one.value.startswith(other.value) or other.value.startswith(one.value)
    return True


def _agree(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other
