"""The manifest with a rollout's split in it: the one thing a rollout does.

Each function takes what was written and gives what is in force instead. Files are not touched;
without the rollout, or without this module, what was written is what counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pointsman.graph.rollout_target import Hold
from pointsman.resources.key import Key
from pointsman.resources.kinds.base import Reference
from pointsman.resources.kinds.gateway_route import (
    GatewayRouteSpec,
    GatewayRouteTarget,
    VirtualServiceTarget,
    WeightedServiceTarget,
)
from pointsman.resources.kinds.matching import HeaderMatch
from pointsman.resources.kinds.route_policy import Cohort, Mirror, RoutePolicySpec
from pointsman.resources.kinds.targets import TargetRef
from pointsman.resources.kinds.virtual_router import Route, VirtualRouterSpec, WeightedTarget
from pointsman.resources.resource import Resource
from pointsman.resources.resource_set import ResourceSet

_BODIES: Final = ("http_route", "http2_route", "grpc_route", "tcp_route")


@dataclass(frozen=True, slots=True)
class Split:
    """Where requests go.

    Attributes:
        weight: the candidate's share, in percent; the stable version has the rest.
        mirror: percent of the requests that are copied to the candidate.
        headers: requests with these go to the candidate, whatever the weights.
        cohort: what keeps requests with one of the two; None for nothing.
    """

    weight: int = 0
    mirror: int = 0
    headers: tuple[HeaderMatch, ...] = ()
    cohort: Cohort | None = None


def overlaid(resources: ResourceSet, splits: Mapping[Key, tuple[Hold, Split]]) -> ResourceSet:
    """The resources with the splits of all rollouts in them.

    Args:
        resources: what was written.
        splits: what each rollout holds, and how it is split, by the rollout's key.
    """
    made: dict[Key, Resource[Any]] = {}
    for rollout, (hold, split) in splits.items():
        made.update((r.key, r) for r in _changed(resources, made, rollout, hold, split))
    if not made:
        return resources
    by_kind = {kind: dict(found) for kind, found in resources.by_kind.items()}
    for key, resource in made.items():
        by_kind.setdefault(key.kind, {})[key] = resource
    return replace(resources, by_kind=by_kind)


def _changed(
    resources: ResourceSet,
    made: Mapping[Key, Resource[Any]],
    rollout: Key,
    hold: Hold,
    split: Split,
) -> Iterator[Resource[Any]]:
    found = made.get(hold.key) or resources.get(hold.key)
    assert found is not None, "a hold is of something that is there"
    if hold.key.kind == "GatewayRoute":
        yield replace(found, spec=split_gateway_route(found.spec, hold, split))
        return
    yield replace(found, spec=split_router(found.spec, hold, split))
    said = _said(hold, split, found)
    if said:
        yield from _policy(resources, rollout, hold, said, found)


def split_router(spec: VirtualRouterSpec, hold: Hold, split: Split) -> VirtualRouterSpec:
    """A router whose route has the weights of a split, and a route for its headers."""
    routes: list[Route] = []
    for route in spec.routes:
        if route.name != hold.route:
            routes.append(route)
            continue
        if split.headers:
            routes.append(_picked(route, hold, split.headers))
        routes.append(_weighted(route, hold, split.weight))
    return replace(spec, routes=tuple(routes))


def _weighted(route: Route, hold: Hold, weight: int) -> Route:
    name, body = _body(route)
    targets = body.action.weighted_targets
    action = replace(
        body.action,
        weighted_targets=(
            _target(targets, hold, hold.stable, 100 - weight),
            _target(targets, hold, hold.candidate, weight),
        ),
    )
    return replace(route, **{name: replace(body, action=action)})


def _picked(route: Route, hold: Hold, headers: tuple[HeaderMatch, ...]) -> Route:
    """The route once more for requests with the headers; more conditions are tried first."""
    name, body = _body(route)
    field = "metadata" if name == "grpc_route" else "headers"
    match = replace(body.match, **{field: (*getattr(body.match, field), *headers)})
    targets = body.action.weighted_targets
    action = replace(body.action, weighted_targets=(_target(targets, hold, hold.candidate, 100),))
    body = replace(body, match=match, action=action)
    return replace(route, name=f"{route.name}-candidate"[:255], **{name: body})


def _body(route: Route) -> tuple[str, Any]:
    return next((name, body) for name in _BODIES if (body := getattr(route, name)) is not None)


def _target(
    targets: tuple[WeightedTarget, ...], hold: Hold, node: Key, weight: int
) -> WeightedTarget:
    """The written target of a node with another weight; a new one where there is none."""
    ref = Reference(name=node.name, namespace=node.namespace)
    for target in targets:
        found = target.virtual_node_ref
        if found and (found.namespace or hold.key.namespace, found.name) == node[1:]:
            return replace(target, virtual_node_ref=ref, weight=weight)
    return WeightedTarget(virtual_node_ref=ref, weight=weight)


def split_gateway_route(spec: GatewayRouteSpec, hold: Hold, split: Split) -> GatewayRouteSpec:
    """A gateway route with the weights of a split."""
    name, body = next(
        (name, body) for name in _BODIES[:3] if (body := getattr(spec, name)) is not None
    )
    targets = (
        _service_target(body.action, hold, hold.stable, 100 - split.weight),
        _service_target(body.action, hold, hold.candidate, split.weight),
    )
    action = replace(body.action, target=None, weighted_targets=targets)
    return replace(spec, **{name: replace(body, action=action)})


def _service_target(action: Any, hold: Hold, service: Key, weight: int) -> WeightedServiceTarget:
    ref = Reference(name=service.name, namespace=service.namespace)
    written = [(target.target_ref, target.port) for target in action.weighted_targets]
    only: GatewayRouteTarget | None = action.target
    if only is not None:
        written.append((only.virtual_service, only.port))
    port = None
    for target, its_port in written:
        found = target.virtual_service_ref
        if found and (found.namespace or hold.key.namespace, found.name) == service[1:]:
            port = its_port
    target_ref = VirtualServiceTarget(virtual_service_ref=ref)
    return WeightedServiceTarget(target_ref=target_ref, weight=weight, port=port)


def _said(hold: Hold, split: Split, router: Resource[Any]) -> dict[str, Any]:
    """What a policy of the route has to say for a split, by fields of its spec."""
    said: dict[str, Any] = {}
    if split.mirror:
        route = next(route for route in router.spec.routes if route.name == hold.route)
        port = _target(_body(route)[1].action.weighted_targets, hold, hold.candidate, 0).port
        node = Reference(name=hold.candidate.name, namespace=hold.candidate.namespace)
        said["mirror"] = Mirror(virtual_node_ref=node, port=port, percent=split.mirror)
    if split.cohort is not None:
        said["cohort"] = split.cohort
    return said


def _policy(
    resources: ResourceSet,
    rollout: Key,
    hold: Hold,
    said: Mapping[str, Any],
    router: Resource[Any],
) -> Iterator[Resource[RoutePolicySpec]]:
    """A policy of the route that says so, with all that its present policy says."""
    here = TargetRef(
        kind=hold.key.kind,
        name=hold.key.name,
        namespace=hold.key.namespace,
        section_name=hold.route,
    )
    written = _policy_of(resources, hold)
    # Before all others in order of names, so that of several for one route it is the one.
    key = Key("RoutePolicy", hold.key.namespace, f"0-rollout-{rollout.name}")
    if written is None:
        yield Resource(key, {}, RoutePolicySpec(target_refs=(here,), **said), router.origin)
        return
    spec = replace(written.spec, target_refs=(here,), **said)
    others = tuple(ref for ref in written.spec.target_refs if not _is_of(ref, written.key, hold))
    if not others:
        yield replace(written, spec=spec)
        return
    yield replace(written, spec=replace(written.spec, target_refs=others))
    yield Resource(key, {}, spec, written.origin)


def _is_of(ref: TargetRef, policy: Key, hold: Hold) -> bool:
    """Whether a policy is attached to the route itself."""
    return ref.key(policy.namespace) == hold.key and ref.section_name == hold.route


def _policy_of(resources: ResourceSet, hold: Hold) -> Resource[RoutePolicySpec] | None:
    """The most specific policy at the route, its router, or the services that it provides."""
    best: dict[int, Resource[RoutePolicySpec]] = {}
    services = _services(resources, hold.key)
    for _, policy in sorted(resources.of("RoutePolicy").items()):
        for ref in policy.spec.target_refs:
            key = ref.key(policy.key.namespace)
            if _is_of(ref, policy.key, hold):
                best.setdefault(0, policy)
            elif key == hold.key and ref.section_name is None:
                best.setdefault(1, policy)
            elif key in services:
                best.setdefault(2, policy)
    return best[min(best)] if best else None


def _services(resources: ResourceSet, router: Key) -> set[Key]:
    found: set[Key] = set()
    for key, service in resources.of("VirtualService").items():
        provider = service.spec.provider
        ref = provider and provider.virtual_router and provider.virtual_router.virtual_router_ref
        if ref and (ref.namespace or key.namespace, ref.name) == router[1:]:
            found.add(key)
    return found
