"""All stores count alike, and never hand out more than there is."""

import asyncio
import random
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pointsman.graph.model.limits import Quota, Unit, Window
from pointsman.limits.counts import Balance, Move
from pointsman.limits.redis_store import RedisStore
from pointsman.limits.sql_store import SqlStore
from pointsman.limits.store import CounterStore, MemoryStore, StoreError
from pointsman.limits.windows import Span, span
from pointsman.state.database import Database
from tests.support.postgres import fresh_database
from tests.support.redis import redis

NOON = 1_700_000_000
KINDS = ("memory", "sqlite", "postgresql", "redis")
WINDOWS: tuple[Window, ...] = ("calendar", "rolling", "firstUse")


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    with redis() as found:
        yield found


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CounterStore]:
    match request.param:
        case "memory":
            yield MemoryStore()
        case "redis":
            made = _fresh(request.getfixturevalue("socket"))
            yield made
            await made.close()
        case kind:
            async with _sql(_url(kind, request, tmp_path)) as kept:
                yield kept


def _url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return fresh_database(request.getfixturevalue("postgres_folder"))


@asynccontextmanager
async def _sql(url: str) -> AsyncIterator[SqlStore]:
    async with Database(url) as database:
        yield _of(database)


def _of(database: Database) -> SqlStore:
    async def opened() -> Database:
        return database

    return SqlStore(opened)


def _fresh(socket: Path) -> RedisStore:
    return RedisStore(f"unix://{socket}", f"{uuid.uuid4().hex}:")


def move(wall: int, window: Window = "calendar", per: Unit = "hour", **values: int) -> Move:
    given = {"most": 10, "used": 0, "floor": 0, "hold": 0, "until": wall + 60, **values}
    quota = Quota(given["most"], per, window)
    return Move("k", span(quota, wall), **given)


async def settle(store: CounterStore, plane: str, wall: int, what: Move) -> Balance:
    (found,) = await store.settle(plane, wall, [what])
    return found


async def test_holds_of_all_planes_and_what_was_used_stay_within_the_quota(
    store: CounterStore,
) -> None:
    one = await settle(store, "a", NOON, move(NOON, hold=7))
    two = await settle(store, "b", NOON, move(NOON, hold=7))
    assert (one.hold, two.hold, two.held) == (7, 3, 10)
    used = await settle(store, "a", NOON, move(NOON, used=7, hold=7))
    assert (used.used, used.hold, used.held) == (7, 0, 3)


async def test_what_is_out_already_is_not_refused(store: CounterStore) -> None:
    await settle(store, "a", NOON, move(NOON, used=9))
    found = await settle(store, "a", NOON, move(NOON, floor=4, hold=6))
    assert (found.hold, found.held) == (4, 4)


async def test_what_a_dead_plane_held_counts_as_used(store: CounterStore) -> None:
    await settle(store, "a", NOON, move(NOON, hold=4, until=NOON + 60))
    before = await settle(store, "b", NOON + 59, move(NOON + 59))
    after = await settle(store, "b", NOON + 60, move(NOON + 60, hold=10))
    assert (before.used, before.held) == (0, 4)
    assert (after.used, after.hold) == (4, 6)


@pytest.mark.parametrize("window", WINDOWS)
async def test_a_window_ends(store: CounterStore, window: Window) -> None:
    start = NOON // 3_600 * 3_600
    first = await settle(store, "a", start, move(start, window, used=10))
    assert first.resets_at is not None
    assert first.resets_at >= start + 3_600
    late = first.resets_at - 1
    last = await settle(store, "a", late, move(late, window, hold=5))
    fresh = await settle(store, "a", late + 1, move(late + 1, window, hold=5))
    assert (last.used, last.hold) == (10, 0)
    assert (fresh.used, fresh.hold) == (0, 5)


@pytest.mark.parametrize("window", WINDOWS)
async def test_a_clock_that_is_set_back_grants_nothing_twice(
    store: CounterStore, window: Window
) -> None:
    await settle(store, "a", NOON, move(NOON, window, used=10))
    ahead = NOON + 9_000
    await settle(store, "a", ahead, move(ahead, window, used=10))
    again = await settle(store, "a", NOON + 5, move(NOON + 5, window, hold=5))
    later = await settle(store, "a", ahead + 5, move(ahead + 5, window, hold=5))
    assert (again.hold, later.hold) == (0, 0)


