"""Collectors get the totals that Prometheus gets, and are made up for what they missed."""

import re
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pointsman.envoy.stats import BUCKETS_MS, Measure, Scope
from pointsman.graph.model.telemetry import Collector
from pointsman.resources.key import Key
from pointsman.telemetry.connections import Connections
from pointsman.telemetry.exporter import MetricsExporter
from pointsman.telemetry.exposition import render
from pointsman.telemetry.family import Family
from pointsman.telemetry.otlp import metrics_requests
from pointsman.telemetry.prometheus import traffic_families
from pointsman.telemetry.window import SILENT_S, Subject, Window
from tests.support.collector import attributes, collecting
from tests.support.tls import free_port
from tests.support.upstream import until

NOW = 1_800_000_000.0
EDGE, CART = Key("VirtualGateway", "shop", "edge"), Key("VirtualNode", "shop", "cart")


def counted() -> Window:
    window = Window()
    window.add(Subject(Scope.PROXY, EDGE), Measure.ANSWERED_2XX, 5, NOW)
    window.add(Subject(Scope.NODE, EDGE, CART), Measure.ANSWERED_5XX, 2, NOW)
    window.add(Subject(Scope.PROXY, CART), Measure.ANSWERED_2XX, 3, NOW)
    window.add_latencies(Subject(Scope.PROXY, CART), {1: 2, len(BUCKETS_MS): 1}, 70_000, NOW)
    return window


def points(report: Any) -> Iterator[tuple[str, str, Any]]:
    """Service, name and point of everything in a report."""
    for resource in report.resource_metrics:
        service = attributes(resource.resource)["service.name"]
        for scope in resource.instrumentation_library_metrics:
            for metric in scope.metrics:
                data = getattr(metric, metric.WhichOneof("data"))
                yield from ((service, metric.name, point) for point in data.data_points)


def test_a_report_says_what_prometheus_is_told() -> None:
    families = [*traffic_families(counted(), Connections(), NOW)]
    (report,) = metrics_requests(families, "me", 1, 2)
    told = {
        (name, tuple(attributes(point).items())): point.as_int
        for _, name, point in points(report)
        if not name.endswith("_time")
    }
    shown = render(families)
    assert len(told) == 3
    for (name, labels), value in told.items():
        pairs = ",".join(f'{key}="{text}"' for key, text in labels)
        assert f"{name}{{{pairs}}} {value}\n" in shown
    (times,) = (point for _, name, point in points(report) if name.endswith("_time"))
    assert (times.count, times.sum, len(times.bucket_counts)) == (3, 70_000, len(BUCKETS_MS) + 1)
    assert times.bucket_counts[1] == 2
    assert [*times.explicit_bounds] == [*BUCKETS_MS]
    began = int(NOW * 1e9)
    found = {(p.start_time_unix_nano, p.time_unix_nano) for _, _, p in points(report)}
    assert found == {(began, 2)}


def test_totals_that_begin_anew_say_when() -> None:
    """What had to give way is zero when it comes back, so it must not claim the old beginning."""
    window = Window({Scope.PROXY: 1})
    start = int(NOW * 1e9)

    def beginnings() -> dict[str, int]:
        report, *_ = metrics_requests(traffic_families(window, Connections(), NOW), "me", start, 1)
        return {service: point.start_time_unix_nano for service, _, point in points(report)}

    window.add(Subject(Scope.PROXY, EDGE), Measure.ANSWERED_2XX, 5, NOW - 1)
    assert beginnings() == {"shop/edge": start}, "before the first report there was nothing"
    window.add(Subject(Scope.PROXY, CART), Measure.ANSWERED_2XX, 5, NOW + SILENT_S)
    window.add(Subject(Scope.PROXY, EDGE), Measure.ANSWERED_2XX, 1, NOW + 2 * SILENT_S)
    assert beginnings()["shop/edge"] == start + 2 * SILENT_S * 10**9


def test_each_gateway_and_node_is_a_service() -> None:
    (report,) = metrics_requests(traffic_families(counted(), Connections(), NOW), "me", 1, 2)
    services = {attributes(item.resource)["service.name"] for item in report.resource_metrics}
    assert services == {"shop/edge", "shop/cart"}
    only = traffic_families(counted(), Connections(), NOW, {CART})
    (report,) = metrics_requests(only, "me", 1, 2)
    assert {service for service, _, _ in points(report)} == {"shop/cart"}


def test_no_request_is_too_large_and_together_they_say_all() -> None:
    families = [*traffic_families(counted(), Connections(), NOW)]
    (whole,) = metrics_requests(families, "me", 1, 2)
    parts = [*metrics_requests(families, "me", 1, 2, most=2)]
    assert [len([*points(part)]) for part in parts] == [2, 2]

    def told(*reports: Any) -> list[str]:
        return sorted(f"{service} {name} {p}" for r in reports for service, name, p in points(r))

    assert told(*parts) == told(whole)


@asynccontextmanager
async def exporting(window: Window, collector: Collector) -> AsyncIterator[MetricsExporter]:
    def families(proxies: Collection[Key]) -> Iterator[Family]:
        return traffic_families(window, Connections(), NOW, proxies)

    exporter = MetricsExporter(families, "me", every_s=0.05)
    exporter.want({collector: {CART}})
    try:
        yield exporter
    finally:
        await exporter.close()


async def test_what_a_collector_missed_is_in_the_next_report() -> None:
    window, port = counted(), free_port()
    wanted = Collector(f"http://127.0.0.1:{port}")
    async with exporting(window, wanted) as exporter:
        await until(lambda: "UNAVAILABLE" in exporter.failures.get(wanted, ""))
        window.add(Subject(Scope.PROXY, CART), Measure.ANSWERED_2XX, 4, NOW)
        async with collecting(port) as collector:
            await until(lambda: bool(collector.reports) and not exporter.failures)
            found = [(s, p.as_int) for s, name, p in points(collector.reports[-1]) if "xx" in name]
    assert found == [("shop/cart", 7)]


async def test_authorities_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    wanted = Collector(f"https://127.0.0.1:{free_port()}", str(tmp_path / "ca.pem"))
    async with exporting(counted(), wanted) as exporter:
        await until(lambda: wanted in exporter.failures)
        assert re.search(r"ca\.pem: No such file", exporter.failures[wanted])
        exporter.want({})
        assert not exporter.failures
