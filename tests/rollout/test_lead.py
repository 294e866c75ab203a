"""Of several control planes with one database one carries rollouts out, and the others follow."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pointsman.app.access import AccessState, StateOptions
from pointsman.app.rollouts import Rollouts
from pointsman.errors import StateError, UsageError
from pointsman.graph.rollout_target import Hold
from pointsman.resources.key import Key
from pointsman.rollout.commands import Command
from pointsman.rollout.lead import ASK_S, LEASE_S, RENEW_S, Lead
from pointsman.rollout.measures import Measures, Sample, Subject
from pointsman.rollout.sql_store import SqlStore
from pointsman.rollout.state import Event, Phase, State
from pointsman.rollout.store import MemoryStore
from pointsman.state.database import Database
from tests.rollout.test_controller import CART, MEASURES, RESOURCES, Changes, codes, has_all
from tests.state.conftest import postgres_folder, url

__all__ = ["postgres_folder", "url"]

MOVING = State(phase=Phase.PROGRESSING, revision="r", stage=0, paused=True)


class Shared(MemoryStore):
    """A store that others have, too, and that may be away."""

    is_shared = True

    def __init__(self) -> None:
        super().__init__()
        self.holder = ""
        self.asked = 0
        self.away = False

    async def lead(self, me: str, _seconds: float) -> str:
        self.asked += 1
        if self.away:
            raise StateError("away")
        self.holder = self.holder or me
        return self.holder


class Slow(Shared):
    async def lead(self, me: str, seconds: float) -> str:
        await asyncio.sleep(0)
        return await super().lead(me, seconds)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_the_lease_is_renewed_in_time_and_not_more_often() -> None:
    store, clock = Shared(), Clock()
    mine, other = (Lead(lambda: store, name, clock) for name in ("a", "b"))
    assert await mine.ask()
    assert not await other.ask()
    assert other.holder == "a"
    clock.now = ASK_S
    assert await mine.ask()
    assert not await other.ask()
    assert store.asked == 3
    clock.now = RENEW_S
    await mine.ask()
    assert store.asked == 4


async def test_who_asks_while_another_does_waits_for_the_answer() -> None:
    store = Slow()
    lead = Lead(lambda: store, "a")
    assert [*await asyncio.gather(lead.ask(), lead.ask())] == [True, True]
    assert store.asked == 1


async def test_who_cannot_renew_it_stops_when_it_ends() -> None:
    store, clock = Shared(), Clock()
    lead = Lead(lambda: store, "a", clock)
    await lead.ask()
    store.away = True
    clock.now = LEASE_S - 0.1
    assert await lead.ask()
    clock.now += ASK_S
    with pytest.raises(StateError):
        await lead.ask()
    assert not lead.mine


async def test_who_is_alone_with_its_database_goes_on_without_it() -> None:
    store, clock = Shared(), Clock()
    store.is_shared = False
    lead = Lead(lambda: store, "a", clock)
    await lead.ask()
    store.away = True
    clock.now = 10 * LEASE_S
    assert await lead.ask()


async def test_whoever_may_have_been_another_one_meanwhile_begins_a_new_term() -> None:
    store, clock = Shared(), Clock()
    lead = Lead(lambda: store, "a", clock)
    for now, term in ((0.0, 1), (RENEW_S, 1), (RENEW_S + LEASE_S, 2)):
        clock.now = now
        assert await lead.ask()
        assert lead.term == term
    store.holder, clock.now = "b", 2 * RENEW_S + LEASE_S
    assert not await lead.ask()
    store.holder, clock.now = "", 2 * RENEW_S + LEASE_S + ASK_S
    assert await lead.ask()
    assert lead.term == 3
    store.is_shared, clock.now = False, 1_000.0
    assert await lead.ask()
    assert lead.term == 3, "nobody else can have it"


@asynccontextmanager
async def plane(
    url: str,
    folder: Path,
    measures: Measures = MEASURES,
    taken: Callable[[Hold], Awaitable[bool]] = has_all,
) -> AsyncIterator[tuple[Rollouts, Changes]]:
    async with AccessState(StateOptions(url, folder / "master.key")) as access:
        rollouts = Rollouts(access, measures)
        changes = Changes(rollouts)
        rollouts.on_change(changes, taken)
        await rollouts.overlay(RESOURCES)
        try:
            yield rollouts, changes
        finally:
            await rollouts.close()


class Late(MemoryStore):
    """A store whose first answer takes until something has been kept."""

    def __init__(self) -> None:
        super().__init__()
        self.waits, self.reads = asyncio.Event(), asyncio.Event()
        self.loads = 0

    async def load(self) -> Mapping[Key, State]:
        found = await super().load()
        self.loads += 1
        if self.loads == 2:  # what begins to lead reads once more
            self.reads.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await self.waits.wait()
        return found

    async def save(self, rollout: Key, state: State, events: Sequence[Event]) -> None:
        await super().save(rollout, state, events)
        self.waits.set()


async def test_what_is_read_does_not_undo_what_was_decided_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Late()
    monkeypatch.setattr("pointsman.app.rollout_store.MemoryStore", lambda: store)
    rollouts = Rollouts(AccessState(), MEASURES)
    rollouts.on_change(Changes(), has_all)
    await rollouts.overlay(RESOURCES)
    rollouts.begin()
    async with asyncio.timeout(20):
        await store.reads.wait()
    await rollouts.tell(CART, Command.PAUSE, 0)
    (shown,) = rollouts.views()
    await rollouts.close()
    assert shown.paused
    (shown,) = rollouts.views()
    assert shown.paused


async def keep(url: str, state: State) -> None:
    """What the one that leads keeps after a look."""
    async with Database(url) as database:

        async def opened() -> Database:
            return database

        await SqlStore(opened).save(CART, state, ())


async def test_who_follows_has_the_weights_and_takes_over(url: str, tmp_path: Path) -> None:
    async with plane(url, tmp_path) as (second, changes):
        async with plane(url, tmp_path) as (first, _):
            await first.tell(CART, Command.PAUSE, 0)
            second.begin()
            async with asyncio.timeout(20):
                while codes(second) != ["PM008", "PM009"]:
                    await changes.next()
            with pytest.raises(UsageError, match="carries rollouts out"):
                await second.tell(CART, Command.RESUME, 0)
            await keep(url, replace(MOVING, weight=30))
            async with asyncio.timeout(20):
                while second.views()[0].weight != 30:
                    await changes.next()
            assert codes(first) == ["PM008"]
        # The first one has ended, and with it its lease.
        async with asyncio.timeout(20):
            while "PM009" in codes(second):
                await changes.next()
        (shown,) = second.views()
        assert (shown.paused, shown.weight) == (True, 30)
        await second.tell(CART, Command.RESUME, 0)


class Failing:
    """Each time it is asked, half of the candidate's requests have failed, and none of others."""

    late_s = 0.0

    def measure(self, subject: Subject, _since: float, _until: float) -> Sample:
        return Sample(100, 50 if subject.version.name == "v2" else 0)


