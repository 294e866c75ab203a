"""The clusters one proxy calls, under the names it has for them."""

from collections.abc import Callable, Iterator

from pointsman.envoy import names
from pointsman.envoy.clusters import cluster, is_supplied
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import Sealed
from pointsman.envoy.tls import secrets
from pointsman.graph.memo import Memo
from pointsman.graph.model.cluster import Cluster
from pointsman.graph.model.tls import ClientTls, ServerTls
from pointsman.graph.tls import UpstreamTls, upstream_tls
from pointsman.resources.key import Key


class CalledClusters:
    """Names clusters, and tells apart those of one port whose connections differ in their TLS.

    The first way keeps App Mesh's name; others get a number behind it, in the order in which
    they are asked for.
    """

    def __init__(self) -> None:
        self._ways: dict[str, list[UpstreamTls | None]] = {}
        self._items: dict[str, tuple[Cluster, UpstreamTls | None]] = {}

    def named_for(self, policy: ClientTls | None) -> Callable[[Cluster], str]:
        """Names clusters as they are called by a policy."""
        return lambda item: self._name(item, upstream_tls(policy, item))

    def _name(self, item: Cluster, tls: UpstreamTls | None) -> str:
        plain = names.cluster(item)
        ways = self._ways.setdefault(plain, [])
        if tls not in ways:
            ways.append(tls)
        name = names.cluster_way(plain, ways.index(tls))
        self._items.setdefault(name, (item, tls))
        return name

    def sealed(
        self, node_class: NodeClass, memo: Memo, supplied: dict[str, Cluster]
    ) -> Iterator[Sealed]:
        """Every cluster that was named; `supplied` takes those that need endpoints as well."""
        for name, (item, tls) in self._items.items():
            yield sealed_cluster(name, item, tls, node_class, memo)
            yield from sealed_secrets(tls, (node_class.owner,))
            if is_supplied(item, node_class.wire):
                supplied[name] = item


def sealed_cluster(
    name: str, item: Cluster, tls: UpstreamTls | None, node_class: NodeClass, memo: Memo
) -> Sealed:
    """A cluster under the name a proxy has for it; remembered."""

    def build() -> Sealed:
        return seal(cluster(name, item, node_class.wire, tls), (item.node,))

    result: Sealed = memo.get(("cluster", name), (item, tls, node_class.wire), build)
    return result


def sealed_secrets(tls: ServerTls | UpstreamTls | None, keys: tuple[Key, ...]) -> Iterator[Sealed]:
    """The secrets that TLS needs and that are only names of files."""
    return (seal(secret, keys) for secret in secrets(tls))
