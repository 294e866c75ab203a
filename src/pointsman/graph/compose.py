"""Two stages as one: a gateway route and its virtual router's routes in a single table.

App Mesh sent every request through the gateway twice: the gateway route rewrote it, and the
virtual router matched what came out. Here the router's conditions are carried back through the
rewrite, so that one pass decides both. `compose` gives None where no single Envoy route can say
it (a regex of the router behind a rewritten prefix, or behind a regex of the gateway route); the
translation then keeps the second pass.

Paths are normalised when they get here: they have no dot segments, and no double slashes but for
the path `//`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pointsman.graph.model.gateway import GatewayRule
from pointsman.graph.model.match import (
    ANY_PATH,
    HeaderCondition,
    HeaderTest,
    PathCondition,
    PathKind,
    RequestMatch,
)
from pointsman.graph.model.route import Route, Service
from pointsman.graph.paths import eats_slash
from pointsman.graph.request import header_holds, path_holds

_AUTHORITY = (":authority", "host")


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the folded table.

    Attributes:
        match: which requests, before any rewrite.
        path: what the matched prefix or path becomes (Envoy's `prefix_rewrite`); None keeps it.
        route: the router's route that takes them; None where the router has none (404).
    """

    match: RequestMatch
    path: str | None
    route: Route | None


@dataclass(frozen=True, slots=True)
class _Slice:
    """Some of the paths a gateway route matches, and how they are rewritten."""

    path: PathCondition
    rewrite: str | None
    headers: tuple[HeaderCondition, ...] = ()


class _NotExactError(Exception):
    """No single Envoy route matches just these paths."""


def compose(rule: GatewayRule, service: Service) -> tuple[Step, ...] | None:
    """The folded table of a rule and one of its services, or None if it cannot be folded.

    Every request that the rule matches is taken by one of the steps, so nothing falls through to
    the next rule.
    """
    steps: list[Step] = []
    try:
        for route in service.routes:
            conditions = _carry_conditions(rule, service, route.match)
            if conditions is None:
                continue
            slices = tuple(_carry_path(rule, route.match.path))
            steps.extend(_steps(conditions, slices, route))
            if _is_whole(rule, conditions, route.match.path, slices):
                return tuple(steps)
    except _NotExactError:
        return None
    steps.append(Step(rule.match, None, None))
    return tuple(steps)


def tunnels(rule: GatewayRule, service: Service) -> tuple[Step, ...]:
    """The table for CONNECT requests, which have no path: of routes that take every path.

    Like `compose` it takes every such request that the rule matches.
    """
    steps: list[Step] = []
    for route in service.routes:
        if route.match.path != ANY_PATH or any(h.name == ":path" for h in route.match.headers):
            continue
        conditions = _carry_conditions(rule, service, route.match)
        if conditions is not None:
            steps.append(Step(conditions, None, route))
            if conditions == rule.match:
                return tuple(steps)
    return (*steps, Step(rule.match, None, None))


def takes_tunnels(rule: GatewayRule) -> bool:
    """Whether CONNECT requests can match a rule, at a listener that takes them."""
    return rule.match.path == ANY_PATH and all(h.name != ":path" for h in rule.match.headers)


def whole_steps(rule: GatewayRule) -> tuple[Step, ...]:
    """Steps for all requests of a rule, without a look at any router."""
    return tuple(_steps(rule.match, whole(rule), None))


def refused(rule: GatewayRule) -> RequestMatch | None:
    """The requests whose path the rewrite might turn into one with a dot segment, if any can."""
    prefix, value = rule.match.path.value, rule.rewrite.prefix
    if value is None or _keeps_path(rule) or not eats_slash(prefix, value):
        return None
    return replace(rule.match, path=PathCondition(PathKind.PREFIX, f"{prefix}."))


def _steps(match: RequestMatch, slices: tuple[_Slice, ...], route: Route | None) -> Iterator[Step]:
    for part in slices:
        narrowed = replace(match, path=part.path, headers=match.headers + part.headers)
        yield Step(narrowed, part.rewrite, route)


def _is_whole(
    rule: GatewayRule, conditions: RequestMatch, path: PathCondition, slices: tuple[_Slice, ...]
) -> bool:
    """Whether the route takes all that the rule matches, so that later routes are never asked."""
    same = replace(conditions, path=rule.match.path) == rule.match
    return same and (path == ANY_PATH or slices == whole(rule))