async def test_the_proxies_of_all_of_them_are_judged_by(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointsman.rollout.elsewhere.TELL_S", 0.5)
    async with plane(url, tmp_path) as (first, changes):
        first.begin()
        async with asyncio.timeout(20):
            while first.views()[0].weight != 10:
                await changes.next()
        # The one that leads has no proxies; those of the other one meet the candidate.
        async with plane(url, tmp_path, Failing()) as (second, _):
            second.begin()
            async with asyncio.timeout(30):
                while first.views()[0].phase != Phase.FAILED:
                    await changes.next()
            assert codes(second) == ["PM008", "PM009"]
        (shown,) = first.views()
    assert shown.weight == 0


async def test_a_rollback_is_done_when_the_proxies_of_all_of_them_have_it(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointsman.app.rollout_acks.LONGEST_S", 0.5)
    late = asyncio.Event()

    async def taken(_hold: Hold) -> bool:
        """Nobody has a rollback until it is time."""
        return second.views()[0].phase != Phase.FAILED or late.is_set()

    async with plane(url, tmp_path, Failing()) as (first, changes):
        await first.tell(CART, Command.PAUSE, 0)
        async with plane(url, tmp_path, MEASURES, taken) as (second, _):
            first.begin()
            second.begin()
            async with asyncio.timeout(30):
                while codes(second) != ["PM008", "PM009"]:
                    await changes.next()
                await first.tell(CART, Command.RESUME, 0)
                while second.views()[0].phase != Phase.FAILED:
                    await changes.next()
                for _ in range(10):
                    await changes.next()
            (shown,) = first.views()
            assert (shown.phase, shown.weight, shown.moving) == (Phase.FAILED, 0, True)
            late.set()
            async with asyncio.timeout(20):
                while first.views()[0].moving:
                    await changes.next()
