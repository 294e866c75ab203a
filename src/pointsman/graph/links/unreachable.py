"""Services that must not be called, because the policy of their connections cannot be followed."""

from dataclasses import replace

from pointsman.graph.links.clusters import unknown_cluster
from pointsman.graph.model.cluster import WeightedCluster
from pointsman.graph.model.route import Service
from pointsman.graph.model.sidecar import TcpBackend


def unreachable(service: Service | TcpBackend) -> Service | TcpBackend:
    """The service with nobody behind it: requests are answered 503, connections are closed."""
    if isinstance(service, TcpBackend):
        target = service.targets[0]
        nobody = unknown_cluster(target.cluster.mesh, service.key, target.cluster.port)
        return replace(service, targets=(WeightedCluster(nobody, 1),))
    return replace(service, routes=tuple(replace(item, targets=()) for item in service.routes))
