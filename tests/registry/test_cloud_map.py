"""Cloud Map, as moto plays it on a real socket, through boto3."""

import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pointsman.errors import UsageError
from pointsman.registry import aws
from pointsman.registry.aws import AwsDiscovery
from pointsman.registry.cloud_map import SOURCE, CloudMap, DiscoveryError
from pointsman.registry.instance import Instance, ServiceName
from pointsman.registry.pace import pause
from pointsman.registry.registry import Registry
from tests.registry.aws import REGION, Aws
from tests.registry.instances import CART, instance
from tests.support.wait import eventually

PAY = ServiceName("shop.local", "pay")


@asynccontextmanager
async def followed(
    discovery: Any, *services: ServiceName, full_s: float = 0.0
) -> AsyncIterator[tuple[Registry, CloudMap]]:
    registry = Registry([SOURCE])
    cloud_map = CloudMap(registry, discovery, interval_s=0.05, full_s=full_s)
    cloud_map.follow(services)
    try:
        yield registry, cloud_map
    finally:
        await cloud_map.stop()


async def test_instances_come_change_and_go(cloud: Aws) -> None:
    cloud.service(CART)
    cloud.register(CART, "a", AWS_INSTANCE_IPV4="10.0.0.1", version="v1", AVAILABILITY_ZONE="z")
    async with followed(AwsDiscovery(REGION, cloud.url), CART) as (registry, cloud_map):
        await cloud_map.answered(10)
        attributes = {"AWS_INSTANCE_IPV4": "10.0.0.1", "version": "v1", "AVAILABILITY_ZONE": "z"}
        assert registry.instances(CART) == (Instance(CART, "a", attributes),)
        cloud.register(CART, "b", AWS_INSTANCE_IPV4="10.0.0.2")
        await eventually(lambda: len(registry.instances(CART)) == 2)
        cloud.sicken(CART, "b")
        await eventually(lambda: not registry.instances(CART)[1].healthy)
        cloud.deregister(CART, "b")
        await eventually(lambda: len(registry.instances(CART)) == 1)


async def test_a_service_that_does_not_exist_is_told_and_comes_later(cloud: Aws) -> None:
    cloud.service(PAY)
    async with followed(AwsDiscovery(REGION, cloud.url), CART, PAY) as (registry, cloud_map):
        await cloud_map.answered(10)
        (failure,) = registry.states()[0].failures
        assert (failure.service, failure.message) == (CART, "there is no service cart.shop.local")
        assert registry.knows(CART)
        assert registry.knows(PAY)
        cloud.service(CART)
        cloud.register(CART, "a", AWS_INSTANCE_IPV4="10.0.0.1")
        await eventually(lambda: registry.instances(CART))
        assert registry.states()[0].failures == ()


async def test_a_cloud_map_that_died_or_was_emptied_takes_nothing_away(cloud: Aws) -> None:
    cloud.service(CART)
    cloud.register(CART, "a", AWS_INSTANCE_IPV4="10.0.0.1")
    async with followed(AwsDiscovery(REGION, cloud.url), CART) as (registry, cloud_map):
        await cloud_map.answered(10)
        cloud.reset()
        await eventually(lambda: registry.states()[0].failures)
        assert [item.id for item in registry.instances(CART)] == ["a"]


async def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    discovery = AwsDiscovery(REGION, f"http://127.0.0.1:{port}")
    async with followed(discovery, CART) as (registry, cloud_map):
        await cloud_map.answered(10)
        assert "Could not connect to the endpoint" in registry.states()[0].failures[0].message
        assert not registry.knows(CART)
        with pytest.raises(DiscoveryError):
            discovery.revision(CART)


async def test_what_is_no_longer_used_is_not_asked_for(cloud: Aws) -> None:
    cloud.service(CART)
    cloud.register(CART, "a", AWS_INSTANCE_IPV4="10.0.0.1")
    async with followed(AwsDiscovery(REGION, cloud.url), CART) as (registry, cloud_map):
        await cloud_map.answered(10)
        cloud_map.follow([])
        assert registry.instances(CART) == ()
        cloud_map.follow([CART])
        await eventually(lambda: registry.instances(CART))


class Scripted:
    """Counts questions; blocks while it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.free = threading.Event()
        self.free.set()
        self.number = 1
        self.error: Exception | None = None

    def revision(self, _service: ServiceName) -> int | None:
        self.asked.append("revision")
        return self.number

    def instances(self, service: ServiceName) -> tuple[int | None, list[Instance]]:
        self.asked.append("instances")
        self.free.wait(10)
        if self.error is not None:
            raise self.error
        return self.number, [instance(str(self.number), service=service)]


async def test_while_the_revision_is_the_same_instances_are_not_asked_for() -> None:
    scripted = Scripted()
    async with followed(scripted, CART, full_s=60) as (registry, _):
        await eventually(lambda: scripted.asked.count("revision") >= 3)
        assert scripted.asked.count("instances") == 1
        scripted.number = 2
        await eventually(lambda: [item.id for item in registry.instances(CART)] == ["2"])
        assert scripted.asked.count("instances") == 2


async def test_a_slow_answer_holds_nothing_up() -> None:
    scripted = Scripted()
    scripted.free.clear()
    try:
        async with followed(scripted, CART) as (registry, cloud_map):
            await eventually(lambda: scripted.asked)
            await cloud_map.answered(0.05)
            assert not registry.knows(CART)
            scripted.free.set()
            await eventually(lambda: registry.knows(CART))
    finally:
        scripted.free.set()


async def test_an_answer_nobody_expected_does_not_end_the_asking() -> None:
    scripted = Scripted()
    async with followed(scripted, CART) as (registry, _):
        await eventually(lambda: registry.knows(CART))
        scripted.error = KeyError("Instances")
        await eventually(lambda: registry.states()[0].failures)
        assert registry.states()[0].failures[0].message == "KeyError: 'Instances'"
        scripted.error, scripted.number = None, 7
        await eventually(lambda: [item.id for item in registry.instances(CART)] == ["7"])


def test_pauses_grow_while_there_is_no_answer_and_are_never_the_same() -> None:
    assert 4 <= pause(5, 0) <= 6
    assert 8 <= pause(5, 1) <= 12
    assert 48 <= pause(5, 50) <= 72
    assert len({pause(5, 0) for _ in range(20)}) > 1


def test_without_boto3_or_a_region_there_is_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="specify a region"):
        AwsDiscovery()

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(aws, "import_module", missing)
    with pytest.raises(UsageError, match="needs boto3") as caught:
        AwsDiscovery(REGION)
    assert caught.value.hint == "pip install 'pointsman[aws]'"


async def test_a_fault_of_those_who_listen_does_not_end_the_questions() -> None:
    class Known:
        def revision(self, service: ServiceName) -> int | None:  # noqa: ARG002
            return None

        def instances(self, service: ServiceName) -> tuple[int | None, list[Instance]]:
            return None, [Instance(service, "a", {"AWS_INSTANCE_IPV4": "10.0.0.1"})]

    asked: list[object] = []

    def listen(changed: frozenset[ServiceName]) -> None:
        asked.append(changed)
        if len(asked) == 1:
            raise RuntimeError("a fault")

    async with followed(Known()) as (registry, cloud_map):
        registry.on_change(listen)
        cloud_map.follow([CART])
        await eventually(lambda: len(asked) > 2)
        assert registry.instances(CART)
