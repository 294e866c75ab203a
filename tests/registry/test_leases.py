"""Instances that register themselves and fall silent."""

import asyncio
from contextlib import suppress

import pytest

from pointsman.registry.instance import Instance, ServiceName
from pointsman.registry.leases import FORGET_S, SETTLE_S, SOURCE, Leases
from pointsman.registry.registry import Registry
from tests.registry.instances import CART, instance
from tests.support.wait import eventually


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def made() -> tuple[Clock, Registry, Leases]:
    clock, registry = Clock(), Registry([SOURCE])
    return clock, registry, Leases(registry, clock)


def shown(registry: Registry) -> str:
    return " ".join(i.id + ("" if i.healthy else "-") for i in registry.instances(CART))


def test_heartbeats_keep_an_instance_healthy() -> None:
    clock, registry, leases = made()
    assert leases.register(instance("a"), 10)
    assert leases.register(instance("b"), 10)
    assert not leases.register(instance("b"), 10)
    clock.now += 9
    assert leases.beat(CART, "a")
    clock.now += 2
    assert leases.expire() == 8
    assert shown(registry) == "a b-"
    assert leases.beat(CART, "b")
    assert shown(registry) == "a b"
    assert not leases.beat(CART, "c")


def test_a_silent_instance_is_forgotten_while_another_is_alive() -> None:
    clock, registry, leases = made()
    leases.register(instance("a"), 10)
    leases.register(instance("b"))
    clock.now += 10 + FORGET_S - 1
    leases.expire()
    assert shown(registry) == "a- b"
    clock.now += 1
    assert leases.expire() is None
    assert shown(registry) == "b"


def test_when_all_fall_silent_they_stay_known() -> None:
    clock, registry, leases = made()
    leases.register(instance("a"), 10)
    leases.register(instance("b"), 20)
    clock.now += 1000 * FORGET_S
    leases.expire()
    assert shown(registry) == "a- b-"
    leases.beat(CART, "a")
    leases.expire()
    assert shown(registry) == "a"


def test_a_registration_can_be_taken_back() -> None:
    _, registry, leases = made()
    leases.register(instance("a"))
    assert leases.remove(CART, "a")
    assert not leases.remove(CART, "a")
    assert registry.instances(CART) == ()
    assert registry.knows(CART)


def test_registrars_have_time_to_come_back_after_a_restart() -> None:
    clock, registry, leases = made()
    assert leases.expire() == SETTLE_S
    assert not registry.knows(CART)
    clock.now += SETTLE_S
    leases.expire()
    assert registry.knows(CART)


async def test_leases_run_out_by_themselves() -> None:
    registry = Registry([SOURCE])
    leases = Leases(registry)
    running = asyncio.create_task(leases.run())
    leases.register(instance("a"))
    leases.register(instance("b"), 0.05)
    assert shown(registry) == "a b"
    await eventually(lambda: shown(registry) == "a b-")
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def test_services_that_come_and_go_leave_nothing_to_look_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = Registry([SOURCE])
    leases = Leases(registry)
    for number in range(3):
        service = ServiceName("shop.local", f"s{number}")
        leases.register(Instance(service, "a", {"AWS_INSTANCE_IPV4": "10.0.0.1"}))
        assert leases.remove(service, "a")
        assert registry.instances(service) == ()
        assert registry.knows(service)
    puts: list[object] = []
    monkeypatch.setattr(registry, "put", lambda *arguments: puts.append(arguments))
    leases.expire()
    assert puts == []
