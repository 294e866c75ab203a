"""Real traffic while endpoints come and go, and while whoever tells of them is dead."""

import asyncio
import socket
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from pointsman.control.endpoints import Endpoints
from pointsman.envoy.bundle import Bundle
from pointsman.envoy.node_class import NodeClass, Wire
from pointsman.registry.aws import AwsDiscovery
from pointsman.registry.cloud_map import CloudMap
from pointsman.registry.instance import Instance, ServiceName
from pointsman.registry.registry import Registry
from pointsman.xds.server import AdsServer
from pointsman.xds.snapshot import Snapshot
from tests.registry.aws import REGION, Aws
from tests.registry.instances import CART
from tests.registry.mesh import EDGE, REGISTERED, class_of, compiler, shop
from tests.support.envoy import RunningEnvoy, running_envoy
from tests.support.http1 import Client
from tests.support.upstream import Upstream, upstream
from tests.support.wait import eventually

pytestmark = pytest.mark.envoy

CLASS = "edge"
CONFIGURATION = r"(cds|lds|rds_ingress.*|vhds.*)\.update_(success|attempt)|cluster_modified"
"""Counters that grow when anything but endpoints reaches Envoy."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="reg") as path:
        yield Path(path)


class ZoneAware(Endpoints):
    """For proxies in zone `a`, and with every cluster as a policy will make it."""

    def compose(self, bundles: Mapping[NodeClass, Bundle]) -> Mapping[NodeClass, Snapshot]:
        return super().compose(
            {
                node_class: Bundle(
                    item.resources,
                    {name: replace(c, zone_aware=True) for name, c in item.supplied.items()},
                )
                for node_class, item in bundles.items()
            }
        )


class Plane:
    """A control plane that serves one gateway."""

    def __init__(self, registry: Registry, port: int, wire: Wire, zone_aware: bool) -> None:
        self.server = AdsServer(lambda _node: CLASS)
        self._endpoints = ZoneAware(registry) if zone_aware else Endpoints(registry)
        zone = "a" if zone_aware else ""
        made = compiler(self._endpoints, wire, {8080: port}, zone)
        compiled = made.compile(shop(), REGISTERED)
        self._class = class_of(compiled, EDGE)
        self.server.publish(CLASS, compiled.snapshots[self._class])
        registry.on_change(self._update)

    def _update(self, services: Collection[ServiceName]) -> None:
        changed = self._endpoints.update(services)
        if self._class in changed:
            self.server.publish(CLASS, changed[self._class])

    async def acknowledged(self) -> None:
        async with asyncio.timeout(20):
            await self.server.acknowledged(CLASS, streams=1)


@asynccontextmanager
async def plane(
    folder: Path,
    registry: Registry,
    port: int,
    wire: Wire = "delta",
    *,
    zone_aware: bool = False,
) -> AsyncIterator[Plane]:
    made = Plane(registry, port, wire, zone_aware)
    await made.server.start(f"unix:{folder}/ads.sock")
    try:
        yield made
    finally:
        await made.server.stop(0.0)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def at(backend: Upstream, zone: str = "", *, healthy: bool = True) -> Instance:
    attributes = {"AWS_INSTANCE_IPV4": "127.0.0.1", "pointsman.dev/port.8080": str(backend.port)}
    if zone:
        attributes["AVAILABILITY_ZONE"] = zone
    return Instance(CART, f"port-{backend.port}", attributes, healthy)


@asynccontextmanager
async def load(port: int, clients: int = 4) -> AsyncIterator[Counter[int]]:
    """Requests without a pause until left, counted by status; 0 for a broken connection."""
    seen: Counter[int] = Counter()
    stop = asyncio.Event()

    async def ask() -> None:
        async with Client(port) as client:
            while not stop.is_set():
                try:
                    seen[(await client.ask("GET", "/cart", "shop")).status] += 1
                except (OSError, EOFError):
                    seen[0] += 1

    async with asyncio.TaskGroup() as tasks:
        for _ in range(clients):
            tasks.create_task(ask())
        try:
            yield seen
        finally:
            stop.set()


async def more(seen: Counter[int], number: int = 50) -> None:
    """Waits for so many requests more."""
    goal = seen.total() + number
    await eventually(lambda: seen.total() >= goal, what="requests go on")


async def serves(port: int) -> bool:
    try:
        async with Client(port) as client:
            return (await client.ask("GET", "/cart", "shop")).status == 200
    except (OSError, EOFError):
        return False


@asynccontextmanager
async def backends(count: int) -> AsyncIterator[list[Upstream]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(upstream()) for _ in range(count)]


async def configuration(envoy: RunningEnvoy) -> dict[str, int]:
    return await envoy.counters(CONFIGURATION)


@pytest.mark.parametrize("wire", ["delta", "sotw"])
async def test_endpoints_come_and_go_without_a_failed_request(folder: Path, wire: Wire) -> None:
    registry, port = Registry(["files"]), free_port()
    async with backends(3) as found, plane(folder, registry, port, wire) as made:
        registry.replace("files", {CART: [at(found[0])]})
        async with running_envoy(folder, f"unix:{folder}/ads.sock", delta=wire == "delta") as envoy:
            await made.acknowledged()
            await eventually(lambda: serves(port))
            before = await configuration(envoy)
            async with load(port) as seen:
                for turn in range(40):
                    chosen = [at(found[turn % 3]), at(found[(turn + 1) % 3])]
                    registry.put("files", CART, chosen)
                    await made.acknowledged()
                    await more(seen, 10)
                registry.put("files", CART, [at(found[0])])
                await made.acknowledged()
                await more(seen)
                rest = [len(item.seen) for item in found[1:]]
                await more(seen)
                assert [len(item.seen) for item in found[1:]] == rest
            assert set(seen) == {200}
            assert all(len(item.seen) > 50 for item in found)
            assert before
            assert await configuration(envoy) == before


async def test_a_request_in_flight_at_a_removed_endpoint_is_answered(folder: Path) -> None:
    registry, port = Registry(["files"]), free_port()
    go = asyncio.Event()

    async def late(_: object) -> int:
        await go.wait()
        return 200

    async with upstream(late) as old, upstream() as new, plane(folder, registry, port) as made:
        registry.replace("files", {CART: [at(old)]})
        async with running_envoy(folder, f"unix:{folder}/ads.sock"), Client(port) as client:
            await made.acknowledged()
            await eventually(lambda: _connects(port))
            asked = asyncio.create_task(client.ask("GET", "/cart", "shop"))
            await eventually(lambda: old.waiting == 1)
            registry.put("files", CART, [at(new)])
            await made.acknowledged()
            assert await serves(port)
            go.set()
            assert (await asked).status == 200
            assert len(new.seen) == 1


async def _connects(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.mark.parametrize("wire", ["delta", "sotw"])
async def test_a_control_plane_that_lost_its_registry_stops_no_traffic(
    folder: Path, wire: Wire
) -> None:
    """Both die, and only the control plane comes back: nobody can tell where the carts are."""
    registry, port = Registry(["cloud-map"]), free_port()
    async with backends(2) as found, AsyncExitStack() as stack:
        async with plane(folder, registry, port, wire):
            registry.replace("cloud-map", {CART: [at(found[0])]})
            envoy = await stack.enter_async_context(
                running_envoy(folder, f"unix:{folder}/ads.sock", delta=wire == "delta")
            )
            await eventually(lambda: serves(port), seconds=20)
            registry.fail("cloud-map", "down", CART)
            assert await serves(port)
        async with load(port) as seen:
            await more(seen)
            forgetful = Registry(["cloud-map"])
            forgetful.fail("cloud-map", "down", CART)
            async with plane(folder, forgetful, port, wire) as second:
                await second.acknowledged()
                await more(seen, 200)
                forgetful.put("cloud-map", CART, [at(found[1])])
                await second.acknowledged()
                await eventually(lambda: found[1].seen)
                await more(seen)
        assert set(seen) == {200}
        assert await envoy.counter("cluster_manager.cds.update_rejected") == 0


async def test_cloud_map_is_followed_and_its_death_stops_no_traffic(
    folder: Path, cloud: Aws, moto: ThreadedMotoServer
) -> None:
    registry, port = Registry(["cloud-map"]), free_port()
    cloud.service(CART)
    async with backends(2) as found, AsyncExitStack() as stack:
        cloud.register(CART, "a", **at(found[0]).attributes)
        cloud_map = CloudMap(registry, AwsDiscovery(REGION, cloud.url), interval_s=0.05)
        stack.push_async_callback(cloud_map.stop)
        cloud_map.follow([CART])
        await cloud_map.answered(10)
        made = await stack.enter_async_context(plane(folder, registry, port))
        await stack.enter_async_context(running_envoy(folder, f"unix:{folder}/ads.sock"))
        await made.acknowledged()
        await eventually(lambda: serves(port))
        async with load(port) as seen:
            cloud.register(CART, "b", **at(found[1]).attributes)
            await eventually(lambda: found[1].seen)
            await asyncio.to_thread(moto.stop)
            await eventually(lambda: registry.states()[0].failures)
            before = [len(item.seen) for item in found]
            await more(seen, 200)
            assert all(len(item.seen) > was for item, was in zip(found, before, strict=True))
        assert set(seen) == {200}


async def test_requests_stay_in_the_zone_and_spill_over_when_it_is_short(folder: Path) -> None:
    registry, port = Registry(["files"]), free_port()
    async with backends(4) as found:
        near, far = found[:3], found[3]

        def carts(healthy: int) -> list[Instance]:
            chosen = [at(item, "a", healthy=n < healthy) for n, item in enumerate(near)]
            return [*chosen, at(far, "b")]

        registry.replace("files", {CART: carts(3)})
        async with plane(folder, registry, port, zone_aware=True) as made:
            async with running_envoy(folder, f"unix:{folder}/ads.sock"):
                await made.acknowledged()
                await eventually(lambda: serves(port))
                async with load(port) as seen:
                    await more(seen, 200)
                    assert not far.seen
                    registry.put("files", CART, carts(1))
                    await made.acknowledged()
                    await more(seen, 50)
                    before = [len(item.seen) for item in found]
                    await more(seen, 400)
                    after = [len(item.seen) for item in found]
                    delta = [b - a for a, b in zip(before, after, strict=True)]
            assert set(seen) == {200}
            assert delta[1:3] == [0, 0]
            # A third of three is healthy: 1.4 x 33 % = 47 % stay.
            assert 0.35 < delta[0] / sum(delta) < 0.6
