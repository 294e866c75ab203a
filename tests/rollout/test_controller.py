"""What a running instance does about rollouts, with proxies and counts of the test."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pointsman.app.access import AccessState, StateOptions
from pointsman.app.rollouts import Rollouts
from pointsman.errors import UsageError
from pointsman.graph.rollout_target import Hold
from pointsman.resources.key import Key
from pointsman.resources.resource_set import ResourceSet
from pointsman.resources.store import Store
from pointsman.rollout.commands import Command
from pointsman.rollout.window_measures import WindowMeasures
from pointsman.telemetry.window import Window
from tests.rollout.live import shop

CART = Key("Rollout", "shop", "cart")


def read(text: str) -> ResourceSet:
    store = Store()
    store.replace("mesh.yaml", text)
    return store.resources()


MEASURES = WindowMeasures(Window())
RESOURCES = read(shop({"canary": {"stepWeight": 10}}, {}))


def codes(rollouts: Rollouts) -> list[str]:
    return [problem.code.id for problem in rollouts.problems()]


async def test_nothing_is_kept_without_a_database_and_said() -> None:
    rollouts = Rollouts(AccessState(), MEASURES)
    await rollouts.overlay(RESOURCES)
    assert codes(rollouts) == ["PM008", "PM007"]


async def test_a_database_that_does_not_open_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    options = StateOptions(f"sqlite:///{tmp_path}/file/state.db", tmp_path / "master.key")
    rollouts = Rollouts(AccessState(options), MEASURES)
    await rollouts.overlay(RESOURCES)
    assert codes(rollouts) == ["PM008", "PM007"]


async def test_what_was_kept_counts_as_soon_as_it_can_be_read(tmp_path: Path) -> None:
    database, away = tmp_path / "state.db", tmp_path / "away.db"
    options = StateOptions(f"sqlite:///{database}", tmp_path / "master.key")
    async with AccessState(options) as access:
        before = Rollouts(access, MEASURES)
        before.on_change(Changes(), has_all)
        await before.overlay(RESOURCES)
        await before.tell(CART, Command.PAUSE, 0)
        await before.close()

    database.rename(away)
    database.mkdir()
    async with AccessState(options) as access:
        rollouts = Rollouts(access, MEASURES)
        rollouts.on_change(changed := Changes(), has_all)
        await rollouts.overlay(RESOURCES)
        with pytest.raises(UsageError, match="cannot be read"):
            await rollouts.tell(CART, Command.RESUME, 0)
        database.rmdir()
        away.rename(database)
        rollouts.begin()
        async with asyncio.timeout(20):
            await changed.happened.wait()
        (shown,) = rollouts.views()
        await rollouts.close()
    assert shown.paused
    assert codes(rollouts) == ["PM008"]


class Changes:
    """Gives proxies what is decided, as a control plane does.

    Attributes:
        faults: so many times it cannot.
        halfway: whether it has been compiled then, and some proxies may have it.
    """

    def __init__(self, rollouts: Rollouts | None = None) -> None:
        self.rollouts = rollouts
        self.happened = asyncio.Event()
        self.faults = 0
        self.halfway = False

    async def __call__(self, _texts: Mapping[str, str | None]) -> None:
        self.faults -= 1
        if self.rollouts is not None and (self.faults < 0 or self.halfway):
            await self.rollouts.overlay(RESOURCES)
        if self.rollouts is not None and self.faults < 0:
            self.rollouts.served()
        self.happened.set()

    async def next(self) -> None:
        """Waits for one more, but not for long."""
        self.happened.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await self.happened.wait()


async def has_all(_hold: Hold) -> bool:
    return True


async def test_meshes_without_rollouts_are_left_alone(tmp_path: Path) -> None:
    options = StateOptions(f"sqlite:///{tmp_path}/state.db", tmp_path / "master.key")
    rollouts = Rollouts(AccessState(options), MEASURES)
    without = replace(
        RESOURCES, by_kind={k: v for k, v in RESOURCES.by_kind.items() if k != "Rollout"}
    )
    assert await rollouts.overlay(without) is without
    rollouts.begin()
    assert codes(rollouts) == []
    assert not (tmp_path / "state.db").exists()


async def test_a_rollout_that_is_not_there_takes_no_commands() -> None:
    rollouts = Rollouts(AccessState(), MEASURES)
    with pytest.raises(UsageError, match="no Rollout shop/cart is carried out here"):
        await rollouts.tell(CART, Command.RESUME, 0)
