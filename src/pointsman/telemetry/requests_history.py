"""Which configuration was active when: a few last graphs, and what each node was given.

A proxy has a version from shortly after it was given it; by which clock a request began is its
own machine's. So a request of the moment of a change may have met the version before.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from pointsman.graph.model.graph import Graph
from pointsman.xds.snapshot import Snapshot

GRAPHS: Final = 8
"""Graphs that are kept."""
VERSIONS: Final = 16
"""Versions of a node that are kept."""
SETTLING_S: Final = 2.0
"""Seconds after a change in which a proxy may still have had what was before."""


@dataclass(frozen=True, slots=True)
class Era:
    """A graph, and since when it was active, in seconds since 1970."""

    since: float
    graph: Graph


@dataclass(slots=True)
class _Given:
    since: float
    snapshot: Snapshot
    version: str = ""


class History:
    """Remembers what was active."""

    def __init__(self) -> None:
        self._eras: deque[Era] = deque(maxlen=GRAPHS)
        self._given: dict[str, deque[_Given]] = {}

    def began(self, graph: Graph, now: float) -> None:
        """A graph is active from now on."""
        self._eras.append(Era(now, graph))

    def gave(self, node_id: str, snapshot: Snapshot, now: float) -> None:
        """A node has a snapshot from now on."""
        given = self._given.setdefault(node_id, deque(maxlen=VERSIONS))
        if not given or given[-1].snapshot != snapshot:
            given.append(_Given(now, snapshot))

    def keep(self, node_ids: Collection[str]) -> None:
        """Forgets all other nodes."""
        for gone in self._given.keys() - set(node_ids):
            del self._given[gone]

    @property
    def given(self) -> dict[str, float]:
        """Since when each node has the snapshot it has now."""
        return {node_id: given[-1].since for node_id, given in self._given.items() if given}

    def version_at(self, node_id: str, moment: float) -> str:
        """The version a node had; "" when it is not known any more."""
        given = self._given.get(node_id, ())
        for item in reversed(given):
            if item.since <= moment:
                item.version = item.version or item.snapshot.version
                return item.version
        return ""

    def era_at(self, moment: float) -> Era | None:
        """The graph of a moment; None when it is not kept any more."""
        return next((era for era in reversed(self._eras) if era.since <= moment), None)

    @property
    def graph(self) -> Graph:
        """What is active now."""
        return self._eras[-1].graph if self._eras else Graph()

    def before(self, moment: float) -> Era | None:
        """The graph before that of a moment, where a proxy may still have had it."""
        era = self.era_at(moment)
        if era is None or moment - era.since > SETTLING_S:
            return None
        return self.era_at(era.since - 1e-9)
