"""Whose numbers a proxy's statistics are: Envoy's names back to objects of the mesh."""

from collections.abc import Iterator

from pointsman.envoy import names
from pointsman.envoy.stats import Scope, Stat
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.route import Route
from pointsman.graph.model.sidecar import Sidecar
from pointsman.resources.key import Key
from pointsman.telemetry.window import Subject

Names = dict[tuple[Scope, str], Subject]


class Subjects:
    """Knows the names that one graph gives rise to; made for each proxy when it first reports.

    Args:
        graph: what is served.
    """

    def __init__(self, graph: Graph | None = None) -> None:
        self._graph = graph or Graph()
        self._known: dict[Key, Names] = {}

    def follow(self, graph: Graph) -> None:
        """The graph is this one now. What an unchanged proxy is called by stays known."""
        self._known = {
            key: known
            for key, known in self._known.items()
            if _proxy(graph, key) is _proxy(self._graph, key)
        }
        self._graph = graph

    def find(self, proxy: Key, stat: Stat) -> Subject | None:
        """What a statistic of a proxy is about; None for what is not, or no longer, configured."""
        known = self._known.get(proxy)
        if known is None:
            known = self._known[proxy] = _names(proxy, _proxy(self._graph, proxy))
        found = known.get((stat.scope, stat.name))
        if found is None and stat.scope is Scope.NODE:
            found = known.get((stat.scope, names.without_way(stat.name)))
        if stat.scope is Scope.CONSUMER and known:
            # Their names are nowhere in the graph.
            return Subject(Scope.CONSUMER, proxy, consumer=stat.name)
        return found


def _proxy(graph: Graph, key: Key) -> Gateway | Sidecar | None:
    return graph.gateways.get(key) or graph.sidecars.get(key)


def _names(key: Key, proxy: Gateway | Sidecar | None) -> Names:
    if proxy is None:
        return {}
    known: Names = {(Scope.PROXY, ""): Subject(Scope.PROXY, key)}
    for name, service, route in _routes(proxy):
        place = (Scope.ROUTE, names.route_stat(name))
        _add(known, place, Subject(Scope.ROUTE, key, service=service, route=name))
        for target in route.targets:
            _node(known, key, names.cluster(target.cluster), target.cluster.node, service)
        if route.effects.mirror is not None:
            mirrored = route.effects.mirror.cluster
            _node(known, key, names.cluster(mirrored), mirrored.node, None)
    if isinstance(proxy, Sidecar):
        for tcp in proxy.tcp_backends:
            for target in tcp.targets:
                _node(known, key, names.cluster(target.cluster), target.cluster.node, tcp.key)
    return known


def _routes(proxy: Gateway | Sidecar) -> Iterator[tuple[str, Key, Route]]:
    if isinstance(proxy, Gateway):
        for rule in proxy.rules:
            for target in rule.targets:
                for route in target.service.routes:
                    yield names.route(rule, route), target.service.key, route
        return
    for service in proxy.services:
        for route in service.routes:
            yield names.service_route(service, route), service.key, route


def _node(known: Names, proxy: Key, cluster: str, node: Key, service: Key | None) -> None:
    _add(known, (Scope.NODE, cluster), Subject(Scope.NODE, proxy, node, service))


def _add(known: Names, place: tuple[Scope, str], subject: Subject) -> None:
    """Adds a name; numbers under a name that is used for several services are of none of them."""
    other = known.setdefault(place, subject)
    if other.service != subject.service:
        known[place] = Subject(subject.scope, subject.proxy, subject.node, route=subject.route)