def whole(rule: GatewayRule) -> tuple[_Slice, ...]:
    """All paths of a rule with its rewrite."""
    path, change = rule.match.path, rule.rewrite
    if change.path is not None:
        return (_Slice(path, change.path),)
    if _keeps_path(rule):
        return (_Slice(path, None),)
    prefix, value = path.value, str(change.prefix)
    if not eats_slash(prefix, value):
        return (_Slice(path, value),)
    return (
        _Slice(PathCondition(PathKind.PREFIX, prefix + "/"), value),
        _Slice(path, value),
    )


def _keeps_path(rule: GatewayRule) -> bool:
    change, path = rule.rewrite, rule.match.path
    if change.path is not None:
        return False
    if change.prefix is None or path.kind is not PathKind.PREFIX:
        return True
    return change.prefix == path.value and path.value.endswith("/")


def _carry_conditions(
    rule: GatewayRule, service: Service, match: RequestMatch
) -> RequestMatch | None:
    """The rule's conditions and a route's, path aside; None when they exclude each other."""
    own = rule.match
    if match.method is not None and own.method not in (None, match.method):
        return None
    headers = list(own.headers)
    for header in match.headers:
        if header.name == ":path" and not _keeps_path(rule):
            raise _NotExactError
        if header.name in _AUTHORITY and rule.rewrite.host:
            if not header_holds(header, (service.name,)):
                return None
        elif header not in headers:
            headers.append(header)
    queries = own.queries + tuple(query for query in match.queries if query not in own.queries)
    return RequestMatch(
        path=own.path,
        method=match.method or own.method,
        scheme=match.scheme or own.scheme,
        headers=tuple(headers),
        queries=queries,
    )


def _carry_path(rule: GatewayRule, wanted: PathCondition) -> Iterator[_Slice]:
    """The paths of a rule whose rewritten form satisfies a condition."""
    if wanted == ANY_PATH:
        yield from whole(rule)
    elif rule.rewrite.path is not None:
        if path_holds(wanted, rule.rewrite.path):
            yield from whole(rule)
    elif _keeps_path(rule):
        both = _both(rule.match.path, wanted)
        if both is not None:
            yield both
    else:
        yield from _through_prefix(rule.match.path.value, str(rule.rewrite.prefix), wanted, rule)


def _both(first: PathCondition, second: PathCondition) -> _Slice | None:
    """The paths that satisfy two conditions at once, unchanged."""
    if first.kind is PathKind.EXACT:
        return _Slice(first, None) if path_holds(second, first.value) else None
    if second.kind is PathKind.EXACT:
        return _Slice(second, None) if path_holds(first, second.value) else None
    if first.kind is PathKind.PREFIX and second.kind is PathKind.PREFIX:
        longer, shorter = sorted((first, second), key=lambda path: -len(path.value))
        return _Slice(longer, None) if longer.value.startswith(shorter.value) else None
    if first == second:
        return _Slice(first, None)
    if first.kind is PathKind.REGEX and second.kind is PathKind.REGEX:
        raise _NotExactError
    regex, prefix = (first, second) if first.kind is PathKind.REGEX else (second, first)
    if prefix == ANY_PATH:
        return _Slice(regex, None)
    # A prefix of the path is a prefix of `:path`, query and all: matches hold no question mark.
    return _Slice(regex, None, (HeaderCondition(":path", HeaderTest.PREFIX, prefix.value),))


def _through_prefix(
    prefix: str, value: str, wanted: PathCondition, rule: GatewayRule
) -> Iterator[_Slice]:
    """Paths under `prefix` that satisfy a condition once the prefix has become `value`."""
    if wanted.kind is PathKind.REGEX:
        raise _NotExactError
    if wanted.kind is PathKind.PREFIX and value.startswith(wanted.value):
        yield from whole(rule)
        return
    if not wanted.value.startswith(value):
        return
    rest = wanted.value[len(value) :]
    if eats_slash(prefix, value):
        if rest.startswith("/"):
            return  # would need a double slash, and those have been merged
        yield _Slice(PathCondition(wanted.kind, f"{prefix}/{rest}"), wanted.value)
    yield _Slice(PathCondition(wanted.kind, prefix + rest), wanted.value)
