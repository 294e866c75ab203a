"""Graph to Envoy resources, for one node class.

A pure function of (Graph, NodeClass): whatever else might matter has to become part of one of the
two. Its unit is the virtual host. One that has not changed since the previous run is not built
again, and with delta ADS it is not sent again either.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.envoy import names, pb
from pointsman.envoy.bundle import Bundle, bundle
from pointsman.envoy.called import sealed_cluster, sealed_secrets
from pointsman.envoy.clusters import internal_cluster, is_supplied
from pointsman.envoy.config_source import ADS
from pointsman.envoy.extensions import extensions
from pointsman.envoy.filters.order import used_by_rules
from pointsman.envoy.guards import Use
from pointsman.envoy.listeners import (
    inline_routes,
    internal_listener,
    pool_routes,
    public_listener,
    route_specifier,
)
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.oauth_front import front_host, front_uses
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import Sealed
from pointsman.envoy.sidecar import sidecar_resources
from pointsman.envoy.traces import collector_clusters
from pointsman.envoy.virtual_hosts import SecondPass, second_pass_host, virtual_host
from pointsman.graph.effects import overridden
from pointsman.graph.memo import Memo
from pointsman.graph.model.cluster import Cluster
from pointsman.graph.model.gateway import (
    ANY_HOST,
    Gateway,
    GatewayRule,
    Listener,
    VirtualHost,
)
from pointsman.graph.model.graph import Graph
from pointsman.graph.tls import upstream_tls
from pointsman.resources.key import Key


@dataclass(frozen=True, slots=True)
class Host:
    """A translated virtual host.

    Attributes:
        message: `envoy.config.route.v3.VirtualHost`; None where only its sealed form is needed.
        sealed: the same, sealed.
        clusters: every cluster its routes may choose, by name.
        second_passes: what it leaves to the second pass.
        uses: what its routes need of filters.
    """

    message: pb.Message | None
    sealed: Sealed
    clusters: dict[str, Cluster]
    second_passes: tuple[SecondPass, ...]
    uses: frozenset[Use]


def translate(graph: Graph, node_class: NodeClass, memo: Memo | None = None) -> Bundle:
    """Envoy resources of one node class.

    Args:
        graph: what is to be served.
        node_class: whom it is for.
        memo: remembers what was built in the previous run; None builds everything.
    """
    gateway = graph.gateways.get(node_class.owner)
    memo = memo or Memo()
    supplied: dict[str, Cluster] = {}
    if gateway is not None:
        return bundle(_resources(graph, gateway, node_class, memo, supplied), supplied)
    sidecar = graph.sidecars.get(node_class.owner)
    if sidecar is not None:
        return bundle(sidecar_resources(graph, sidecar, node_class, memo, supplied), supplied)
    return Bundle({})


def _resources(
    graph: Graph,
    gateway: Gateway,
    node_class: NodeClass,
    memo: Memo,
    supplied: dict[str, Cluster],
) -> Iterator[Sealed]:
    clusters: dict[str, Cluster] = {}
    used: set[Use] = set()
    for listener in gateway.listeners:
        hosts = _hosts(gateway, listener, node_class, memo)
        for host in hosts:
            clusters.update(host.clusters)
            used |= host.uses
        yield from _tables(gateway, listener, node_class, hosts)
        yield from _passes(gateway, listener, node_class, hosts)
    yield from collector_clusters(gateway)
    yield from extensions(used, graph.consumers, gateway.key, node_class.wire, memo)
    for name, item in clusters.items():
        tls = upstream_tls(gateway.tls, item)
        yield sealed_cluster(name, item, tls, node_class, memo)
        yield from sealed_secrets(tls, (gateway.key,))
        if is_supplied(item, node_class.wire):
            supplied[name] = item


def _hosts(
    gateway: Gateway, listener: Listener, node_class: NodeClass, memo: Memo
) -> tuple[Host, ...]:
    hosts = listener.hosts
    if all(host.domain != ANY_HOST for host in hosts):
        # Envoy waits 15 s for the first virtual host of a table that has none.
        hosts = (*hosts, VirtualHost(ANY_HOST, ()))
    front = front_host(listener)
    return tuple(
        _host(gateway, listener, host, node_class, memo, fronted=host is front) for host in hosts
    )


def _host(
    gateway: Gateway,
    listener: Listener,
    host: VirtualHost,
    node_class: NodeClass,
    memo: Memo,
    *,
    fronted: bool,
) -> Host:
    name = names.virtual_host(names.route_config(listener), host.domain)
    second_pass = names.second_pass_cluster(gateway, listener)

    def build() -> Host:
        table = virtual_host(gateway, listener, host, name, fronted=fronted)
        return Host(
            None if node_class.wire == "delta" else table.message,
            seal(table.message, _keys_of(gateway, host)),
            {names.cluster(item): item for rule in host.rules for item in _clusters_of(rule)},
            table.second_passes,
            used_by_rules(listener, host.rules) | (front_uses(listener) if fronted else set()),
        )

    inputs = (
        host,
        second_pass,
        node_class.wire,
        listener.extras.tunnels,
        listener.guards,
        listener.hygiene,
        listener.front if fronted else None,
    )
    result: Host = memo.get(("host", name), inputs, build)
    return result


def _keys_of(gateway: Gateway, host: VirtualHost) -> tuple[Key, ...]:
    keys = [rule.key for rule in host.rules]
    for rule in host.rules:
        if rule.version is not None:
            keys.append(rule.version.policy)
        if rule.override is not None:
            keys.append(rule.override.policy)
        for target in rule.targets:
            keys.extend(key for route in target.service.routes for key in route.policies)
    return tuple(dict.fromkeys(keys)) or (gateway.key,)


def _clusters_of(rule: GatewayRule) -> Iterator[Cluster]:
    for target in rule.targets:
        for route in target.service.routes:
            for weighted in route.targets:
                yield weighted.cluster
            mirror = overridden(route, rule.override).effects.mirror
            if mirror is not None:
                yield mirror.cluster


def _route_configuration(
    listener: Listener, node_class: NodeClass, hosts: tuple[Host, ...]
) -> pb.Message:
    fields = (
        {"vhds": {"config_source": ADS}}
        if node_class.wire == "delta"
        else {"virtual_hosts": [host.message for host in hosts]}
    )
    return pb.RouteConfiguration(
        name=names.route_config(listener), ignore_port_in_host_matching=True, **fields
    )


def _tables(
    gateway: Gateway, listener: Listener, node_class: NodeClass, hosts: tuple[Host, ...]
) -> Iterator[Sealed]:
    """The listener, its connection pool if it has one, and the routes behind."""
    keys = (gateway.key,)
    yield from sealed_secrets(listener.tls, keys)
    configuration = _route_configuration(listener, node_class, hosts)
    used = _uses(hosts)
    routes = route_specifier(configuration, node_class.wire)
    if node_class.wire != "static":
        yield seal(configuration, keys)
    if node_class.wire == "delta":
        yield from (host.sealed for host in hosts)
    if listener.pool is None:
        yield seal(public_listener(gateway, listener, node_class, routes, used), keys)
        return
    front = inline_routes(pool_routes(gateway, listener))
    inner = names.pool_listener(listener)
    name = names.pool_cluster(gateway, listener)
    yield seal(internal_cluster(name, inner, listener.protocol, listener.pool), keys)
    yield seal(
        internal_listener(gateway, listener, inner, node_class, routes, used, logs=True), keys
    )
    yield seal(public_listener(gateway, listener, node_class, front, ()), keys)


def _passes(
    gateway: Gateway, listener: Listener, node_class: NodeClass, hosts: tuple[Host, ...]
) -> Iterator[Sealed]:
    """The second pass, for what could not be folded into the first."""
    passes = tuple(item for host in hosts for item in host.second_passes)
    if not passes:
        return
    keys = (gateway.key, *(item.rule.key for item in passes))
    configuration = pb.RouteConfiguration(
        name=names.second_pass_routes(listener), virtual_hosts=[second_pass_host(passes)]
    )
    routes = route_specifier(configuration, node_class.wire)
    if node_class.wire != "static":
        yield seal(configuration, keys)
    inner = names.second_pass_listener(listener)
    name = names.second_pass_cluster(gateway, listener)
    yield seal(internal_cluster(name, inner, listener.protocol, None), keys)
    used = _uses(hosts)
    yield seal(
        internal_listener(gateway, listener, inner, node_class, routes, used, logs=False), keys
    )


def _uses(hosts: tuple[Host, ...]) -> frozenset[Use]:
    return frozenset(use for host in hosts for use in host.uses)
