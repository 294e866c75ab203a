"""Who calls whom, from what manifests mean and what proxies have counted."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from pointsman.envoy.stats import Scope
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.route import Route, Service
from pointsman.graph.model.sidecar import Sidecar
from pointsman.observe.service_graph import Kind, Link, Manner, Numbers, ServiceGraph, Vertex
from pointsman.resources.key import Key
from pointsman.telemetry.traffic import add_up
from pointsman.telemetry.window import WINDOW_S, Selector, Window

_KINDS: Final[Mapping[str, Kind]] = {
    "VirtualGateway": "gateway",
    "VirtualService": "service",
    "VirtualNode": "node",
}
Place = tuple[Vertex, Vertex]
Row = tuple[int, ...]


def service_graph(graph: Graph) -> ServiceGraph:
    """Who may call whom, as manifests say it."""
    links: dict[Place, Link] = {}
    vertices = {_vertex(key) for key in graph.proxies}
    for proxy in graph.proxies.values():
        for link in _links(proxy):
            vertices |= {link.source, link.target}
            known = links.setdefault((link.source, link.target), link)
            if known.percent != link.percent:
                links[link.source, link.target] = replace(known, percent=None)
    ordered = tuple(links[place] for place in sorted(links))
    return ServiceGraph(vertices=tuple(sorted(vertices)), links=ordered)


def counted(known: ServiceGraph, window: Window, over: float, now: float) -> ServiceGraph:
    """The same with what proxies counted in the seconds before `now`."""
    over = min(over, WINDOW_S)
    numbers = _numbers(known, window, now - over, now)
    links = [replace(link, numbers=numbers.pop(_place(link), None)) for link in known.links]
    for (source, target), found in numbers.items():
        if {source, target} <= set(known.vertices):
            links.append(Link(source=source, target=target, manner="several", numbers=found))
    links.sort(key=_place)
    return replace(known, over=over, links=tuple(links))


def _links(proxy: Gateway | Sidecar) -> Iterator[Link]:
    caller = _vertex(proxy.key)
    for service in proxy.services:
        called = _vertex(service.key)
        yield Link(source=caller, target=called)
        yield from _led(called, service)
    if isinstance(proxy, Sidecar):
        for tcp in proxy.tcp_backends:
            called = _vertex(tcp.key)
            yield Link(source=caller, target=called, manner="tcp")
            total = sum(item.weight for item in tcp.targets)
            for item in tcp.targets:
                node, percent = _vertex(item.cluster.node), 100 * item.weight / total
                yield Link(source=called, target=node, manner="tcp", percent=percent)


def _led(called: Vertex, service: Service) -> Iterator[Link]:
    shares = [_shares(route) for route in service.routes]
    same = all(share == shares[0] for share in shares)
    for share in shares:
        for node, percent in share.items():
            yield Link(source=called, target=node, percent=percent if same else None)
    for route in service.routes:
        if route.effects.mirror is not None:
            node = _vertex(route.effects.mirror.cluster.node)
            yield Link(source=called, target=node, manner="mirror")


def _shares(route: Route) -> dict[Vertex, float]:
    total = sum(item.weight for item in route.targets)
    shares: dict[Vertex, float] = {}
    for item in route.targets:
        node = _vertex(item.cluster.node)
        percent = 100 * item.weight / total if total else 0.0
        shares[node] = shares.get(node, 0.0) + percent
    return shares


def _numbers(
    known: ServiceGraph, window: Window, since: float, until: float
) -> dict[Place, Numbers]:
    """What was counted, by where it belongs."""
    called = {(link.source, link.target): link.manner for link in known.links}
    found: dict[Place, list[Row]] = {}

    def add(source: Vertex, target: Vertex, row: Row) -> None:
        found.setdefault((source, target), []).append(row)

    for subject, traffic in window.rows(Selector(Scope.ROUTE), since, until):
        if subject.proxy is not None and subject.service is not None:
            add(_vertex(subject.proxy), _vertex(subject.service), traffic.numbers)
    for subject, traffic in window.rows(Selector(Scope.NODE), since, until):
        if subject.proxy is None or subject.node is None:
            continue
        caller, node = _vertex(subject.proxy), _vertex(subject.node)
        if subject.service is None:
            add(caller, node, traffic.numbers)
            continue
        service = _vertex(subject.service)
        add(service, node, traffic.numbers)
        if called.get((caller, service)) == "tcp":
            add(caller, service, traffic.numbers)
    return dict(_filled(found, called))


def _filled(
    found: Mapping[Place, Iterable[Row]], called: Mapping[Place, Manner]
) -> Iterator[tuple[Place, Numbers]]:
    for place, rows in found.items():
        traffic = add_up(rows)
        manner = called.get(place)
        count = traffic.connections if manner == "tcp" else traffic.requests
        if count:
            latency = traffic.latency
            yield (
                place,
                Numbers(
                    requests=count,
                    failures=0 if manner == "tcp" else traffic.failures,
                    p50=latency.quantile(0.5),
                    p99=latency.quantile(0.99),
                ),
            )


def _vertex(key: Key) -> Vertex:
    return Vertex(_KINDS[key.kind], key.path)


def _place(link: Link) -> Place:
    return link.source, link.target