async def test_a_lease_that_outlives_its_window_counts_in_the_next(store: CounterStore) -> None:
    end = NOON // 3_600 * 3_600 + 3_600
    await settle(store, "a", end - 1, move(end - 1, hold=6))
    other = await settle(store, "b", end, move(end, hold=10))
    own = await settle(store, "a", end + 1, move(end + 1, used=6))
    assert (other.hold, own.used, own.held) == (4, 6, 4)


async def test_reset_forgets_what_was_used_and_not_what_is_out(store: CounterStore) -> None:
    await settle(store, "a", NOON, move(NOON, used=6, hold=3))
    assert await store.records("x") == {}
    (record,) = (await store.records("k")).values()
    assert (record.slots, record.holds) == (
        {NOON // 3_600 * 3_600: 6},
        {"a": (3, NOON + 60)},
    )
    await store.reset(["k", "unknown"])
    found = await settle(store, "b", NOON, move(NOON, hold=10))
    assert (found.used, found.hold) == (0, 7)


async def test_planes_are_known_until_they_are_silent(store: CounterStore) -> None:
    assert await store.attend("a", NOON, NOON + 10) == 1
    assert await store.attend("b", NOON + 9, NOON + 30) == 2
    assert await store.attend("b", NOON + 10, NOON + 30) == 1


async def test_what_databases_keep_outlasts_the_process(url: str) -> None:
    async with _sql(url) as one:
        await settle(one, "a", NOON, move(NOON, used=6))
    async with _sql(url) as two:
        found = await settle(two, "b", NOON, move(NOON, hold=9))
    assert (found.used, found.hold) == (6, 4)


async def test_several_planes_on_one_database_grant_no_more_than_there_is(url: str) -> None:
    keys = [f"k{number}" for number in range(20)]

    async def take(plane: str, database: Database) -> int:
        order = random.Random(plane)
        store, taken = _of(database), 0
        for _ in range(10):
            quota = move(NOON, most=40, hold=3)
            moves = [Move(key, *_rest(quota)) for key in order.sample(keys, 20)]
            held = await store.settle(plane, NOON, moves)
            used = [Move(b.key, *_rest(move(NOON, most=40, used=b.hold))) for b in held]
            await store.settle(plane, NOON, used)
            taken += sum(balance.hold for balance in held)
        return taken

    async with Database(url) as one, Database(url) as two, Database(url) as three:
        planes = zip("abc", (one, two, three), strict=True)
        taken = await asyncio.gather(*(take(name, database) for name, database in planes))
        records = await _of(one).records("k")
    assert sum(taken) == 20 * 40
    assert {sum(record.slots.values()) for record in records.values()} == {40}


def _rest(what: Move) -> tuple[Span, int, int, int, int, int]:
    return what.span, what.most, what.used, what.floor, what.hold, what.until


async def test_a_change_of_counts_is_no_news(url: str) -> None:
    async with Database(url) as database:
        before = await database.revision()
        await settle(_of(database), "a", NOON, move(NOON, used=1))
        assert await database.revision() == before


async def test_a_store_that_cannot_be_reached_says_so(tmp_path: Path) -> None:
    async def closed() -> Database:
        async with Database(f"sqlite:///{tmp_path}") as database:
            return database

    redis_gone = RedisStore(f"unix://{tmp_path}/no")
    for store in (SqlStore(closed), redis_gone):
        with pytest.raises(StoreError):
            await settle(store, "a", NOON, move(NOON))
    await redis_gone.close()


async def test_every_store_agrees_with_memory(store: CounterStore) -> None:
    order = random.Random(4)
    stores: list[CounterStore] = [MemoryStore(), store]
    wall = NOON
    for _ in range(400):
        wall += order.choice((0, 1, 7, 61, 1_900, -300))
        floor = order.randrange(4)
        what = move(
            wall,
            order.choice(WINDOWS),
            order.choice(("minute", "hour")),
            most=order.choice((5, 20)),
            used=order.randrange(4),
            floor=floor,
            hold=floor + order.randrange(9),
            until=wall + order.choice((1, 60)),
        )
        plane = order.choice("abc")
        one, two = [await settle(store, plane, wall, what) for store in stores]
        assert one == two
