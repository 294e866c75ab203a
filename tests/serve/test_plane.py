"""What a control plane compiles, and when, without processes around it."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from grpc import aio

from pointsman.app.discovery import REST, Discovery, DiscoveryOptions
from pointsman.app.plane import ControlPlane
from pointsman.app.serve import IDLE_S, Elsewhere, ServeOptions
from pointsman.app.site import News, Published, audience
from pointsman.control.compile import Proxy
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.sealed import CLUSTER, ENDPOINT
from pointsman.errors import PointsmanError
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.rollout_target import Hold
from pointsman.registry.instance import Instance, ServiceName
from pointsman.resources.key import Key
from pointsman.telemetry.exposition import render
from pointsman.xds.address import ListenOptions
from pointsman.xds.nodes import Newcomer
from tests.support.serve import GATEWAY
from tests.support.wait import eventually
from tests.up import manifests
from tests.xds.test_xds_server import Request, subscribe

SHOP = {
    "mesh.yaml": manifests.text(
        manifests.mesh(), manifests.gateway("front", 8080), *manifests.shop("web")
    )
}


CLOUD_MAP = {"awsCloudMap": {"namespaceName": "shop.local", "serviceName": "web"}}
WEB = manifests.node("web")
CLOUD_SHOP = {
    "mesh.yaml": manifests.text(
        manifests.mesh(),
        manifests.gateway("front", 8080),
        manifests.route("web"),
        manifests.service("web"),
        manifests.node("web")
        | {"spec": {**manifests.node("web")["spec"], "serviceDiscovery": CLOUD_MAP}},
    )
}


def node_key(name: str) -> Key:
    return Key("VirtualNode", manifests.NAMESPACE, name)


SPLIT = {
    "mesh.yaml": manifests.text(
        *(manifests.mesh(), manifests.gateway("front", 8080), manifests.route("split")),
        *(*manifests.routed("split", one=9, two=1), manifests.node("one"), manifests.node("two")),
        *manifests.shop("other"),
    )
}
HOLD = Hold(
    Key("VirtualRouter", manifests.NAMESPACE, "split"),
    "",
    node_key("one"),
    node_key("two"),
)


class Silent(News):
    def changed(self, published: Published) -> None: ...

    def failed(self, error: PointsmanError) -> None: ...


class Watched(Elsewhere):
    """Remembers which classes are compiled, and how often."""

    def __init__(self, clock: list[float]) -> None:
        super().__init__(ServeOptions((), ListenOptions("unix:/x")), clock=lambda: clock[0])
        self.arranged: list[NodeClass] = []
        self.runs = 0

    def arrange(self, proxies: Iterable[Proxy]) -> Iterator[tuple[Proxy, Collection[NodeClass]]]:
        self.runs += 1
        found = list(super().arrange(proxies))
        self.arranged = [item for _, classes in found for item in classes]
        yield from found


@asynccontextmanager
async def plane(
    site: Watched,
    folder: Path,
    files: dict[str, str] = SHOP,
    discovery: Discovery | None = None,
) -> AsyncIterator[ControlPlane]:
    made = ControlPlane((), {}, site, Silent(), discovery=discovery)
    site.connected = made.server.nodes
    await made.load(files)
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
            assert {item.name for item in (await call.read()).resources} != set()
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


def pushes(made: ControlPlane) -> str:
    return render(made.features.telemetry.families({}, 0.0))


async def test_asking_whether_proxies_have_all_counts_as_no_push(folder: Path) -> None:
    async with plane(Watched([0.0]), folder) as made:
        assert await made.has_all(HOLD)
        assert "pointsman_push_seconds_count 0\n" in pushes(made)
        await made.acknowledged((), 0.0)
        assert "pointsman_push_seconds_count 1\n" in pushes(made)


@pytest.mark.parametrize(("rejected", "has_all"), [("other", True), ("two", False)])
async def test_what_is_rejected_elsewhere_keeps_no_rollout_waiting(
    folder: Path, rejected: str, has_all: bool
) -> None:
    async with (
        plane(Watched([0.0]), folder, files=SPLIT) as made,
        aio.insecure_channel(f"unix:{folder}/xds.sock") as channel,
    ):
        call = await subscribe(channel, id=GATEWAY)
        answer = await call.read()
        (bad,) = [item.name for item in answer.resources if f"_{rejected}_" in item.name]
        refusal = Request(type_url=CLUSTER, response_nonce=answer.nonce)
        refusal.error_detail.message = f"Error adding/updating cluster(s) {bad}: no"
        await call.write(refusal)
        taking = asyncio.create_task(take_all(call))
        assert await made.has_all(HOLD) is has_all
        assert [item.key for item in made.problems()] == [node_key(rejected)]
        taking.cancel()


async def take_all(call: Any) -> None:
    """Accepts whatever comes."""
    while True:
        answer = await call.read()
        await call.write(Request(type_url=answer.type_url, response_nonce=answer.nonce))


COUNTED = {
    **SHOP,
    "counted.yaml": manifests.text(
        {
            "apiVersion": "pointsman.dev/v1alpha1",
            "kind": "TelemetryPolicy",
            "metadata": {"name": "counted", "namespace": manifests.NAMESPACE},
            "spec": {
                "targetRefs": [{"kind": "VirtualGateway", "name": "front"}],
                "consumers": True,
            },
        }
    ),
}


async def test_proxies_that_are_too_old_are_told_of_while_they_are_there(folder: Path) -> None:
    def codes() -> set[str]:
        return {item.code.id for item in made.problems()}

    async with (
        plane(Watched([0.0]), folder, files=COUNTED) as made,
        aio.insecure_channel(f"unix:{folder}/xds.sock") as channel,
    ):
        assert codes() == {"PM062"}, "nobody is asked who calls"
        version = {"version": {"major_number": 1, "minor_number": 38}}
        old = await subscribe(channel, id=GATEWAY, user_agent_build_version=version)
        new = await subscribe(channel, id=GATEWAY)
        for call in (old, new):
            await call.read()
        assert codes() == {"PM062", "PM063"}
        old.cancel()
        await eventually(lambda: len(made.server.nodes) == 1)
        assert codes() == {"PM062"}
        new.cancel()


async def test_instances_travel_without_compiling(folder: Path) -> None:
    site = Watched([0.0])
    discovery = Discovery(DiscoveryOptions((REST,)))
    service = ServiceName("shop.local", "web")

    def register(address: str) -> None:
        instance = Instance(service, "i-1", {"AWS_INSTANCE_IPV4": address})
        discovery.registry.put(REST, service, [instance])

    register("10.0.0.1")
    async with (
        plane(site, folder, files=CLOUD_SHOP, discovery=discovery) as made,
        aio.insecure_channel(f"unix:{folder}/xds.sock") as channel,
    ):
        call = await subscribe(channel, id=GATEWAY)
        (name,) = [item.name for item in (await call.read()).resources]
        await call.write(Request(type_url=ENDPOINT, resource_names_subscribe=[name]))
        first = await call.read()
        assert b"10.0.0.1" in first.resources[0].resource.value
        await call.write(Request(type_url=ENDPOINT, response_nonce=first.nonce))
        runs = site.runs
        register("10.0.0.2")
        second = await call.read()
        assert (second.type_url, site.runs) == (ENDPOINT, runs)
        assert b"10.0.0.2" in second.resources[0].resource.value
        assert made.problems() == ()


@pytest.mark.parametrize(
    ("envoy", "counts"), [("", True), ("1.39.9", False), ("1.40.0", True), ("2.0.0", True)]
)
def test_old_envoys_make_a_class_that_is_not_asked_to_count(envoy: str, counts: bool) -> None:
    site = Elsewhere(ServeOptions((), ListenOptions("unix:/x")))
    edge = gateway()
    found = site.node_class(edge, Newcomer(GATEWAY, envoy=envoy))
    assert found.counts is counts
    assert audience(edge, found).counts is counts


@pytest.mark.parametrize(("wire", "zone"), [("delta", "a"), ("sotw", "")])
def test_wire_and_zone_make_a_class(wire: str, zone: str) -> None:
    site = Elsewhere(ServeOptions((), ListenOptions("unix:/x"), bind="10.0.0.1"))
    newcomer = Newcomer(GATEWAY, zone=zone, wire="sotw" if wire == "sotw" else "delta")
    found = site.node_class(gateway(), newcomer)
    assert (found.wire, found.zone, found.bind) == (wire, zone, "10.0.0.1")


def gateway() -> Gateway:
    return Gateway(Key("VirtualGateway", "shop", "front"), "shop", "front_shop", ())
