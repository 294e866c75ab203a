"""A gateway of a real Envoy over ADS, with clients and backends that speak TLS.

Certificates are in files of a test's folder, so that the proxy reads them as it does in earnest.
"""

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pointsman.envoy.node_class import NodeClass, Wire
from pointsman.envoy.translate import translate
from pointsman.graph.link import link
from pointsman.graph.links.certificates import CertificateMap
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.cluster import Address
from pointsman.xds.rejection import Rejection
from pointsman.xds.server import AdsServer
from pointsman.xds.snapshot import Snapshot
from tests.support.certificates import Files
from tests.support.envoy import RunningEnvoy, running_envoy
from tests.support.http1 import read_body, read_head, request_bytes
from tests.support.manifests import Document, resources
from tests.support.wait import eventually

SECONDS = 10.0
AUDIENCE = "tls"
_HANDSHAKE = b"\x16"
"""The first byte of a client that speaks TLS."""
REFUSED = 0
"""Stands for the status of a request that found no connection."""


@dataclass
class TlsGateway:
    """A gateway that runs.

    Attributes:
        envoy: its Envoy.
        ports: local port by the manifest's.
        rejections: what Envoy would not take.
        server: its control plane, which calls it `AUDIENCE`.
        snapshot: what it was given.
    """

    envoy: RunningEnvoy
    ports: dict[int, int]
    rejections: list[Rejection]
    server: AdsServer
    snapshot: Snapshot

    async def ask(self, port: int, context: ssl.SSLContext | None = None, target: str = "/") -> int:
        """The status of one request on a connection of its own, or REFUSED."""
        try:
            async with asyncio.timeout(SECONDS):
                return await _ask(self.ports[port], context, target)
        except (OSError, asyncio.IncompleteReadError):
            return REFUSED

    async def shown(self, port: int, context: ssl.SSLContext) -> bytes | None:
        """The certificate a listener shows, as DER."""
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(
                "127.0.0.1", self.ports[port], ssl=context, server_hostname="shop.test"
            )
        connection = writer.get_extra_info("ssl_object")
        writer.close()
        shown: bytes | None = connection.getpeercert(binary_form=True)
        return shown

    async def agreed(self, port: int, context: ssl.SSLContext) -> tuple[str | None, str | None]:
        """The protocol and the version of TLS that a client and a listener agree upon."""
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(
                "127.0.0.1", self.ports[port], ssl=context, server_hostname="shop.test"
            )
        connection = writer.get_extra_info("ssl_object")
        writer.close()
        return connection.selected_alpn_protocol(), connection.version()


async def _ask(port: int, context: ssl.SSLContext | None, target: str) -> int:
    name = "shop.test" if context is not None else None
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=name
    )
    try:
        writer.write(request_bytes("GET", target, "shop.test"))
        first, headers = await read_head(reader)
        await read_body(reader, dict(headers))
        return int(first.split(" ")[1])
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def tls_gateway(
    *documents: Document,
    folder: Path,
    backends: dict[str, int] | None = None,
    certificates: CertificateMap | None = None,
    wire: Wire = "delta",
) -> AsyncIterator[TlsGateway]:
    """Runs the only gateway of some documents.

    Args:
        documents: the mesh.
        folder: for sockets, with a short path.
        backends: ports of 127.0.0.1 where hosts of virtual nodes are, proxies included.
        certificates: what stands for ARNs.
        wire: which ADS.
    """
    written = resources(documents)
    given = {
        (host, listener.port_mapping.port): Address("127.0.0.1", port)
        for host, port in (backends or {}).items()
        for node in written.of("VirtualNode").values()
        for listener in node.spec.listeners
    }
    graph = link(written, GivenEndpoints(by_name=given), certificates=certificates).graph
    (gateway,) = graph.gateways.values()
    ports = {listener.port: free_port() for listener in gateway.listeners}
    node_class = NodeClass(gateway.key, wire, "127.0.0.1", tuple(ports.items()))
    rejections: list[Rejection] = []
    server = AdsServer(lambda _: AUDIENCE, lambda _, rejection: rejections.append(rejection))
    await server.start(f"unix:{folder}/ads.sock")
    snapshot = Snapshot(translate(graph, node_class).resources)
    server.publish(AUDIENCE, snapshot)
    try:
        async with running_envoy(folder, f"unix:{folder}/ads.sock", delta=wire == "delta") as envoy:
            await eventually(partial(_is_live, envoy), 20, "Envoy")
            yield TlsGateway(envoy, ports, rejections, server, snapshot)
    finally:
        await server.stop(0.0)


async def _is_live(envoy: RunningEnvoy) -> bool:
    return (await envoy.admin("/ready")).startswith("LIVE")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def trusting(authorities: Path, shown: Files | None = None) -> ssl.SSLContext:
    """A client that verifies servers named shop.test, and shows a certificate if it has one."""
    context = ssl.create_default_context(cafile=str(authorities))
    if shown is not None:
        context.load_cert_chain(shown.chain, shown.key)
    return context


def showing(files: Files, clients: Path | None = None) -> ssl.SSLContext:
    """A server that shows a certificate; with `clients` it wants one of those authorities."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.chain, files.key)
    if clients is not None:
        context.load_verify_locations(str(clients))
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@dataclass
class TlsBackend:
    """A backend; it counts its requests by the serial number of the client's certificate.

    A client that shows none counts as "", one without TLS as "plaintext". Protocols that clients
    agreed to are in `agreed`.
    """

    port: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    agreed: set[str | None] = field(default_factory=set)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _leaving: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers every request with 200."""
        connection = writer.get_extra_info("ssl_object")
        shown = connection.getpeercert() if connection is not None else None
        if connection is not None:
            self.agreed.add(connection.selected_alpn_protocol())
        self._open.add(writer)
        peer = "plaintext" if connection is None else (shown or {}).get("serialNumber", "")
        try:
            while True:
                if await reader.readexactly(1) == _HANDSHAKE:
                    break  # TLS where none is spoken: no server would understand it
                await reader.readuntil(b"\r\n\r\n")
                self.seen[peer] += 1
                goes = b"connection: close\r\n" if writer in self._leaving else b""
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n" + goes + b"\r\nok")
                if goes:
                    break
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    def disconnect(self) -> None:
        """Ends every connection there is, each after its next answer."""
        self._leaving |= self._open


@asynccontextmanager
async def tls_backend(context: ssl.SSLContext | None) -> AsyncIterator[TlsBackend]:
    """Runs a backend on 127.0.0.1; without a context it speaks plaintext."""
    backend = TlsBackend()
    server = await asyncio.start_server(backend.serve, "127.0.0.1", 0, ssl=context)
    backend.port = server.sockets[0].getsockname()[1]
    try:
        yield backend
    finally:
        server.close()
