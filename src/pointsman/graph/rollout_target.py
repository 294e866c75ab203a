"""Which route a rollout moves, and between which versions: the same for Rollout and Canary.

Where the weights stand is decided here, from manifests alone; when they move is decided in
`rollout`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.resources.key import Key
from pointsman.resources.kinds.base import Reference
from pointsman.resources.kinds.canary import CanarySpec
from pointsman.resources.kinds.gateway_route import GatewayRouteSpec
from pointsman.resources.kinds.rollout import RolloutSpec
from pointsman.resources.kinds.virtual_router import Route, VirtualRouterSpec
from pointsman.resources.origin import FieldPath
from pointsman.resources.resource import Resource
from pointsman.resources.resource_set import ResourceSet

KINDS = ("Canary", "Rollout")
"""Kinds of resources that move weights, in the order in which they are asked."""
_TARGET: FieldPath = ("spec", "targetRef")


@dataclass(frozen=True, slots=True)
class Hold:
    """What a rollout holds.

    Attributes:
        key: the VirtualRouter or GatewayRoute.
        route: name of the router's route; "" for a gateway route.
        stable: the version that serves: a virtual node or a virtual service.
        candidate: the version that is to take over.
    """

    key: Key
    route: str
    stable: Key
    candidate: Key


@dataclass(frozen=True, slots=True)
class NoHold:
    """Why a rollout holds nothing: the field, what is wrong with it, and what to do."""

    path: FieldPath
    message: str
    hint: str = ""


def rollouts_of(resources: ResourceSet) -> Iterator[Resource[Any]]:
    """All rollouts, in the order in which they take routes."""
    for kind in KINDS:
        yield from (resource for _, resource in sorted(resources.of(kind).items()))


def holds_of(resources: ResourceSet) -> Mapping[Key, Hold | NoHold | Key]:
    """What each rollout holds; the key of another rollout where that has the route already."""
    found: dict[Key, Hold | NoHold | Key] = {}
    taken: dict[tuple[Key, str], Key] = {}
    for resource in rollouts_of(resources):
        hold = find_hold(resources, resource)
        if isinstance(hold, Hold):
            owner = taken.setdefault((hold.key, hold.route), resource.key)
            found[resource.key] = hold if owner == resource.key else owner
        else:
            found[resource.key] = hold
    return found


def find_hold(resources: ResourceSet, rollout: Resource[Any]) -> Hold | NoHold:
    """The route of a rollout, or why there is none."""
    spec, home = rollout.spec, rollout.key.namespace
    if isinstance(spec, CanarySpec):
        name = spec.target_ref.name
        router = Key("VirtualRouter", home, spec.service.name or name)
        versions = tuple(Key("VirtualNode", home, f"{name}-{end}") for end in ("primary", "canary"))
        found = _in_router(resources, router, None, *versions, first=True)
        return _able(resources, spec, found)
    assert isinstance(spec, RolloutSpec)
    target = Key(spec.target_ref.kind, home, spec.target_ref.name)
    kind = "VirtualNode" if target.kind == "VirtualRouter" else "VirtualService"
    stable, candidate = (_key(kind, home, ref) for ref in (spec.stable, spec.candidate))
    if target.kind == "VirtualRouter":
        found = _in_router(resources, target, spec.target_ref.route, stable, candidate)
        return _able(resources, spec, found)
    return _at_gateway(resources, target, stable, candidate)


def _key(kind: str, home: str, ref: Reference) -> Key:
    return Key(kind, ref.namespace or home, ref.name)


def _able(
    resources: ResourceSet, spec: RolloutSpec | CanarySpec, hold: Hold | NoHold
) -> Hold | NoHold:
    """The hold, unless more than weights is wanted of a route for TCP."""
    if isinstance(hold, NoHold) or not _is_picky(spec):
        return hold
    router = resources.get(hold.key)
    routes = router.spec.routes if router else ()
    if any(route.name == hold.route and route.tcp_route for route in routes):
        return NoHold(_TARGET, f"route {hold.route} of {hold.key} is for TCP: only weights move")
    return hold


def _is_picky(spec: RolloutSpec | CanarySpec) -> bool:
    """Whether requests are copied or picked."""
    if isinstance(spec, CanarySpec):
        analysis = spec.analysis or spec.canary_analysis
        return analysis is not None and bool(analysis.mirror or analysis.match)
    canary, blue_green = spec.strategy.canary, spec.strategy.blue_green
    warm = blue_green is not None and (blue_green.mirror or blue_green.headers)
    return bool(spec.strategy.ab_test or warm or (canary and canary.mirror))


def _in_router(
    resources: ResourceSet,
    key: Key,
    name: str | None,
    stable: Key,
    candidate: Key,
    *,
    first: bool = False,
) -> Hold | NoHold:
    router = resources.get(key)
    absent = _absent(resources, key, stable, candidate)
    if router is None or absent:
        return absent or NoHold(_TARGET, f"there is no {key}")
    spec: VirtualRouterSpec = router.spec
    names = [route.name for route in spec.routes]
    if name is None and (len(names) == 1 or (first and names)):
        name = names[0]
    if name is None:
        hint = f"name one: {', '.join(names)}" if names else ""
        return NoHold(_TARGET, f"{key} has {len(names)} routes", hint)
    route = next((route for route in spec.routes if route.name == name), None)
    if route is None:
        return NoHold(
            (*_TARGET, "route"), f"{key} has no route {name}", f"it has: {', '.join(names)}"
        )
    others = sorted(str(node) for node in route_nodes(route, key.namespace) - {stable, candidate})
    if others:
        return NoHold(_TARGET, f"route {name} of {key} also leads to {', '.join(others)}")
    return Hold(key, name, stable, candidate)


def route_nodes(route: Route, home: str) -> set[Key]:
    """The virtual nodes a route leads to."""
    body = route.http_route or route.http2_route or route.grpc_route or route.tcp_route
    targets = body.action.weighted_targets if body else ()
    return {
        _key("VirtualNode", home, target.virtual_node_ref)
        for target in targets
        if target.virtual_node_ref is not None
    }


def _at_gateway(resources: ResourceSet, key: Key, stable: Key, candidate: Key) -> Hold | NoHold:
    found = resources.get(key)
    absent = _absent(resources, key, stable, candidate)
    if found is None or absent:
        return absent or NoHold(_TARGET, f"there is no {key}")
    others = sorted(
        str(service)
        for service in gateway_services(found.spec, key.namespace) - {stable, candidate}
    )
    if others:
        return NoHold(_TARGET, f"{key} also leads to {', '.join(others)}")
    return Hold(key, "", stable, candidate)


def gateway_services(spec: GatewayRouteSpec, home: str) -> set[Key]:
    """The virtual services a gateway route leads to."""
    body = spec.http_route or spec.http2_route or spec.grpc_route
    if body is None:
        return set()
    targets = [target.target_ref for target in body.action.weighted_targets]
    if body.action.target is not None:
        targets.append(body.action.target.virtual_service)
    return {
        _key("VirtualService", home, target.virtual_service_ref)
        for target in targets
        if target.virtual_service_ref is not None
    }


def _absent(resources: ResourceSet, *keys: Key) -> NoHold | None:
    for key, field in zip(keys, ("targetRef", "stable", "candidate"), strict=True):
        if resources.get(key) is None:
            return NoHold(("spec", field), f"there is no {key}")
    return None
