"""All guards and documents of a graph, wherever they stand."""

from collections.abc import Iterator

from pointsman.graph.model.gateway import Listener
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.guards import NO_GUARDS, Guards
from pointsman.graph.model.hygiene import BodySchemas, RouteHygiene
from pointsman.graph.model.methods import OpaqueMethod


def opaque_methods(graph: Graph) -> dict[str, OpaqueMethod]:
    """Methods of opaque tokens, by name."""
    seen: dict[int, Guards] = {id(item): item for item in guards(graph) if item is not NO_GUARDS}
    return {
        method.name: method
        for item in seen.values()
        if item.access is not None
        for method in item.access.methods
        if isinstance(method, OpaqueMethod)
    }


def body_schemas(graph: Graph) -> dict[str, BodySchemas]:
    """What bodies are compared with, by name."""
    found = (item.schemas for item in _route_hygiene(graph) if item is not None)
    return {item.name: item for item in found if item is not None}


def _route_hygiene(graph: Graph) -> Iterator[RouteHygiene | None]:
    for sidecar in graph.sidecars.values():
        yield from (item.hygiene.routes for item in sidecar.ingress if item.hygiene is not None)
    for gateway in graph.gateways.values():
        for listener in gateway.listeners:
            if listener.hygiene is not None:
                yield listener.hygiene.routes
            yield from (rule.hygiene for rule in listener.rules)


def guards(graph: Graph) -> Iterator[Guards]:
    """Everything that stands before listeners, rules and routes; some several times."""
    for sidecar in graph.sidecars.values():
        yield from (item.guards for item in sidecar.ingress)
    for gateway in graph.gateways.values():
        for listener in gateway.listeners:
            yield from guards_at(listener)


def guards_at(listener: Listener) -> Iterator[Guards]:
    """What stands before a gateway's listener, its rules and the routes they lead to."""
    yield listener.guards
    for rule in listener.rules:
        yield rule.guards
        for target in rule.targets:
            yield from (route.guards for route in target.service.routes)
