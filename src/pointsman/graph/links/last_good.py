"""Rules kept from before, beside those of now: one cluster for every name.

A last good rule holds its clusters as they were. Envoy knows clusters by name only, so where a
rule of now has the same name, the older cluster gives way.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import replace

from pointsman.graph.links.clusters import unknown_cluster
from pointsman.graph.model.cluster import Cluster
from pointsman.graph.model.effects import Effects
from pointsman.graph.model.gateway import GatewayRule
from pointsman.graph.model.route import Route, Service
from pointsman.graph.model.sidecar import TcpBackend
from pointsman.resources.key import Key

Change = Callable[[Cluster], Cluster]
_Name = tuple[str, str, str, int]


def settle(rules: Mapping[Key, GatewayRule], kept: Set[Key]) -> dict[Key, GatewayRule]:
    """The rules, with the clusters of those kept from before brought up to date.

    A cluster of the same virtual node becomes what it is now. One whose name meanwhile belongs
    to another virtual node can no longer be called: its requests are answered 503.

    Args:
        rules: all rules.
        kept: keys of those that are from before.
    """
    if not kept:
        return dict(rules)
    current: dict[_Name, Cluster] = {}
    for key, rule in rules.items():
        if key not in kept:
            current.update((_name(cluster), cluster) for cluster in _clusters(rule))

    def now(cluster: Cluster) -> Cluster:
        found = current.setdefault(_name(cluster), cluster)
        if found.node == cluster.node:
            return found
        return unknown_cluster(cluster.mesh, cluster.node)

    return {key: _changed(rule, now) if key in kept else rule for key, rule in rules.items()}


def up_to_date(service: Service | TcpBackend, change: Change) -> Service | TcpBackend:
    """A service of the previous run with its clusters as they are now."""
    if isinstance(service, TcpBackend):
        targets = tuple(replace(item, cluster=change(item.cluster)) for item in service.targets)
        return replace(service, targets=targets)
    routes = tuple(_changed_route(route, change) for route in service.routes)
    return replace(service, routes=routes)


def _name(cluster: Cluster) -> _Name:
    return cluster.mesh, cluster.node_name, cluster.protocol, cluster.port


def _clusters(rule: GatewayRule) -> Iterator[Cluster]:
    for target in rule.targets:
        for route in target.service.routes:
            for weighted in route.targets:
                yield weighted.cluster
            if route.effects.mirror is not None:
                yield route.effects.mirror.cluster
    if rule.override is not None and rule.override.effects.mirror is not None:
        yield rule.override.effects.mirror.cluster


def _changed(rule: GatewayRule, change: Change) -> GatewayRule:
    if all(change(cluster) == cluster for cluster in _clusters(rule)):
        return rule
    targets = tuple(
        replace(
            target,
            service=replace(
                target.service,
                routes=tuple(_changed_route(route, change) for route in target.service.routes),
            ),
        )
        for target in rule.targets
    )
    override = rule.override
    if override is not None:
        override = replace(override, effects=_changed_effects(override.effects, change))
    return replace(rule, targets=targets, override=override)


def _changed_route(route: Route, change: Change) -> Route:
    targets = tuple(replace(item, cluster=change(item.cluster)) for item in route.targets)
    return replace(route, targets=targets, effects=_changed_effects(route.effects, change))


def _changed_effects(effects: Effects, change: Change) -> Effects:
    mirror = effects.mirror
    if mirror is None:
        return effects
    return replace(effects, mirror=replace(mirror, cluster=change(mirror.cluster)))
