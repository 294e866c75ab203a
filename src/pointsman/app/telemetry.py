"""What the control plane knows of traffic: where reports come in, who may ask, and who is told."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from uuid import uuid4

from pointsman.app.site import Audience
from pointsman.app.status import ProxyState
from pointsman.control.compile import Proxy
from pointsman.envoy import consumer_stats
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.telemetry import Collector
from pointsman.observe.service_graph import ServiceGraph
from pointsman.observe.service_links import counted, service_graph
from pointsman.observe.traffic import By, TrafficReport, traffic_report
from pointsman.resources.codes import telemetry as codes
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet
from pointsman.telemetry.connections import Connections
from pointsman.telemetry.expiries import Expiries
from pointsman.telemetry.exporter import EVERY_S, MetricsExporter
from pointsman.telemetry.family import Family
from pointsman.telemetry.istio import istio_families
from pointsman.telemetry.metrics import MetricsServer
from pointsman.telemetry.own import OwnCounts
from pointsman.telemetry.prometheus import traffic_families
from pointsman.telemetry.subjects import Subjects
from pointsman.telemetry.window import Window
from pointsman.xds.admission import Admission
from pointsman.xds.node_id import Directory
from pointsman.xds.nodes import Node


class Telemetry:
    """The traffic of the last half hour, and what proxies add to it.

    Args:
        admission: who may report as which node.
        export_every_s: see `MetricsExporter`.

    Attributes:
        window: what was counted.
        connections: what is open.
        expiries: until when certificates in files are good.
        server: takes reports.
        own: what the control plane counts of itself.
    """

    def __init__(self, admission: Admission, export_every_s: float = EVERY_S) -> None:
        self.window = Window()
        self.connections = Connections()
        self.expiries = Expiries()
        self.own = OwnCounts()
        self._graph = Graph()
        self._subjects = Subjects()
        self._directory: Directory[Proxy] = Directory()
        self._exporter = MetricsExporter(self._counted, uuid4().hex, export_every_s)
        self.server = MetricsServer(
            admission,
            self._find,
            self._subjects,
            self.window,
            self.connections,
            self.expiries,
        )

    @property
    def handlers(self) -> tuple[Any, ...]:
        """For `AdsServer(services=…)`."""
        return (self.server.handler,)

    def want(self, resources: ResourceSet, graph: Graph, directory: Directory[Proxy]) -> None:
        """What is served is this now.

        Args:
            resources: what was written.
            graph: what it means.
            directory: knows its proxies.
        """
        self.own.resources = {kind: len(items) for kind, items in resources.by_kind.items()}
        self._graph = graph
        self._subjects.follow(graph)
        self._directory = directory
        self._exporter.want(_collectors(graph))

    def problems(self) -> Iterator[Problem]:
        """Which collectors take nothing."""
        for collector, reason in self._exporter.failures.items():
            message = f"{collector.url}: {reason}"
            for policy in sorted(_policies(self._graph, collector), key=str):
                yield Problem(codes.NOT_TAKEN, message, "", policy, ("spec", "collector"))

    async def close(self) -> None:
        """Ends what is told to collectors."""
        await self._exporter.close()

    def report(self, by: By, over: float, now: float) -> TrafficReport:
        """The traffic of the `over` seconds before `now`."""
        return traffic_report(self.window, self.connections, by, over, now)

    def service_graph(self, over: float, now: float) -> ServiceGraph:
        """Who calls whom, with the traffic of the `over` seconds before `now`."""
        return counted(service_graph(self._graph), self.window, over, now)

    def families(self, nodes: Mapping[int, Node], now: float) -> Iterator[Family]:
        """Everything, for Prometheus.

        Args:
            nodes: connected proxies, by stream.
            now: in seconds since the epoch.
        """
        owners = (node.node_class for node in nodes.values())
        connected = Counter(item.owner for item in owners if isinstance(item, Audience))
        reports = Family("pointsman_metrics_reports_total", "counter", "reports of proxies")
        reports.add(self.server.reports)
        series = Family("pointsman_window_series", "gauge", "series of the window")
        series.add(len(self.window))
        yield from self.own.families(connected)
        yield from (reports, series)
        yield from traffic_families(self.window, self.connections, now)

    def istio_families(self, now: float) -> Iterator[Family]:  # noqa: ARG002
        """The traffic once more, by the names of Istio."""
        return istio_families(self.window)

    def _counted(self, proxies: Collection[Key]) -> Iterator[Family]:
        return traffic_families(self.window, self.connections, time.time(), proxies)

    def _find(self, node_id: str) -> Key | None:
        proxy = self._directory.find(node_id)
        return None if proxy is None else proxy.key


def _collectors(graph: Graph) -> dict[Collector, set[Key]]:
    """Whose numbers each collector is to have."""
    found: dict[Collector, set[Key]] = {}
    for proxy in graph.proxies.values():
        telemetry = proxy.telemetry
        if telemetry is not None and telemetry.collector is not None and telemetry.metrics:
            found.setdefault(telemetry.collector, set()).add(proxy.key)
    return found


def cannot_count(states: Iterable[ProxyState]) -> Iterator[Problem]:
    """Which connected proxies are too old for the numbers by consumer that are asked of them."""
    old: dict[Key, set[Key]] = {}
    for state in states:
        telemetry = state.proxy.telemetry
        if state.nodes and telemetry and telemetry.consumers and not state.node_class.counts:
            old.setdefault(telemetry.policy, set()).add(state.proxy.key)
    needed = ".".join(map(str, consumer_stats.OLDEST[:2]))
    for policy, owners in old.items():
        whose = ", ".join(map(str, sorted(owners)))
        message = f"it takes Envoy {needed}, and there are proxies of {whose} that are older"
        yield Problem(codes.CANNOT_COUNT, message, "", policy, ("spec", "consumers"))


def _policies(graph: Graph, collector: Collector) -> set[Key]:
    every = (proxy.telemetry for proxy in graph.proxies.values())
    return {item.policy for item in every if item and item.metrics and item.collector == collector}
