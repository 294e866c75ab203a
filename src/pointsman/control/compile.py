"""Resources to snapshots: the pure middle, run again for every change.

What the previous run built is remembered here and handed to the next one, so that an edit costs
what it touches.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.translate import translate
from pointsman.graph.link import LinkResult, link
from pointsman.graph.links.certificates import CertificateMap
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.memo import Memo
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.graph import Graph
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet
from pointsman.xds.snapshot import Snapshot

Arrange = Callable[[Iterable[Gateway]], Iterable[tuple[Gateway, NodeClass]]]
"""Gateways, as far as they can be served in this place, with the class of their proxies."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What one run gives.

    Attributes:
        gateways: what is served, by node class.
        problems: found while linking.
        snapshots: what proxies of each class are to have.
    """

    gateways: Mapping[NodeClass, Gateway]
    problems: tuple[Problem, ...]
    snapshots: Mapping[NodeClass, Snapshot]


class Compiler:
    """Compiles resources, remembering the previous run.

    Args:
        arrange: see `Arrange`.
        certificates: what stands for certificates of AWS.
    """

    def __init__(self, arrange: Arrange, certificates: CertificateMap | None = None) -> None:
        self._arrange = arrange
        self._certificates = certificates
        self._linked: LinkResult | None = None
        self._memos: dict[Key, Memo] = {}

    def compile(self, resources: ResourceSet, given: GivenEndpoints) -> Compiled:
        """Links and translates; objects with errors are served as they last were without."""
        linked = link(resources, given, self._linked, self._certificates)
        self._linked = linked
        arranged = tuple(self._arrange(linked.graph.gateways.values()))
        graph = Graph({gateway.key: gateway for gateway, _ in arranged})
        memos: dict[Key, Memo] = {}
        snapshots: dict[NodeClass, Snapshot] = {}
        for gateway, node_class in arranged:
            memo = memos[gateway.key] = Memo(self._memos.get(gateway.key))
            bundle = translate(graph, node_class, memo)
            memo.forget_previous()
            snapshots[node_class] = Snapshot(bundle.resources)
        self._memos = memos
        gateways = {node_class: gateway for gateway, node_class in arranged}
        return Compiled(gateways, linked.problems, snapshots)
