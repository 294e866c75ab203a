"""Shops behind two Envoys, one for their gateways and one for their sidecars."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pointsman.control.compile import Compiled
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.sealed import Sealed
from pointsman.graph.model.cluster import Address
from pointsman.identity import ca
from pointsman.identity.secrets import identity_secret, trust_secret, with_secrets
from pointsman.proxy.binary import EnvoyBinary, find_envoy
from pointsman.proxy.bootstrap import bootstrap
from pointsman.proxy.supervisor import Supervisor
from pointsman.proxy.validate import validate
from pointsman.proxy.xds_cluster import XdsAddress
from pointsman.resources.problem import Problem
from pointsman.xds.rejection import Rejection
from pointsman.xds.server import AdsServer
from pointsman.xds.snapshot import Snapshot
from tests.mutations.apart import in_one_file
from tests.mutations.shop import Asked, Ports, Shop, gateways, redirected, sidecars
from tests.support.sds import local_sds
from tests.support.secret_files import secret_files, with_files
from tests.support.wait import eventually

SHOPS = 25
"""Shops that are damaged; one more is not."""
GATEWAYS, SIDECARS = "gateways", "sidecars"
"""Node ids of the two Envoys."""


class Mall:
    """Shops, their control plane, and what was rejected.

    Shop 0 is never damaged.
    """

    def __init__(
        self,
        shops: list[Shop],
        server: AdsServer,
        rejections: list[Rejection],
        files: dict[str, str],
        binary: EnvoyBinary,
    ) -> None:
        self.healthy, *self.damaged = shops
        self.rejections = rejections
        self._server = server
        self._files = files
        self._binary = binary
        self._secrets = _identity()
        self._compiled = {shop.number: shop.read(shop.text)[0] for shop in shops}
        self._any, *_ = self._compiled[0].graph.sidecars.values()
        self._known: dict[NodeClass, Snapshot] = {}

    def change(self, shop: Shop, text: str) -> tuple[Problem, ...]:
        """Reads a shop's new text, to be pushed later; gives the problems."""
        self._compiled[shop.number], problems = shop.read(text)
        return problems

    async def push(self) -> None:
        """Publishes, and waits for the acknowledgements."""
        for name, merged in ((GATEWAYS, gateways), (SIDECARS, sidecars)):
            snapshot = with_files(merged(self._compiled.values()), self._files)
            self._server.publish(name, with_secrets(snapshot, self._secrets))
        async with asyncio.timeout(30):
            for name in (GATEWAYS, SIDECARS):
                await self._server.acknowledged(name, streams=1)

    async def complaints(self) -> dict[str, list[str]]:
        """What Envoy says to the shops' sidecars to whom connections are redirected, by shop."""
        if not await self._invalid(self._compiled.values()):
            return {}
        found = {
            f"s{number}": await self._invalid((compiled,))
            for number, compiled in self._compiled.items()
        }
        return {name: said for name, said in found.items() if said} or {"all": ["together only"]}

    async def _invalid(self, shops: Iterable[Compiled]) -> list[str]:
        made = in_one_file(self._any, redirected(shops, self._known))
        return await asyncio.to_thread(validate, self._binary, json.dumps(made))

    def know(self) -> None:
        """Takes for valid what sidecars have now."""
        for compiled in self._compiled.values():
            self._known.update(compiled.snapshots)

    async def mend(self) -> None:
        """Takes all damage back; every shop must serve then."""
        for shop in self.damaged:
            if shop.is_damaged:
                self.change(shop, shop.text)
        await self.push()
        every = [asked for shop in (self.healthy, *self.damaged) for asked in shop.asked()]
        await eventually(partial(serves, every))


async def serves(places: Iterable[Asked]) -> bool:
    """Whether all of them answer 200."""
    found: list[int | OSError] = []
    for place in places:
        try:
            found.append(await _status(*place))
        except OSError as error:
            found.append(error)
    return set(found) == {200}


async def _status(address: tuple[str, int], host: str) -> int:
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(*address)
        request = f"GET http://{host}/open HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
        writer.write(request.encode())
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
    if not line:
        raise ConnectionError("closed before an answer")
    return int(line.split()[1])


def _identity() -> tuple[Sealed, ...]:
    authority = ca.Authority.in_memory(datetime.now(UTC))
    issued = authority.issue("mesh/mall/virtualNode/any", (), datetime.now(UTC))
    return identity_secret(issued), trust_secret(authority)


@asynccontextmanager
async def _backend() -> AsyncIterator[Address]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1])


@asynccontextmanager
async def mall(folder: Path) -> AsyncIterator[Mall]:
    """Opens one: all shops serve, and do again at the end."""
    rejections: list[Rejection] = []
    server = AdsServer(lambda node: node.id, lambda _audience, item: rejections.append(item))
    await server.start(f"unix:{folder}/ads.sock")
    async with AsyncExitStack() as opened:
        opened.push_async_callback(server.stop, 0.0)
        sds = await opened.enter_async_context(local_sds(folder))
        files = await secret_files(folder, sds)
        backend = await opened.enter_async_context(_backend())
        binary, ports = find_envoy(), Ports()
        shops = [Shop(number, ports, backend) for number in range(SHOPS + 1)]
        made = Mall(shops, server, rejections, files, binary)
        envoys = [
            await opened.enter_async_context(_envoy(binary, folder, node_id, sds.socket))
            for node_id in (GATEWAYS, SIDECARS)
        ]
        await made.push()
        for envoy in envoys:
            await envoy.wait_ready(30)
        await made.mend()
        assert rejections == []
        assert await made.complaints() == {}
        made.know()
        yield made
        await made.mend()


def _envoy(binary: EnvoyBinary, folder: Path, node_id: str, sds: Path) -> Supervisor:
    home = folder / node_id
    home.mkdir()
    start = bootstrap(
        node_id=node_id,
        node_cluster="all",
        xds=XdsAddress(path=folder / "ads.sock"),
        admin=home / "admin.sock",
        sds_socket=sds,
    )
    return Supervisor(binary, start, home)
