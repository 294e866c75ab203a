"""Certificates that are replaced, or come late, while the proxy serves."""

import asyncio
import ssl
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pointsman.control.rejections import Rejections
from pointsman.control.retries import SecretRetries
from pointsman.envoy.node_class import Wire
from pointsman.xds.rejection import Rejection
from tests.support.certificates import Authority, Leaf, bundle
from tests.support.manifests import MESH, Document, gateway, gateway_route, node, service
from tests.support.tls import (
    AUDIENCE,
    REFUSED,
    TlsGateway,
    showing,
    tls_backend,
    tls_gateway,
    trusting,
)
from tests.support.wait import eventually

pytestmark = pytest.mark.envoy
PORT = 8443
HOST = "books.test"


def mesh(folder: Path, policy: Document | None = None) -> tuple[Document, ...]:
    """A gateway with a TLS listener and a plaintext one; its certificate is in a folder."""
    files = {
        "certificateChain": str(folder / "chain.pem"),
        "privateKey": str(folder / "key.pem"),
    }
    tls = {"mode": "STRICT", "certificate": {"file": files}}
    listeners = [
        {"portMapping": {"port": PORT, "protocol": "http"}, "tls": tls},
        {"portMapping": {"port": 8080, "protocol": "http"}},
    ]
    more: dict[str, Any] = {}
    if policy is not None:
        more = {"backendDefaults": {"clientPolicy": {"tls": policy}}}
    return (
        MESH,
        gateway(listeners=listeners, **more),
        node("books", 80),
        service("books", node="books"),
        gateway_route("secure", {"prefix": "/", "port": PORT}, "books"),
        gateway_route("plain", {"prefix": "/", "port": 8080}, "books"),
    )


class Swapped:
    """A folder as Kubernetes mounts a secret: files are links through one link that is swapped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        folder.mkdir()
        for name in ("chain.pem", "key.pem"):
            (folder / name).symlink_to(Path("..data") / name)

    def put(self, leaf: Leaf) -> None:
        self._count += 1
        fresh = self.folder / f"..{self._count}"
        fresh.mkdir()
        leaf.write(fresh)
        link = self.folder / "..data_tmp"
        link.symlink_to(fresh.name)
        link.replace(self.folder / "..data")


class Renamed:
    """A folder in which each file is replaced by a rename."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def put(self, leaf: Leaf) -> None:
        leaf.write(self.folder)


