"""Resources to snapshots: the pure middle, run again for every change.

What the previous run built is remembered here and handed to the next one, so that an edit costs
what it touches.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pointsman.control.endpoints import Endpoints
from pointsman.envoy.bundle import Bundle
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.translate import translate
from pointsman.graph.link import LinkResult, link
from pointsman.graph.links.certificates import CertificateMap
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.memo import Memo
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.sidecar import Sidecar
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet
from pointsman.xds.snapshot import Snapshot

Proxy = Gateway | Sidecar
"""What a proxy may be."""

Arrange = Callable[[Iterable[Proxy]], Iterable[tuple[Proxy, Collection[NodeClass]]]]
"""Proxies, as far as they can be served in this place, with the node classes to compile now."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What one run gives.

    Attributes:
        graph: what can be served here.
        proxies: what is compiled, by node class.
        problems: found while linking.
        snapshots: what proxies of each class are to have.
    """

    graph: Graph = field(default_factory=Graph)
    proxies: Mapping[NodeClass, Proxy] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    snapshots: Mapping[NodeClass, Snapshot] = field(default_factory=dict)


class Compiler:
    """Compiles resources, remembering the previous run.

    Args:
        arrange: see `Arrange`.
        endpoints: adds endpoints from a registry; by default there are none.
        certificates: what stands for certificates of AWS.
    """

    def __init__(
        self,
        arrange: Arrange,
        endpoints: Endpoints | None = None,
        certificates: CertificateMap | None = None,
    ) -> None:
        self._arrange = arrange
        self._endpoints = endpoints or Endpoints()
        self._certificates = certificates
        self._linked: LinkResult | None = None
        self._memos: dict[tuple[Key, str, str], Memo] = {}
        self._compiled = Compiled()

    @property
    def endpoints(self) -> Endpoints:
        """The fast lane beside compiling."""
        return self._endpoints

    def compile(self, resources: ResourceSet, given: GivenEndpoints) -> Compiled:
        """Links and translates; objects with errors are served as they last were without."""
        linked = link(resources, given, self._linked, self._certificates)
        self._linked = linked
        arranged = tuple(self._arrange(linked.graph.proxies.values()))
        graph = replace(
            linked.graph,
            gateways={proxy.key: proxy for proxy, _ in arranged if isinstance(proxy, Gateway)},
            sidecars={proxy.key: proxy for proxy, _ in arranged if isinstance(proxy, Sidecar)},
        )
        proxies = {item: proxy for proxy, classes in arranged for item in classes}
        previous, self._memos = self._memos, {}
        bundles = {item: self._bundle(graph, item, previous) for item in proxies}
        snapshots = self._endpoints.compose(bundles)
        self._compiled = Compiled(graph, proxies, linked.problems, snapshots)
        return self._compiled

    def add(self, node_class: NodeClass) -> Compiled:
        """What the last run gives with one more node class."""
        compiled = self._compiled
        proxy = compiled.graph.proxies[node_class.owner]
        bundle = self._bundle(compiled.graph, node_class, {})
        self._compiled = replace(
            compiled,
            proxies={**compiled.proxies, node_class: proxy},
            # Those of before, too: endpoints may have changed since the last run.
            snapshots=self._endpoints.add(node_class, bundle),
        )
        return self._compiled

    def _bundle(
        self,
        graph: Graph,
        node_class: NodeClass,
        previous: Mapping[tuple[Key, str, str], Memo],
    ) -> Bundle:
        # Ports and addresses may change with an edit; what was built before serves all the same.
        place = (node_class.owner, node_class.wire, node_class.zone)
        memo = self._memos[place] = Memo(previous.get(place))
        bundle = translate(graph, node_class, memo)
        memo.forget_previous()
        return bundle
