"""Which objects the names in records of requests mean: Envoy's names, back to manifests."""

from collections.abc import Iterator
from functools import cached_property

from pointsman.envoy import names
from pointsman.graph.model.cluster import WeightedCluster
from pointsman.graph.model.gateway import Gateway, GatewayRule
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.route import Route
from pointsman.graph.model.sidecar import Sidecar
from pointsman.resources.key import Key
from pointsman.xds.node_id import Directory


class Named:
    """The names that a graph gives rise to.

    Args:
        graph: what is served.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def proxy(self, node_id: str) -> Gateway | Sidecar | None:
        """Whose proxy has a node id."""
        return self._directory.find(node_id)

    def node(self, cluster: str) -> Key | None:
        """The virtual node a cluster leads to."""
        return self._nodes.get(cluster) or self._nodes.get(names.without_way(cluster))

    def rule(self, route: str) -> GatewayRule | None:
        """The gateway route that a route of Envoy was made from."""
        return self._rules.get(route)

    def route(self, route: str) -> Route | None:
        """The route of a router, or of a service without one, that it was made from."""
        return self._routes.get(route)

    @cached_property
    def _directory(self) -> Directory[Gateway | Sidecar]:
        return Directory(self._graph.proxies.values())

    @cached_property
    def _nodes(self) -> dict[str, Key]:
        found = {names.cluster(item.cluster): item.cluster.node for item in self._targets()}
        for key, sidecar in self._graph.sidecars.items():
            for listener in sidecar.ingress:
                found[names.ingress_cluster(sidecar, listener)] = key
        return found

    def _targets(self) -> Iterator[WeightedCluster]:
        for proxy in self._graph.proxies.values():
            for service in proxy.services:
                for route in service.routes:
                    yield from route.targets
            if isinstance(proxy, Sidecar):
                for backend in proxy.tcp_backends:
                    yield from backend.targets

    @cached_property
    def _rules(self) -> dict[str, GatewayRule]:
        return {name: rule for rule in self._graph.rules for name in names.routes(rule)}

    @cached_property
    def _routes(self) -> dict[str, Route]:
        found: dict[str, Route] = {}
        for rule in self._graph.rules:
            for target in rule.targets:
                found.update((names.route(rule, route), route) for route in target.service.routes)
        for sidecar in self._graph.sidecars.values():
            for service in sidecar.services:
                found.update((names.service_route(service, item), item) for item in service.routes)
        return found
