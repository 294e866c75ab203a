"""Which guards stand before a thing: those of the policies attached to it.

Targets are asked one stage at a time, because what is nearest is decided where stages meet: a
route and its router and service here, a gateway route there, a listener and its gateway beyond.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from pointsman.graph.links import access_policy, rate_limit_policy
from pointsman.graph.links.context import Context
from pointsman.graph.links.linked import Linked, linked
from pointsman.graph.links.policies import Attached, Target
from pointsman.graph.model.guards import NO_GUARDS, Guards
from pointsman.graph.model.route import Route
from pointsman.resources.key import Key

T = TypeVar("T")

_NONE: Linked[Guards] = Linked(NO_GUARDS)
_KINDS = (access_policy.KIND, rate_limit_policy.KIND)


def link_guards(context: Context, *targets: Target) -> Linked[Guards]:
    """The guards of one stage, from the most to the least specific target."""
    if not any(context.policies.by_kind.get(kind) for kind in _KINDS):
        return _NONE
    access = _slot(context, access_policy.KIND, targets, access_policy.link_access)
    limits = _slot(context, rate_limit_policy.KIND, targets, rate_limit_policy.link_limits)
    if access is None and limits is None:
        return _NONE

    def build() -> Linked[Guards]:
        guards = Guards(access.value if access else None, limits.value if limits else None)
        return linked(guards, [], *(slot for slot in (access, limits) if slot is not None))

    result: Linked[Guards] = context.memo.get(("guards", targets), (access, limits), build)
    return result


def listener_guards(context: Context, owner: Key, port: int) -> Linked[Guards]:
    """Those of a listener, or else of its gateway or node."""
    return link_guards(context, Target(owner, str(port)), Target(owner))


def with_guards(
    context: Context, service: Key, router: Key | None, port: int | None, routes: tuple[Route, ...]
) -> tuple[tuple[Route, ...], list[Linked[Any]]]:
    """A service's routes with the guards before each, and the policies they are from."""
    found = tuple(_guards_of(context, service, router, route) for route in routes)
    if all(item is _NONE for item in found):
        return routes, []

    def build() -> tuple[Route, ...]:
        pairs = zip(routes, found, strict=True)
        return tuple(replace(route, guards=item.value) for route, item in pairs)

    guarded = context.memo.get(("guarded", service, port), (routes, found), build)
    return guarded, [item for item in found if item is not _NONE]


def _guards_of(context: Context, service: Key, router: Key | None, route: Route) -> Linked[Guards]:
    if router is None:
        return link_guards(context, Target(service))
    return link_guards(context, Target(router, route.name), Target(router), Target(service))


def _slot(
    context: Context,
    kind: str,
    targets: Iterable[Target],
    link: Callable[[Context, Attached], Linked[T]],
) -> Linked[T] | None:
    effective = context.policies.effective(kind, targets)
    return link(context, effective.origins[0]) if effective else None
