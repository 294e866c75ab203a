"""Renewal goes on whatever happens to the clock, and whatever becomes of those who are told."""

import asyncio
from datetime import UTC, datetime, timedelta

from pointsman.aio.endless import endless
from pointsman.identity.ca import Authority
from pointsman.identity.rotation import LONGEST_WAIT, Identities, Subject
from tests.identity.test_rotation import HOUR, NODES, START, World
from tests.support.wait import eventually


def test_who_could_not_be_told_is_told_later() -> None:
    told: list[frozenset[str]] = []
    faults = [RuntimeError("a fault"), None]

    def on_change(nodes: frozenset[str]) -> None:
        fault = faults.pop(0) if faults else None
        if fault is not None:
            raise fault
        told.append(nodes)

    now = START
    identities = Identities(
        Authority.in_memory(START), on_change, clock=lambda: now, jitter=lambda: 0
    )
    identities.want(Subject(node) for node in NODES)
    for node in NODES:
        identities.secrets(node)
    now += HOUR * 0.7
    try:
        identities.renew(now)
    except RuntimeError:
        assert told == []
    else:
        raise AssertionError("the fault was swallowed")
    assert identities.renew(now) == frozenset(), "nothing is due"
    assert told == [frozenset(NODES)]
    identities.renew(now)
    assert len(told) == 1, "it is not told twice"


async def test_the_task_survives_those_who_are_told() -> None:
    told: list[frozenset[str]] = []
    faults = [RuntimeError("a fault")]

    def on_change(nodes: frozenset[str]) -> None:
        if faults:
            raise faults.pop()
        told.append(nodes)

    identities = Identities(Authority.in_memory(datetime.now(UTC)), on_change)
    identities.want([Subject(NODES[0])])
    identities.secrets(NODES[0])
    task = asyncio.create_task(endless(identities.run, "identities", 0.0))
    try:
        identities.make_due()
        await eventually(lambda: told)
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert told == [frozenset({NODES[0]})]


def test_a_clock_set_back_makes_certificates_anew() -> None:
    world = World()
    world.want(*NODES)
    world.now += HOUR * 0.3
    world.identities.make_due()
    world.identities.renew(world.now)
    world.now -= timedelta(minutes=5)
    assert world.identities.renew(world.now) == frozenset(NODES)
    assert all(item.begin == world.now for item in world.identities.current.values())
    assert world.identities.renew(world.now) == frozenset()


async def test_a_clock_set_forward_is_noticed_soon() -> None:
    world = World()
    world.want(NODES[0])
    task = asyncio.create_task(world.identities.run())
    try:
        await world.heard.wait()
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert world.slept
    assert max(world.slept) <= LONGEST_WAIT <= 60
