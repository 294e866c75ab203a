"""Health checks, ejection and discovery, seen from the backends."""

import socket
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from pointsman.envoy import pb
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.translate import translate
from pointsman.graph.link import link
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.cluster import Address
from tests.support.gateway import Running, running
from tests.support.grpc_upstream import NOT_SERVING, SERVING, grpc_upstream
from tests.support.instrument import Messages, unsealed
from tests.support.manifests import MESH, Document, gateway, gateway_route, resources, service
from tests.support.manifests import document as manifest
from tests.support.scenes import key, linked, serving
from tests.support.upstream import Seen, until, upstream

pytestmark = pytest.mark.envoy
CLUSTER = "cds_egress_mesh_books_shop_http_80"


def scene(discovery: Document | None = None, **listener: object) -> tuple[Document, ...]:
    books = {"portMapping": {"port": 80, "protocol": "http"}, **listener}
    dns = {"dns": discovery or {"hostname": "books.test"}}
    return (
        MESH,
        gateway(),
        manifest("VirtualNode", "books", {"listeners": [books], "serviceDiscovery": dns}),
        service("books", node="books"),
        gateway_route("books", {"prefix": "/"}, "books"),
    )


def check(protocol: str, **more: object) -> Document:
    return {
        "healthCheck": {
            "protocol": protocol,
            "healthyThreshold": 2,
            "unhealthyThreshold": 3,
            "intervalMillis": 5000,
            "timeoutMillis": 2000,
            **more,
        }
    }


def quick(messages: Messages) -> None:
    """Shortens intervals that the manifest cannot have as short as a test needs them."""
    for cluster in messages.clusters:
        for item in cluster.health_checks:
            item.interval.FromMilliseconds(50)
            item.no_traffic_interval.FromMilliseconds(50)
            item.timeout.FromMilliseconds(500)


@pytest.mark.parametrize(
    ("spoken", "asked", "codec"),
    [("http", "http", "HTTP1"), ("http2", "http", "HTTP2"), ("grpc", "http", "HTTP2")],
)
def test_a_check_speaks_what_the_port_speaks(spoken: str, asked: str, codec: str) -> None:
    listener = {"portMapping": {"port": 80, "protocol": spoken}, **check(asked, path="/ping")}
    (found,) = checks(scene({"hostname": "books.test."}, **listener))
    assert found.http_health_check.host == "books.test"
    assert pb.to_dict(found)["http_health_check"].get("codec_client_type", "HTTP1") == codec


def test_a_grpc_check_names_the_host() -> None:
    listener = {"portMapping": {"port": 80, "protocol": "grpc"}, **check("grpc")}
    (found,) = checks(scene(**listener))
    assert found.grpc_health_check.authority == "books.test"


def checks(documents: tuple[Document, ...]) -> list[pb.Message]:
    graph = link(resources(documents)).graph
    (owner,) = graph.gateways
    messages = unsealed(translate(graph, NodeClass(owner, "static")))
    return [item for cluster in messages.clusters for item in cluster.health_checks]


async def ask(envoy: Running, target: str = "/") -> int:
    async with envoy.client(8080) as client:
        return (await client.ask("GET", target, "shop.test")).status


def healthy(envoy: Running) -> int:
    return envoy.stat(f"cluster.{CLUSTER}.membership_healthy")


async def test_an_http_check_counts_to_its_thresholds() -> None:
    well = True

    async def reply(_: Seen) -> int:
        return 200 if well else 500

    documents = scene(**check("http", path="/alive"))
    async with upstream(reply) as backend:
        graph = linked(*documents, books=backend.port).graph
        with running(graph, echo=False, change=quick) as envoy:
            await until(lambda: healthy(envoy) == 1)
            well = False
            failures = f"cluster.{CLUSTER}.health_check.failure"
            await until(lambda: healthy(envoy) == 0)
            assert envoy.stat(failures) >= 3
            well = True
            await until(lambda: healthy(envoy) == 1)
    assert {(seen.target, seen.headers["host"]) for seen in backend.seen} == {
        ("/alive", "books.test")
    }


async def test_a_tcp_check_sees_whether_the_port_is_open() -> None:
    documents = scene(**check("tcp"))
    with socket.socket() as closed:
        # Bound, so that nobody else gets it; without listening it is closed.
        closed.bind(("127.0.0.1", 0))
        graph = linked(*documents, books=closed.getsockname()[1]).graph
        with running(graph, echo=False, change=quick) as envoy:
            await until(lambda: envoy.stat(f"cluster.{CLUSTER}.health_check.failure") >= 3)
            assert healthy(envoy) == 0
    async with upstream() as backend:
        graph = linked(*documents, books=backend.port).graph
        with running(graph, echo=False, change=quick) as envoy:
            await until(lambda: healthy(envoy) == 1)


