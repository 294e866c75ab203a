"""What the control plane knows of traffic: where reports come in, and who may ask."""

from typing import Any

from pointsman.control.compile import Proxy
from pointsman.graph.model.graph import Graph
from pointsman.observe.traffic import By, TrafficReport, traffic_report
from pointsman.resources.key import Key
from pointsman.telemetry.connections import Connections
from pointsman.telemetry.metrics import MetricsServer
from pointsman.telemetry.subjects import Subjects
from pointsman.telemetry.window import Window
from pointsman.xds.admission import Admission
from pointsman.xds.node_id import Directory


class Telemetry:
    """The traffic of the last half hour, and what proxies add to it.

    Args:
        admission: who may report as which node.

    Attributes:
        window: what was counted.
        connections: what is open.
        server: takes reports.
    """

    def __init__(self, admission: Admission) -> None:
        self.window = Window()
        self.connections = Connections()
        self._subjects = Subjects()
        self._directory: Directory[Proxy] = Directory()
        self.server = MetricsServer(
            admission, self._find, self._subjects, self.window, self.connections
        )

    @property
    def handlers(self) -> tuple[Any, ...]:
        """For `AdsServer(services=…)`."""
        return (self.server.handler,)

    def want(self, graph: Graph, directory: Directory[Proxy]) -> None:
        """Proxies are served this, and named by that."""
        self._subjects.follow(graph)
        self._directory = directory

    def report(self, by: By, over: float, now: float) -> TrafficReport:
        """The traffic of the `over` seconds before `now`."""
        return traffic_report(self.window, self.connections, by, over, now)

    def _find(self, node_id: str) -> Key | None:
        proxy = self._directory.find(node_id)
        return None if proxy is None else proxy.key
