"""What a running instance does about rollouts, with proxies and counts of the test."""

from dataclasses import replace
from pathlib import Path

import pytest

from pointsman.app.access import AccessState, StateOptions
from pointsman.app.rollouts import Rollouts
from pointsman.errors import UsageError
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
        await rollouts.tell(CART, Command.PAUSE, 0)
