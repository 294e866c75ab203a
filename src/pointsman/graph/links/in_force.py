"""Services as sidecars call them: as they are without errors, else as they last were."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.graph.links.clusters import link_node, unknown_cluster
from pointsman.graph.links.context import Context, Named
from pointsman.graph.links.last_good import up_to_date
from pointsman.graph.links.linked import Linked
from pointsman.graph.links.membership import Mesh
from pointsman.graph.model.cluster import Cluster
from pointsman.graph.model.route import Service
from pointsman.graph.model.sidecar import TcpBackend
from pointsman.resources.key import Key

Place = tuple[Key, int]
"""A virtual service and a port it is called on."""

AnyService = Service | TcpBackend


@dataclass(slots=True)
class InForce:
    """Versions of services.

    Attributes:
        last: those of the previous run.
        now: those of this run.
        kept: those of this run that are from the previous one.
    """

    last: Mapping[Place, AnyService] = field(default_factory=dict)
    now: dict[Place, AnyService] = field(default_factory=dict)
    kept: set[Place] = field(default_factory=set)

    def settle(self, context: Context, mesh: Mesh, port: int, service: Linked[Any]) -> AnyService:
        """The version of a linked service that is in force."""
        place = (service.value.key, port)
        last = self.last.get(place)
        if service.broken and last is not None and _may_stay(context, mesh, last):
            return self._keep(context, mesh, place, last)
        if not service.broken:
            self.now[place] = service.value
        settled: AnyService = service.value
        return settled

    def lost(self, context: Context, mesh: Mesh, key: Key) -> Iterator[tuple[int, AnyService]]:
        """A service that is no longer there, as it last was, with its ports."""
        for place, service in self.last.items():
            if place[0] == key and _may_stay(context, mesh, service):
                yield place[1], self._keep(context, mesh, place, service)

    def _keep(self, context: Context, mesh: Mesh, place: Place, service: AnyService) -> AnyService:
        if place not in self.now:
            self.now[place] = up_to_date(service, lambda item: _current(context, mesh, item))
            self.kept.add(place)
        return self.now[place]


def _may_stay(context: Context, mesh: Mesh, service: AnyService) -> bool:
    """Whether the host of a service of before has not become that of another one.

    Envoy refuses a table of routes in which a host is there twice.
    """
    owner = context.named.get(Named.host(mesh.key, service.name))
    return owner is None or owner == service.key


def _current(context: Context, mesh: Mesh, cluster: Cluster) -> Cluster:
    """A cluster as it is now; Envoy knows clusters by name, so there can be only one of it."""
    node = context.resources.get(cluster.node)
    if node is not None:
        now = link_node(context, node).value.clusters.get(cluster.port)
        return now if now is not None and now.protocol == cluster.protocol else cluster
    if Named("VirtualNode", mesh.key, cluster.node_name) in context.named:
        return unknown_cluster(cluster.mesh, cluster.node)
    return cluster