class Load:
    """Requests one after the other, each on a connection of its own, until it is left."""

    def __init__(self, shop: TlsGateway, port: int, context: ssl.SSLContext | None) -> None:
        self.statuses: Counter[int] = Counter()
        self._asked = shop, port, context
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Load":
        self._tasks = [asyncio.create_task(self._run()) for _ in range(4)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        shop, port, context = self._asked
        while True:
            self.statuses[await shop.ask(port, context)] += 1

    async def more(self, count: int) -> None:
        """Waits for that many further requests."""
        goal = self.statuses.total() + count
        await eventually(lambda: self.statuses.total() >= goal, 30, "requests")


@pytest.mark.parametrize("kind", [Swapped, Renamed])
async def test_a_listeners_certificate_is_replaced_under_load(
    tmp_path: Path, kind: type[Swapped] | type[Renamed]
) -> None:
    authority = Authority()
    ca = authority.write(tmp_path)
    folder = kind(tmp_path / "server")
    shown: list[Leaf] = [authority.issue("shop.test") for _ in range(4)]
    folder.put(shown[0])
    async with (
        tls_backend(None) as books,
        tls_gateway(*mesh(folder.folder), folder=tmp_path, backends={HOST: books.port}) as shop,
    ):
        client = trusting(ca)
        async with Load(shop, PORT, client) as load:
            for leaf in shown:
                folder.put(leaf)
                await eventually(partial(_shows, shop, client, leaf), what="rotation")
                await load.more(400)
        assert set(load.statuses) == {200}
        assert shop.rejections == []


async def _shows(shop: TlsGateway, client: ssl.SSLContext, leaf: Leaf) -> bool:
    try:
        shown = await shop.shown(PORT, client)
    except OSError:
        return False
    return shown == ssl.PEM_cert_to_DER_cert(leaf.chain.decode())


async def test_a_callers_certificate_and_authorities_are_replaced_under_load(
    tmp_path: Path,
) -> None:
    for name in ("server", "client", "ca", "backend", "later", "clients"):
        (tmp_path / name).mkdir()
    clients, first, second = Authority("clients"), Authority("first"), Authority("second")
    old, new = clients.issue("a"), clients.issue("b")
    files = old.write(tmp_path / "client")
    ca = first.write(tmp_path / "ca")
    policy = {
        "certificate": files.manifest,
        "validation": {"trust": {"file": {"certificateChain": str(ca)}}},
    }
    asks = clients.write(tmp_path / "clients")
    context = showing(first.issue(HOST).write(tmp_path / "backend"), asks)
    async with (
        tls_backend(context) as books,
        tls_gateway(
            *mesh(tmp_path / "server", policy), folder=tmp_path, backends={HOST: books.port}
        ) as shop,
        Load(shop, 8080, None) as load,
    ):
        await load.more(300)
        bundle(tmp_path / "ca", (first, second))
        new.write(tmp_path / "client")
        later = second.issue(HOST).write(tmp_path / "later")
        await eventually(lambda: _trusts(shop, second), what="the new authorities")
        context.load_cert_chain(later.chain, later.key)
        books.disconnect()
        await eventually(lambda: len(books.seen) == 2, what="the new certificate of the caller")
        await load.more(300)
    assert set(load.statuses) == {200}
    assert set(books.seen) == {old.serial, new.serial}
    assert books.seen[new.serial] >= 300


async def _trusts(shop: TlsGateway, authority: Authority) -> bool:
    return authority.serial.lower() in (await shop.envoy.admin("/certs")).lower()


async def test_a_certificate_that_is_not_there_yet_holds_nothing_else_up(tmp_path: Path) -> None:
    authority = Authority()
    ca = authority.write(tmp_path)
    folder = tmp_path / "server"
    folder.mkdir()
    async with (
        tls_backend(None) as books,
        tls_gateway(*mesh(folder), folder=tmp_path, backends={HOST: books.port}) as shop,
    ):
        assert await shop.ask(8080) == 200
        assert await shop.ask(PORT, trusting(ca)) == REFUSED
        assert await shop.ask(PORT) == REFUSED
        (rejection,) = shop.rejections
        assert f"Invalid path: {folder}/" in rejection.message
        shown = Rejections()
        shown.add(AUDIENCE, rejection)
        (problem,) = shown.problems()
        assert (problem.code.id, problem.key and problem.key.name) == ("PM604", "gateway")
        authority.issue("shop.test").write(folder)
        await eventually(lambda: shop.ask(PORT, trusting(ca)), what="the certificate")


@pytest.mark.parametrize("wire", ["delta", "sotw"])
async def test_a_folder_that_comes_late_is_found_when_it_is_offered_again(
    tmp_path: Path, wire: Wire
) -> None:
    authority = Authority()
    ca = authority.write(tmp_path)
    folder = tmp_path / "server"
    retries = SecretRetries()
    async with (
        tls_backend(None) as books,
        tls_gateway(*mesh(folder), folder=tmp_path, backends={HOST: books.port}, wire=wire) as shop,
    ):

        async def offer() -> list[Rejection]:
            """Offers again what was rejected last; what is rejected now."""
            assert retries.rejected(AUDIENCE, shop.rejections[-1])
            shop.rejections.clear()
            shop.server.publish(AUDIENCE, retries.apply(AUDIENCE, shop.snapshot))
            async with asyncio.timeout(10):
                await shop.server.acknowledged(AUDIENCE, streams=1)
            return shop.rejections

        await eventually(lambda: shop.rejections)
        for _ in range(3):
            (rejection,) = await offer()
            assert "unable to add filesystem watch" in rejection.message
        assert await shop.ask(8080) == 200
        folder.mkdir()
        first, second = authority.issue("shop.test"), authority.issue("shop.test")
        first.write(folder)
        assert await offer() == []
        client = trusting(ca)
        await eventually(partial(_shows, shop, client, first), what="the certificate")
        second.write(folder)
        await eventually(partial(_shows, shop, client, second), what="rotation")