async def test_a_grpc_check_asks_the_health_service() -> None:
    documents = list(scene(**check("grpc")))
    documents[2]["spec"]["listeners"][0]["portMapping"]["protocol"] = "grpc"
    name = CLUSTER.replace("_http_", "_grpc_")
    async with grpc_upstream() as backend:
        graph = linked(*documents, books=backend.port).graph
        with running(graph, echo=False, change=quick) as envoy:
            healthy = partial(envoy.stat, f"cluster.{name}.membership_healthy")
            await until(lambda: healthy() == 1)
            backend.health = NOT_SERVING
            # Envoy counts to the threshold for lost connections only: an answer counts at once.
            await until(lambda: healthy() == 0)
            assert envoy.stat(f"cluster.{name}.health_check.failure") >= 1
            backend.health = SERVING
            await until(lambda: healthy() == 1)
    assert backend.checked == {b""}


@pytest.mark.parametrize("protocol", ["http", "http2", "grpc", "tcp"])
@pytest.mark.parametrize("spoken", ["http", "http2", "grpc"])
def test_envoy_takes_every_check_on_every_listener(protocol: str, spoken: str) -> None:
    books = scene(**check(protocol))[2]
    books["spec"]["listeners"][0]["portMapping"]["protocol"] = spoken
    documents = (MESH, gateway(), books, *scene()[3:])
    with running(linked(*documents, books=9).graph, echo=False) as envoy:
        assert envoy.stat(f"cluster.cds_egress_mesh_books_shop_{spoken}_80.membership_total") == 1


async def test_an_endpoint_that_fails_is_ejected_and_taken_back() -> None:
    detection = {
        "maxServerErrors": 3,
        "interval": {"unit": "ms", "value": 50},
        "baseEjectionDuration": {"unit": "ms", "value": 200},
        "maxEjectionPercent": 50,
    }
    documents = resources(scene(outlierDetection=detection))
    name = f"cluster.{CLUSTER}.outlier_detection.ejections"
    async with upstream(500) as bad, upstream() as good:
        given = GivenEndpoints(
            by_node={(key("VirtualNode", "books"), 80): Address("127.0.0.1", bad.port)}
        )
        graph = link(documents, given).graph

        def two(messages: Messages) -> None:
            (cluster,) = messages.clusters
            group = cluster.load_assignment.endpoints[0]
            group.lb_endpoints.add().CopyFrom(group.lb_endpoints[0])
            group.lb_endpoints[1].endpoint.address.socket_address.port_value = good.port

        with running(graph, echo=False, change=two) as envoy:
            statuses = Counter([await ask(envoy) for _ in range(20)])
            assert statuses[500] <= 8
            assert envoy.stat(f"{name}_consecutive_5xx") >= 1
            assert len(good.seen) >= 12
            await until(lambda: envoy.stat(f"{name}_active") == 0)


@pytest.mark.parametrize(
    ("response_type", "kind"), [("LOADBALANCER", "LOGICAL_DNS"), ("ENDPOINTS", "STRICT_DNS")]
)
async def test_dns_names_are_looked_up(response_type: str, kind: str) -> None:
    async with upstream() as backend:
        discovery = {
            "hostname": "localhost",
            "responseType": response_type,
            "ipPreference": "IPv4_ONLY",
        }
        documents = list(scene(discovery))
        documents[2]["spec"]["listeners"][0]["portMapping"]["port"] = backend.port
        kinds: list[str] = []

        def note(messages: Messages) -> None:
            cluster = messages.clusters[0]
            kinds.append(cluster.DiscoveryType.Name(cluster.type))

        with running(linked(*documents).graph, echo=False, change=note) as envoy:
            assert await ask(envoy) == 200
    assert kinds == [kind]


async def test_access_logs_are_written_as_the_manifest_says(tmp_path: Path) -> None:
    path = f"{tmp_path}/access.log"
    text = "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE%|\n"
    logging = {"accessLog": {"file": {"path": path, "format": {"text": text}}}}
    documents = list(scene())
    documents[1] = gateway(logging=logging)
    async with upstream(201) as backend, serving(*documents, books=backend.port) as envoy:
        await ask(envoy, "/a?b=c")
        await ask(envoy, "/last")
        await until(lambda: "last" in read(path))
    assert read(path) == "GET /a?b=c 201|\nGET /last 201|\n"


def read(path: str) -> str:
    return Path(path).read_text()
