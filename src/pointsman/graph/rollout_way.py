"""Which objects the weights of a rollout reach proxies with."""

from collections.abc import Iterator

from pointsman.graph.model.graph import Graph
from pointsman.graph.model.route import Service
from pointsman.graph.rollout_target import Hold
from pointsman.resources.key import Key


def way_of(graph: Graph, hold: Hold) -> frozenset[Key]:
    """The route it holds, both versions, and gateways, gateway routes and nodes that lead to it.

    What a proxy rejects of anything else keeps no weights from being in force.
    """
    return frozenset((hold.key, hold.stable, hold.candidate, *_leading(graph, hold.key)))


def _leading(graph: Graph, target: Key) -> Iterator[Key]:
    for gateway in graph.gateways.values():
        for rule in gateway.rules:
            services = (item.service for item in rule.targets)
            if rule.key == target or any(_is_of(service, target) for service in services):
                yield gateway.key
                yield rule.key
    for sidecar in graph.sidecars.values():
        if any(_is_of(service, target) for service in sidecar.services):
            yield sidecar.key


def _is_of(service: Service, target: Key) -> bool:
    return service.router == target
