"""A virtual node's proxy as Envoy resources."""

from collections.abc import Iterator

from pointsman.envoy.called import CalledClusters, sealed_secrets
from pointsman.envoy.egress import egress
from pointsman.envoy.extensions import extensions
from pointsman.envoy.guards import uses
from pointsman.envoy.ingress import ingress
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import Sealed
from pointsman.envoy.traces import collector_clusters
from pointsman.graph.memo import Memo
from pointsman.graph.model.cluster import Cluster
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.sidecar import Sidecar


def sidecar_resources(
    graph: Graph,
    sidecar: Sidecar,
    node_class: NodeClass,
    memo: Memo,
    supplied: dict[str, Cluster],
) -> Iterator[Sealed]:
    """Everything one sidecar needs; built anew only when something of it has changed.

    Args:
        graph: what it is a part of.
        sidecar: the sidecar.
        node_class: whom it is for.
        memo: remembers what was built.
        supplied: takes the clusters whose endpoints the control plane has to supply, by name.
    """

    def build() -> tuple[tuple[Sealed, ...], CalledClusters]:
        clusters = CalledClusters()
        keys = (sidecar.key,)
        own = [seal(message, keys) for message in ingress(sidecar, node_class)]
        own += [seal(message, keys) for message in egress(sidecar, node_class, clusters)]
        own += [secret for item in sidecar.ingress for secret in sealed_secrets(item.tls, keys)]
        return tuple(own), clusters

    step = ("sidecar", node_class)
    own, clusters = memo.get(step, (sidecar,), build)
    yield from own
    used = {use for item in sidecar.ingress for use in uses(item.guards)}
    yield from collector_clusters(sidecar)
    yield from extensions(used, graph.consumers, sidecar.key, node_class.wire, memo)
    yield from clusters.sealed(node_class, memo, supplied)
