"""Two thousand damaged manifests meet a real Envoy: no traceback, no rejection, no outage.

Twenty-five shops, each with manifests, a store and a compiler of its own, share one Envoy, so
that one push carries twenty-five mutations. An Envoy that rejects a resource names a rule that is
missing in `resources/rules`: manifests Pointsman accepts must be manifests Envoy accepts.
"""

import asyncio
import traceback
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pointsman.control.compile import Compiled, Compiler, Proxy
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.sealed import Sealed
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.gateway import Gateway
from pointsman.proxy.binary import find_envoy
from pointsman.proxy.bootstrap import bootstrap
from pointsman.proxy.supervisor import Supervisor
from pointsman.proxy.xds_cluster import XdsAddress
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem, Severity
from pointsman.resources.store import Store
from pointsman.xds.rejection import Rejection
from pointsman.xds.server import AdsServer
from pointsman.xds.snapshot import Snapshot
from tests.mutations.mutate import mutated
from tests.support.problems import problem_line
from tests.support.up import free_port
from tests.support.wait import eventually

MUTATIONS = 2000
SHOPS = 25
WIDE = (Path(__file__).parent / "wide.yaml").read_text(encoding="utf-8")

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("mutations")]


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

    def _arrange(self, proxies: Iterable[Proxy]) -> Iterator[tuple[Proxy, tuple[NodeClass]]]:
        for gateway in proxies:
            if not isinstance(gateway, Gateway):
                continue
            moved = tuple((item.port, self._local(item.port)) for item in gateway.listeners)
            log = gateway.access_log and replace(gateway.access_log, path="/dev/null")  # no litter
            node_class = NodeClass(gateway.key, "delta", "127.0.0.1", moved)
            yield replace(gateway, access_log=log), (node_class,)

    def _local(self, port: int) -> int:
        while port not in self._ports:
            free = free_port()
            if free not in self._ports.values():  # among a hundred, one comes twice now and then
                self._ports[port] = free
        return self._ports[port]

    def read(self, text: str) -> tuple[Compiled, tuple[Problem, ...]]:
        """Compiles a text; gives all that is said about it, too."""
        self._store.replace("shop.yaml", text)
        compiled = self._compiler.compile(self._store.resources(), self._given)
        problems = (*self._store.problems(), *compiled.problems)
        for problem in problems:
            assert problem_line(self._store.locate(problem))
        return compiled, problems

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


class Mall:
    """Shops behind one Envoy, its control plane, and what it rejected.

    Shop 0 is never damaged.
    """

    def __init__(self, shops: list[Shop], server: AdsServer, rejections: list[Rejection]) -> None:
        self.healthy, *self.damaged = shops
        self.rejections = rejections
        self._server = server
        self._compiled = {shop.number: shop.read(shop.text) for shop in shops}

    def change(self, shop: Shop, text: str) -> tuple[Problem, ...]:
        """Reads a shop's new text, to be pushed later; gives the problems."""
        compiled, problems = shop.read(text)
        self._compiled[shop.number] = compiled, problems
        return problems

    async def push(self) -> None:
        """Publishes, and waits for the acknowledgement."""
        snapshot = merged(compiled for compiled, _ in self._compiled.values())
        self._server.publish("all", snapshot)
        async with asyncio.timeout(30):
            await self._server.acknowledged("all", streams=1)

    async def mend(self) -> None:
        """Takes all damage back; every shop must serve then."""
        for shop in self.damaged:
            self.change(shop, shop.text)
        await self.push()
        await eventually(partial(_serves, (self.healthy, *self.damaged)))


