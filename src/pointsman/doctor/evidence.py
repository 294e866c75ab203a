"""What checks go by: what was written, what it means, what is known to be wrong, and what was seen.

Checks ask for the views below, which are worked out once however many checks want them. All of it
is values; nothing here reads, waits or looks at a clock.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from pointsman.doctor.live import Live
from pointsman.doctor.named import Named
from pointsman.graph.model.gateway import Gateway, GatewayRule, Listener, VirtualHost
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.route import Route, Service
from pointsman.graph.model.sidecar import IngressListener
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Evidence:
    """All of it, and views of it.

    Attributes:
        resources: what was written.
        graph: what it means.
        problems: what reading and linking found, located where it could be.
        live: what a running instance has seen; nothing, where none runs.
    """

    resources: ResourceSet = field(default_factory=ResourceSet)
    graph: Graph = field(default_factory=Graph)
    problems: tuple[Problem, ...] = ()
    live: Live = field(default_factory=Live)

    @cached_property
    def named(self) -> Named:
        """Which objects Envoy's names mean."""
        return Named(self.graph)

    @cached_property
    def told_of(self) -> Counter[Key]:
        """Requests that proxies told of, by the virtual nodes they went to and by who took them."""
        ids: dict[Key, set[str]] = {}
        for number, request in enumerate(self.live.requests):
            proxy, node = self.named.proxy(request.node), self.named.node(request.cluster)
            for key in (node, proxy.key if proxy else None):
                if key is not None:
                    ids.setdefault(key, set()).add(request.id or str(number))
        return Counter({key: len(found) for key, found in ids.items()})

    @cached_property
    def hosts(self) -> tuple[tuple[Gateway, Listener, VirtualHost], ...]:
        """Every virtual host of every gateway listener."""
        return tuple(
            (gateway, listener, host)
            for gateway in self.graph.gateways.values()
            for listener in gateway.listeners
            for host in listener.hosts
        )

    @cached_property
    def rules(self) -> tuple[GatewayRule, ...]:
        """Every gateway route that is served, once."""
        return tuple(_once(rule for _, _, host in self.hosts for rule in host.rules))

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """Every virtual service as somebody calls it, once for each of its ports."""
        return tuple(_once(self._called()))

    @cached_property
    def tables(self) -> tuple[tuple[Route, ...], ...]:
        """Routes of services, in the order they are tried; those without a router have one."""
        return tuple(_once(service.routes for service in self.services))

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """Every route of a service, once."""
        return tuple(_once(route for table in self.tables for route in table))

    @cached_property
    def ingress(self) -> dict[tuple[Key, int], IngressListener]:
        """Ports of virtual nodes as their own proxies serve them, by node and port."""
        return {
            (key, listener.port): listener
            for key, sidecar in self.graph.sidecars.items()
            for listener in sidecar.ingress
        }

    def _called(self) -> Iterator[Service]:
        for rule in self.rules:
            yield from (target.service for target in rule.targets)
        for sidecar in self.graph.sidecars.values():
            yield from sidecar.services


def _once(items: Iterable[_Item]) -> Iterator[_Item]:
    """Each object once; linking gives the same object wherever it means the same."""
    seen: dict[int, _Item] = {}
    for item in items:
        if seen.setdefault(id(item), item) is item:
            yield item
