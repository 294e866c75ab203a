"""What is kept of rollouts: in memory, SQLite and PostgreSQL alike."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from pointsman.resources.key import Key
from pointsman.rollout.elsewhere import Reading
from pointsman.rollout.measures import Sample, Subject
from pointsman.rollout.plan import Hook
from pointsman.rollout.sql_store import SqlStore
from pointsman.rollout.state import Event, Phase, State
from pointsman.rollout.store import KEPT_EVENTS, MemoryStore, RolloutStore
from pointsman.rollout.verdict import Interval
from pointsman.state.database import Database
from tests.state.conftest import postgres_folder, url
from tests.support.postgres import fresh_database

__all__ = ["postgres_folder", "url"]

CART = Key("Rollout", "shop", "cart")
STATE = State(
    phase=Phase.PROGRESSING,
    revision="abc",
    weight=20,
    approved=(Hook.CONFIRM_PROMOTION,),
    asked=Hook.CONFIRM_TRAFFIC,
    intervals=(Interval(stage=1, requests=100, failed=2, stable=900),),
)


def event(number: int) -> Event:
    detail = {"verdict": {"outcome": "pass"}}
    return Event(float(number), "info", Phase.PROGRESSING, 20, f"event {number}", detail)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RolloutStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    url = f"sqlite:///{tmp_path / 'state.db'}"
    if request.param == "postgresql":
        url = fresh_database(request.getfixturevalue("postgres_folder"))
    async with kept_in(url) as store:
        yield store


@asynccontextmanager
async def kept_in(url: str) -> AsyncIterator[SqlStore]:
    async with Database(url) as database:

        async def opened() -> Database:
            return database

        yield SqlStore(opened)


async def test_what_was_kept_last_is_found(store: RolloutStore) -> None:
    await store.save(CART, State(), ())
    await store.save(CART, STATE, [event(1), event(2)])
    assert await store.load() == {CART: STATE}
    found = await store.events(CART, 10)
    assert [item["text"] for item in found] == ["event 2", "event 1"]
    assert found[0]["detail"] == {"verdict": {"outcome": "pass"}}


async def test_a_rollout_that_is_gone_keeps_its_events(store: RolloutStore) -> None:
    await store.save(CART, STATE, [event(1)])
    await store.forget(CART)
    assert await store.load() == {}
    assert len(await store.events(CART, 10)) == 1


async def test_old_events_are_dropped(store: RolloutStore) -> None:
    await store.save(CART, STATE, [event(number) for number in range(KEPT_EVENTS)])
    await store.save(CART, STATE, [event(KEPT_EVENTS)])
    found = await store.events(CART, 2 * KEPT_EVENTS)
    assert len(found) == KEPT_EVENTS
    assert found[-1]["text"] == "event 1"


async def test_one_has_the_lease_until_it_ends_or_is_given_up(store: RolloutStore) -> None:
    if isinstance(store, MemoryStore):
        assert await store.lead("a", 15.0) == "a"
        return
    assert await store.lead("a", 15.0) == "a"
    assert await store.lead("b", 15.0) == "a"
    assert await store.lead("a", 15.0) == "a"
    await store.leave("b")
    assert await store.lead("b", 15.0) == "a", "b had nothing to give up"
    await store.leave("a")
    assert await store.lead("b", -1.0) == "b"
    assert await store.lead("a", 15.0) == "a", "that of b had ended"


async def test_of_many_that_ask_at_once_one_has_the_lease(store: RolloutStore) -> None:
    if isinstance(store, MemoryStore):
        return
    names = [str(number) for number in range(8)]
    told = await asyncio.gather(*(store.lead(name, 15.0) for name in names))
    assert len(set(told)) == 1


READING = Reading(Subject(CART, CART, "all"), Sample(5, 1, ((1.0, 3), (5.0, 4))))


async def test_what_is_told_is_heard_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with kept_in(url) as one, kept_in(url) as other:
        assert await other.hear() == []
        await one.tell([READING])
        await one.tell([READING, READING])
        assert await other.hear() == [READING] * 3
        assert await one.hear() == []
        await one.tell([READING])
        monkeypatch.setattr("pointsman.rollout.sql_store.UNHEARD_S", -1)
        await one.tell([READING])
        assert await other.hear() == [], "nobody listened for long"


async def test_what_is_not_understood_keeps_nothing_back(tmp_path: Path) -> None:
    async with kept_in(f"sqlite:///{tmp_path / 'state.db'}") as store:
        await store.tell([cast(Reading, Unknown()), READING])
        assert await store.hear() == [READING]
        assert await store.hear() == []


class Unknown:
    """A reading of a version that is yet to come."""

    def json(self) -> dict[str, Any]:
        return {"of": "tomorrow"}


async def test_what_others_have_is_known_as_long_as_they_say_so(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept_in(url) as store:
        await store.acknowledge("a", {CART: "10"})
        await store.acknowledge("a", {CART: "20"})
        await store.acknowledge("b", {CART: None})
        assert await store.acknowledged("b") == [{CART: "20"}]
        assert sorted(map(str, await store.acknowledged("c"))) == sorted(
            map(str, [{CART: "20"}, {CART: None}])
        )
        monkeypatch.setattr("pointsman.rollout.sql_store.LATELY_S", -2)
        assert await store.acknowledged("c") == []
