"""What a control plane compiles, and when, without processes around it."""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from grpc import aio

from pointsman.app.plane import ControlPlane
from pointsman.app.serve import IDLE_S, Elsewhere, ServeOptions
from pointsman.app.site import News, Published
from pointsman.control.compile import Proxy
from pointsman.envoy.node_class import NodeClass
from pointsman.errors import PointsmanError
from pointsman.graph.model.gateway import Gateway
from pointsman.resources.key import Key
from pointsman.xds.address import ListenOptions
from pointsman.xds.nodes import Newcomer
from tests.support.serve import GATEWAY
from tests.support.wait import eventually
from tests.up import manifests
from tests.xds.test_xds_server import subscribe

SHOP = {
    "mesh.yaml": manifests.text(
        manifests.mesh(), manifests.gateway("front", 8080), *manifests.shop("web")
    )
}


class Silent(News):
    def changed(self, published: Published) -> None: ...

    def failed(self, error: PointsmanError) -> None: ...


class Watched(Elsewhere):
    """Remembers which classes are compiled at each run."""

    def __init__(self, clock: list[float]) -> None:
        super().__init__(ServeOptions((), ListenOptions("unix:/x")), clock=lambda: clock[0])
        self.arranged: list[NodeClass] = []

    def arrange(self, proxies: Iterable[Proxy]) -> Iterator[tuple[Proxy, Collection[NodeClass]]]:
        found = list(super().arrange(proxies))
        self.arranged = [item for _, classes in found for item in classes]
        yield from found


@asynccontextmanager
async def plane(site: Watched, folder: Path) -> AsyncIterator[ControlPlane]:
    made = ControlPlane((), {}, site, Silent())
    site.connected = made.server.nodes
    await made.load(SHOP)
    await made.publish()
    await made.server.start(f"unix:{folder}/xds.sock")
    try:
        yield made
    finally:
        await made.server.stop(0.0)


async def test_a_class_is_compiled_when_it_connects_and_forgotten_when_it_is_long_gone(
    folder: Path,
) -> None:
    clock = [0.0]
    site = Watched(clock)
    async with plane(site, folder) as made:
        await made.load(SHOP)
        assert site.arranged == []
        async with aio.insecure_channel(f"unix:{folder}/xds.sock") as channel:
            call = await subscribe(channel, id=GATEWAY)
            assert (await call.read()).resources
            clock[0] = 2 * IDLE_S
            await made.load(SHOP)
            assert [(item.wire, item.zone) for item in site.arranged] == [("delta", "")]
            call.cancel()
            await eventually(lambda: not made.server.nodes)
        clock[0] += IDLE_S / 2
        await made.load(SHOP)
        assert len(site.arranged) == 1
        clock[0] += IDLE_S
        await made.load(SHOP)
        assert site.arranged == []


@pytest.mark.parametrize(("wire", "zone"), [("delta", "a"), ("sotw", "")])
def test_wire_and_zone_make_a_class(wire: str, zone: str) -> None:
    site = Elsewhere(ServeOptions((), ListenOptions("unix:/x"), bind="10.0.0.1"))
    newcomer = Newcomer(GATEWAY, zone=zone, wire="sotw" if wire == "sotw" else "delta")
    gateway = Gateway(Key("VirtualGateway", "shop", "front"), "shop", "front_shop", ())
    found = site.node_class(gateway, newcomer)
    assert (found.wire, found.zone, found.bind) == (wire, zone, "10.0.0.1")
