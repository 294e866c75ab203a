"""What a TelemetryPolicy asks for is told to its collector, of its own proxies alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from pointsman.app.status import ProxyState
from pointsman.app.telemetry import Telemetry, cannot_count
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.seal import unseal
from pointsman.envoy.stats import Measure, Scope
from pointsman.envoy.translate import translate
from pointsman.resources.resource_set import ResourceSet
from pointsman.telemetry.window import Subject
from pointsman.xds.admission import Anyone
from pointsman.xds.node_id import Directory
from pointsman.xds.nodes import Node
from pointsman.xds.snapshot import Snapshot
from tests.support.collector import Collector, attributes, collecting
from tests.support.manifests import MESH, Document, gateway, policy
from tests.support.pem_files import Authority
from tests.support.scenes import key, linked
from tests.support.tls import free_port
from tests.support.upstream import until

NOW = 1_800_000_000.0
EDGE, OTHER = key("VirtualGateway", "gateway"), key("VirtualGateway", "other")


def asks(url: str, name: str = "told", **more: Any) -> Document:
    return policy(
        "TelemetryPolicy",
        name,
        "VirtualGateway/gateway",
        collector={"address": url, **more},
        metrics=True,
    )


@asynccontextmanager
async def telemetry(*documents: Document) -> AsyncIterator[Telemetry]:
    made = Telemetry(Anyone(), export_every_s=0.05)
    for edge in (EDGE, OTHER):
        made.window.add(Subject(Scope.PROXY, edge), Measure.ANSWERED_2XX, 3, NOW)
    want(made, *documents)
    try:
        yield made
    finally:
        await made.close()


def want(made: Telemetry, *documents: Document) -> None:
    graph = linked(MESH, gateway(), gateway(name="other"), *documents).graph
    made.want(ResourceSet(), graph, Directory())


def services(collector: Collector) -> set[str]:
    return {
        attributes(item.resource)["service.name"]
        for report in collector.reports
        for item in report.resource_metrics
    }


async def test_a_collector_gets_what_the_proxies_of_its_policy_count() -> None:
    async with (
        collecting() as collector,
        telemetry(asks(f"http://127.0.0.1:{collector.port}")) as made,
    ):
        await until(lambda: len(collector.reports) > 1)
        assert services(collector) == {EDGE.path}
        want(made)
        so_far = len(collector.reports)
        async with collecting() as another:
            want(made, asks(f"http://127.0.0.1:{another.port}"))
            await until(lambda: bool(another.reports))
        assert len(collector.reports) <= so_far + 1, "nobody asks for it any more"


async def test_a_collector_proves_its_name_by_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "otel")
    own = authority.issue("collector", "127.0.0.1")
    tls = grpc.ssl_server_credentials([(own.key.read_bytes(), own.certificate.read_bytes())])
    async with collecting(credentials=tls) as collector:
        url = f"https://127.0.0.1:{collector.port}"
        async with telemetry(asks(url, caFile=str(authority.file))) as made:
            await until(lambda: bool(collector.reports))
            assert not [*made.problems()]
        stranger = Authority(tmp_path, "stranger")
        async with telemetry(asks(url, caFile=str(stranger.file))) as made:
            await until(lambda: any(made.problems()))


async def test_who_does_not_take_it_is_told_at_the_policy() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with telemetry(asks(url)) as made:
        await until(lambda: any(made.problems()))
        (problem,) = made.problems()
        assert (problem.code.id, problem.key) == ("PM060", key("TelemetryPolicy", "told"))
        assert problem.message.startswith(f"{url}: UNAVAILABLE")
        want(made)
        assert not [*made.problems()]


@pytest.mark.parametrize(
    ("counts", "connected", "told"), [(False, 1, True), (True, 1, False), (False, 0, False)]
)
def test_proxies_that_are_too_old_to_count_by_consumer_are_told_at_the_policy(
    counts: bool, connected: int, told: bool
) -> None:
    asking = policy("TelemetryPolicy", "counts", "VirtualGateway/gateway", consumers=True)
    edge = linked(MESH, gateway(), asking).graph.proxies[EDGE]
    nodes = connected * (Node(1, "n", None, "delta", "1.38.0", NOW),)
    state = ProxyState(edge, NodeClass(EDGE, counts=counts), Snapshot({}), nodes)
    problems = [*cannot_count([state])]
    assert bool(problems) is told
    for problem in problems:
        assert (problem.code.id, problem.key) == ("PM063", key("TelemetryPolicy", "counts"))
        assert f"Envoy 1.40, and there are proxies of {EDGE} that are older" in problem.message


@pytest.mark.parametrize("counts", [True, False])
def test_only_proxies_that_can_count_by_consumer_are_asked_to(counts: bool) -> None:
    asking = policy("TelemetryPolicy", "counts", "VirtualGateway/gateway", consumers=True)
    graph = linked(MESH, gateway(), asking).graph
    made = translate(graph, NodeClass(EDGE, counts=counts)).resources
    texts = [str(unseal(item)) for kind in made.values() for item in kind.values()]
    assert any("envoy.access_loggers.stats" in text for text in texts) is counts


def test_who_is_asked_at_a_gateway_without_routes_is_asked() -> None:
    counts = policy("TelemetryPolicy", "counts", "VirtualGateway/gateway", consumers=True)
    asks_ = policy("AccessPolicy", "keys", "VirtualGateway/gateway", methods=[{"apiKey": {}}])
    assert "PM062" in {item.code.id for item in linked(MESH, gateway(), counts).problems}
    found = {item.code.id for item in linked(MESH, gateway(), counts, asks_).problems}
    assert "PM062" not in found
