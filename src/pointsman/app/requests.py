"""What a control plane knows of requests: the latest ones, and what was active when."""

import time
from collections.abc import Collection
from typing import Any

from pointsman.graph.model.graph import Graph
from pointsman.telemetry.callers import Callers
from pointsman.telemetry.clocks import Clocks
from pointsman.telemetry.requests_history import History
from pointsman.telemetry.requests_ring import Ring
from pointsman.telemetry.requests_service import RequestsService
from pointsman.xds.admission import Admission
from pointsman.xds.snapshot import Snapshot


class RequestState:
    """Remembers requests and configurations.

    Args:
        admission: who may tell of which node's requests.

    Attributes:
        ring: the latest requests.
        history: what was active when.
        callers: who calls versions of APIs.
        clocks: how far clocks of proxies are apart.
    """

    def __init__(self, admission: Admission) -> None:
        self.ring = Ring()
        self.history = History()
        self.callers = Callers()
        self.clocks = Clocks()
        self._service = RequestsService(
            self.ring, admission, self.history.version_at, self.callers, self.clocks
        )

    @property
    def handler(self) -> Any:
        """What proxies tell, for the server they are connected to."""
        return self._service.handler

    def stop(self) -> None:
        """Proxies are not listened to any longer, and nobody looks on; harmless twice."""
        self._service.stop()
        self.ring.end()

    def began(self, graph: Graph, node_ids: Collection[str]) -> None:
        """A graph is active from now on, with proxies of these nodes."""
        self.history.began(graph, time.time())
        self.history.keep(node_ids)

    def gave(self, node_id: str, snapshot: Snapshot) -> None:
        """A node has a snapshot from now on."""
        self.history.gave(node_id, snapshot, time.time())
