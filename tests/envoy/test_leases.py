"""Leases of real Envoys: together they never admit more than the limit."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from pointsman.graph.model.limits import Quota, Rate
from pointsman.limits.sql_store import SqlStore
from pointsman.limits.store import CounterStore, MemoryStore
from pointsman.state.database import Database
from tests.support.leasing import Leasing, leasing, serving
from tests.support.wait import eventually

pytestmark = pytest.mark.envoy


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[CounterStore]:
    async with Database(f"sqlite:///{tmp_path / 'state.db'}") as database:

        async def opened() -> Database:
            return database

        yield SqlStore(opened)


async def test_a_lease_admits_as_many_as_it_says_in_all_threads(tmp_path: Path) -> None:
    async with (
        serving(MemoryStore(), Quota(10, "day")) as server,
        leasing(tmp_path / "a", server.port, workers=2) as envoy,
    ):
        first = await envoy.ask()
        await eventually(lambda: _passes(envoy))
        await asyncio.gather(*(envoy.ask(5) for _ in range(8)))
        other = await envoy.ask(who="globex")
        await eventually(lambda: _passes(envoy, "globex"))
    assert (first, other) == ({429: 1}, {429: 1})
    assert envoy.statuses[200] == 11


async def _passes(envoy: Leasing, who: str = "acme") -> bool:
    return 200 in await envoy.ask(who=who)


async def test_a_shadow_lets_all_pass_and_counts(tmp_path: Path) -> None:
    async with (
        serving(MemoryStore(), Quota(2, "day"), shadow=True) as server,
        leasing(tmp_path / "a", server.port) as envoy,
    ):
        await envoy.ask()
        await eventually(lambda: _passes(envoy))
        assert await envoy.ask(9) == {200: 9}

        async def counted() -> bool:
            return [usage.used for usage in await server.limits.usage()] == [envoy.statuses[200]]

        await eventually(counted)


class Load:
    """Envoys under a steady load, and when they admitted something."""

    def __init__(self, per_s: float) -> None:
        self.admitted: list[float] = []
        self.asked = 0
        self._pause = 1 / per_s
        self._tasks: dict[Leasing, asyncio.Task[None]] = {}

    def on(self, envoy: Leasing) -> None:
        self._tasks[envoy] = asyncio.create_task(self._ask(envoy))

    async def off(self, *envoys: Leasing) -> None:
        for envoy in envoys or tuple(self._tasks):
            task = self._tasks.pop(envoy)
            task.cancel()
            await asyncio.wait([task])

    async def _ask(self, envoy: Leasing) -> None:
        at = time.monotonic()
        while True:
            self.asked += 1
            if (await envoy.ask())[200]:
                self.admitted.append(time.monotonic())
            at += self._pause
            await asyncio.sleep(max(0.0, at - time.monotonic()))

    def most_in(self, seconds: float) -> int:
        """The most that were admitted in any window of such a length."""
        most = first = 0
        for last, moment in enumerate(self.admitted):
            while self.admitted[first] <= moment - seconds:
                first += 1
            most = max(most, last - first + 1)
        return most


async def test_a_rate_is_shared_and_kept_while_proxies_and_the_server_die(tmp_path: Path) -> None:
    rate, burst = 20, 20
    store = MemoryStore()
    load = Load(20)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(store, Rate(rate, "second", burst)))
        envoys = [
            await stack.enter_async_context(leasing(tmp_path / name, server.port)) for name in "abc"
        ]
        for envoy in envoys:
            load.on(envoy)
        await eventually(lambda: load.asked > 20 * 3 * 7, 20)
        steady = time.monotonic()
        await eventually(lambda: time.monotonic() > steady + 3)
        seen = sum(moment > steady for moment in load.admitted) / (time.monotonic() - steady)
        await load.off(envoys[0])
        envoys[0].process.kill()
        fresh = await stack.enter_async_context(leasing(tmp_path / "d", server.port))
        load.on(fresh)
        await eventually(lambda: fresh.statuses[429] > 5)
        await server.stop()
        await server.start()
        asked = load.asked
        await eventually(lambda: load.asked > asked + 20 * 3 * 3, 20)
        await load.off()
    # The clocks that tell when something was admitted are a little later than Envoy's.
    assert load.most_in(1.0) <= (rate + burst) * 1.05
    assert len(load.admitted) <= burst + rate * (load.admitted[-1] - load.admitted[0]) + 1
    assert seen >= 0.8 * rate


async def test_a_quota_is_never_exceeded_while_proxies_and_the_server_die(
    tmp_path: Path, kept: CounterStore
) -> None:
    load = Load(20)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(kept, Quota(60, "month")))
        envoys = [
            await stack.enter_async_context(leasing(tmp_path / name, server.port)) for name in "ab"
        ]
        for envoy in envoys:
            load.on(envoy)
        await eventually(lambda: len(load.admitted) >= 15)
        await load.off(envoys[0])
        envoys[0].process.kill()
        await server.stop()
        await server.start()
        fresh = await stack.enter_async_context(leasing(tmp_path / "c", server.port))
        load.on(fresh)
        await eventually(lambda: fresh.statuses[200] > 0 and len(load.admitted) > 30, 15)
        await load.off()
    (usage,) = await server.limits.usage()
    assert len(load.admitted) <= 60
    assert usage.used + usage.held <= 60
