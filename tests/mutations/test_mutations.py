"""Two thousand damaged manifests meet a real Envoy: no traceback, no rejection, no outage.

Twenty-five shops, each with manifests, a store and a compiler of its own, share one Envoy, so
that one push carries twenty-five mutations. An Envoy that rejects a resource names a rule that is
missing in `resources/rules`: manifests Pointsman accepts must be manifests Envoy accepts.
"""

import asyncio
import traceback
from collections.abc import AsyncIterator, Hashable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pointsman.control.compile import Compiled, Compiler
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.sealed import Sealed
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.gateway import Gateway
from pointsman.proxy.binary import find_envoy
from pointsman.proxy.bootstrap import XdsAddress, bootstrap
from pointsman.proxy.supervisor import Supervisor
from pointsman.resources.key import Key
from pointsman.resources.report import problem_line
from pointsman.resources.store import Store
from pointsman.xds.rejection import Rejection
from pointsman.xds.server import AdsServer
from pointsman.xds.snapshot import Snapshot
from tests.mutations.mutate import mutated
from tests.support.up import free_port
from tests.support.wait import eventually

MUTATIONS = 2000
SHOPS = 25
WIDE = (Path(__file__).parent / "wide.yaml").read_text(encoding="utf-8")

pytestmark = [pytest.mark.envoy, pytest.mark.slow]


class Shop:
    """Manifests that are damaged over and over, and what is made of them."""

    def __init__(self, number: int, ports: dict[int, int], backend: Address) -> None:
        self.number = number
        self.text = WIDE.replace("zz", f"s{number}").replace("1800", str(1800 + number))
        self._ports = ports
        self._store = Store()
        self._compiler = Compiler(self._arrange)
        node = Key("VirtualNode", f"s{number}", "dns")
        self._given = GivenEndpoints(by_node={(node, 8080): backend})

    def _arrange(self, gateways: Iterable[Gateway]) -> Iterator[tuple[Gateway, NodeClass]]:
        for gateway in gateways:
            moved = tuple((item.port, self._local(item.port)) for item in gateway.listeners)
            log = gateway.access_log and replace(gateway.access_log, path="/dev/null")  # no litter
            node_class = NodeClass(gateway.key, "delta", "127.0.0.1", moved)
            yield replace(gateway, access_log=log), node_class

    def _local(self, port: int) -> int:
        if port not in self._ports:
            self._ports[port] = free_port()
        return self._ports[port]

    def read(self, text: str) -> Compiled:
        """Compiles a text, and looks at all that is said about it."""
        self._store.replace("shop.yaml", text)
        compiled = self._compiler.compile(self._store.resources(), self._given)
        for problem in (*self._store.problems(), *compiled.problems):
            assert problem_line(self._store.locate(problem))
        return compiled

    def address(self) -> tuple[str, int]:
        """Where its first gateway's first listener is bound."""
        return "127.0.0.1", self._local(18000 + 10 * self.number)


def merged(shops: Iterable[Compiled]) -> Snapshot:
    """What all shops have, for the one Envoy; of two resources with one name the first stays."""
    resources: dict[str, dict[str, Sealed]] = {}
    for compiled in shops:
        for snapshot in compiled.snapshots.values():
            for type_url, items in snapshot.resources.items():
                resources.setdefault(type_url, {})
                for name, sealed in items.items():
                    resources[type_url].setdefault(name, sealed)
    return Snapshot(resources)


@asynccontextmanager
async def backend() -> AsyncIterator[Address]:
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


async def status(address: tuple[str, int]) -> int:
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET /open HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return int(line.split()[1])


async def _serves(shops: Iterable[Shop]) -> bool:
    found: list[int | OSError] = []
    for shop in shops:
        try:
            found.append(await status(shop.address()))
        except OSError as error:
            found.append(error)
    return set(found) == {200}


class Envoys:
    """The one Envoy's control plane, and what it rejected."""

    def __init__(self) -> None:
        self.rejections: list[Rejection] = []
        self.server = AdsServer(lambda _node: "all", self._rejected)

    def _rejected(self, _audience: Hashable, rejection: Rejection) -> None:
        self.rejections.append(rejection)

    async def push(self, snapshot: Snapshot) -> None:
        self.server.publish("all", snapshot)
        async with asyncio.timeout(30):
            await self.server.acknowledged("all", streams=1)


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("mutations")
async def test_mutated_manifests(tmp_path: Path) -> None:
    ports: dict[int, int] = {}
    envoys = Envoys()
    faults: list[str] = []
    start = bootstrap(
        node_id="all",
        node_cluster="all",
        xds=XdsAddress(path=tmp_path / "ads.sock"),
        admin_socket=tmp_path / "admin.sock",
    )
    await envoys.server.start(f"unix:{tmp_path}/ads.sock")
    try:
        async with backend() as where, Supervisor(find_envoy(), start, tmp_path):
            shops = [Shop(number, ports, where) for number in range(SHOPS + 1)]
            healthy, *damaged = shops
            compiled = {shop.number: shop.read(shop.text) for shop in shops}
            await envoys.push(merged(compiled.values()))
            await eventually(partial(_serves, shops))
            assert envoys.rejections == []
            for first in range(0, MUTATIONS, SHOPS):
                done = {}
                for shop, number in zip(damaged, range(first, first + SHOPS), strict=True):
                    done[shop.number], text = mutated(shop.text, number)
                    try:
                        compiled[shop.number] = shop.read(text)
                    except Exception:
                        faults.append(f"{number}: {done[shop.number]}\n{traceback.format_exc()}")
                await envoys.push(merged(compiled.values()))
                assert await status(healthy.address()) == 200
                for rejection in envoys.rejections:
                    by = {key.namespace for key in rejection.keys}
                    blamed = [text for n, text in done.items() if f"s{n}" in by] or [*done.values()]
                    faults.append(f"{rejection.name}: {rejection.message[:400]} from {blamed}")
                envoys.rejections.clear()
            for shop in damaged:
                compiled[shop.number] = shop.read(shop.text)
            await envoys.push(merged(compiled.values()))
            await eventually(partial(_serves, shops))
    finally:
        await envoys.server.stop(0.0)
    assert not faults, f"{len(faults)} faults:\n" + "\n\n".join(faults[:40])
