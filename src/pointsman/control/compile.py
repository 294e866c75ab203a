"""Resources to snapshots: the pure middle, run again for every change.

What the previous run built is remembered here and handed to the next one, so that an edit costs
what it touches.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.translate import translate
from pointsman.graph.link import LinkResult, link
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.memo import Memo
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.graph import Graph
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet
from pointsman.xds.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Compiled:
    """What one run gives.

    Attributes:
        graph: everything that can be served.
        problems: found while linking.
        snapshots: what proxies of each class are to have.
    """

    graph: Graph
    problems: tuple[Problem, ...]
    snapshots: Mapping[NodeClass, Snapshot]


class Compiler:
    """Compiles resources, remembering the previous run.

    Args:
        node_class: the class of a gateway's proxies.
    """

    def __init__(self, node_class: Callable[[Gateway], NodeClass]) -> None:
        self._node_class = node_class
        self._linked: LinkResult | None = None
        self._memos: dict[NodeClass, Memo] = {}

    def compile(self, resources: ResourceSet, given: GivenEndpoints) -> Compiled:
        """Links and translates; objects with errors are served as they last were without."""
        linked = link(resources, given, self._linked)
        self._linked = linked
        memos: dict[NodeClass, Memo] = {}
        snapshots: dict[NodeClass, Snapshot] = {}
        for gateway in linked.graph.gateways.values():
            node_class = self._node_class(gateway)
            memo = memos[node_class] = Memo(self._memos.get(node_class))
            bundle = translate(linked.graph, node_class, memo)
            memo.forget_previous()
            snapshots[node_class] = Snapshot(bundle.resources)
        self._memos = memos
        return Compiled(linked.graph, linked.problems, snapshots)