@asynccontextmanager
async def mall(folder: Path) -> AsyncIterator[Mall]:
    rejections: list[Rejection] = []
    start = bootstrap(
        node_id="all",
        node_cluster="all",
        xds=XdsAddress(path=folder / "ads.sock"),
        admin=folder / "admin.sock",
    )
    server = AdsServer(lambda _node: "all", lambda _audience, item: rejections.append(item))
    await server.start(f"unix:{folder}/ads.sock")
    try:
        async with backend() as where, Supervisor(find_envoy(), start, folder) as envoy:
            ports: dict[int, int] = {}
            shops = [Shop(number, ports, where) for number in range(SHOPS + 1)]
            made = Mall(shops, server, rejections)
            await made.push()
            await envoy.wait_ready(30)
            await made.mend()
            assert rejections == []
            yield made
            await made.mend()
    finally:
        await server.stop(0.0)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_mutated_manifests(tmp_path: Path) -> None:
    faults: list[str] = []
    async with mall(tmp_path) as shops:
        for first in range(0, MUTATIONS, SHOPS):
            done = {}
            for shop, number in zip(shops.damaged, range(first, first + SHOPS), strict=True):
                done[f"s{shop.number}"], text = mutated(shop.text, number)
                try:
                    shops.change(shop, text)
                except Exception:
                    faults.append(f"{number}: {text}\n{traceback.format_exc()}")
            await shops.push()
            assert await status(shops.healthy.address()) == 200
            faults += map(partial(_blame, done), shops.rejections)
            shops.rejections.clear()
    assert not faults, f"{len(faults)} faults:\n" + "\n\n".join(faults[:40])


def _blame(done: dict[str, str], rejection: Rejection) -> str:
    blamed = [done[key.namespace] for key in rejection.keys if key.namespace in done]
    return f"{rejection.name}: {rejection.message[:400]} after {blamed or list(done.values())}"


EXTREMES = {
    "expression of 255 letters": ('regex: "/items/[0-9]+"', f"regex: {'a' * 255}"),
    "expression of 999 steps": ('regex: "v[0-9]+"', 'regex: "(?:ab){248}c{249}d{249}"'),
    "weights that are no hundred": ("weight: 70", "weight: 100"),
    "time of 68 years": ("{unit: ms, value: 2500}", "{unit: s, value: 2147483647}"),
    "ejection of 68 years": (
        "baseEjectionDuration: {unit: s, value: 10}",
        "baseEjectionDuration: {unit: s, value: 2147483647}",
    ),
    "idle time of 68 years": ("idle: {unit: s, value: 10}", "idle: {unit: s, value: 2147483647}"),
    "retries without end": ("maxRetries: 2", "maxRetries: 2147483647"),
    "retry time 0": (
        "perRetryTimeout: {unit: s, value: 1}",
        "perRetryTimeout: {unit: s, value: 0}",
    ),
    "connections without end": ("maxPendingRequests: 10", "maxPendingRequests: 2147483647"),
    "header of 255 bytes": ("match: {prefix: a}", f"match: {{prefix: {'a' * 255}}}"),
    "header beyond ASCII": ("match: {prefix: a}", "match: {prefix: größe}"),
    "query beyond ASCII": ("match: {exact: red}", 'match: {exact: "a b&ü"}'),
    "the widest range": (
        "range: {start: 1, end: 10}",
        "range: {start: -9223372036854775808, end: 9223372036854775807}",
    ),
    "a host twice, but for its case": ("exact: shop.example.com", "exact: SHOP.EXAMPLE.COM"),
    "a suffix and a host that meet": ("exact: items.example.com", "exact: x.example.com"),
    "a suffix without a dot": ("suffix: .example.com", "suffix: example.com"),
    "a path with every character": ("path: {exact: /split}", 'path: {exact: "/ä %2F;=&+,@!"}'),
    "a prefix that is all": ("prefix: /cart", "prefix: /"),
    "a name of 255 bytes": ("awsName: cart.", f"awsName: {'a' * 200}."),
    "a log line of 1000 bytes": ('text: "%START_TIME%', f'text: "{"%PROTOCOL%" * 80}%START_TIME%'),
    "an address that is no name": ("hostname: stock.localhost", "hostname: 10.0.0.1"),
}


async def test_extremes_that_are_accepted_are_accepted_by_envoy(tmp_path: Path) -> None:
    assert len(EXTREMES) <= SHOPS
    async with mall(tmp_path) as shops:
        done = {}
        for shop, (name, (old, new)) in zip(shops.damaged, EXTREMES.items(), strict=False):
            done[f"s{shop.number}"] = name
            assert shop.text.count(old) >= 1, name
            problems = shops.change(shop, shop.text.replace(old, new))
            errors = [p.message for p in problems if p.code.severity is Severity.ERROR]
            assert errors == [], name
        await shops.push()
        assert [_blame(done, rejection) for rejection in shops.rejections] == []
