"""The clusters one proxy calls, under the names it has for them."""

from collections.abc import Callable, Iterator

from pointsman.envoy import names
from pointsman.envoy.clusters import cluster, is_supplied
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import Sealed
from pointsman.graph.memo import Memo
from pointsman.graph.model.cluster import Cluster
from pointsman.graph.model.tls import ClientTls


class CalledClusters:
    """Names clusters, and tells apart those of one port that are called by different policies.

    The first policy keeps App Mesh's name; others get a number behind it, in the order in which
    they are asked for.
    """

    def __init__(self) -> None:
        self._policies: dict[str, list[ClientTls | None]] = {}
        self._items: dict[str, Cluster] = {}

    def named_for(self, tls: ClientTls | None) -> Callable[[Cluster], str]:
        """Names clusters as they are called by a policy."""
        return lambda item: self._name(item, tls)

    def _name(self, item: Cluster, tls: ClientTls | None) -> str:
        plain = names.cluster(item)
        policies = self._policies.setdefault(plain, [])
        if tls not in policies:
            policies.append(tls)
        index = policies.index(tls)
        name = plain if index == 0 else f"{plain}_{index + 1}"
        self._items.setdefault(name, item)
        return name

    def sealed(
        self, node_class: NodeClass, memo: Memo, supplied: dict[str, Cluster]
    ) -> Iterator[Sealed]:
        """Every cluster that was named; `supplied` takes those that need endpoints as well."""
        for name, item in self._items.items():
            yield sealed_cluster(name, item, node_class, memo)
            if is_supplied(item, node_class.wire):
                supplied[name] = item


def sealed_cluster(name: str, item: Cluster, node_class: NodeClass, memo: Memo) -> Sealed:
    """A cluster under the name a proxy has for it; remembered."""

    def build() -> Sealed:
        return seal(cluster(item, node_class.wire), (item.node,))

    result: Sealed = memo.get(("cluster", name), (item, node_class.wire), build)
    return result
