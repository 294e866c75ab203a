"""What could not be written or published is tried again, and nobody says that it was."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pointsman.app.access import AccessState
from pointsman.app.rollout_running import Running
from pointsman.app.rollout_served import ServedSplits
from pointsman.app.rollout_states import RolloutStates
from pointsman.app.rollouts import Rollouts
from pointsman.errors import StateError
from pointsman.graph.rollout_target import Hold
from pointsman.resources.key import Key
from pointsman.rollout.commands import Command
from pointsman.rollout.inputs import Inputs, Step
from pointsman.rollout.machine import step
from pointsman.rollout.plan import Hook, Manner, Plan, Stage
from pointsman.rollout.split import Split
from pointsman.rollout.state import Event, Phase, State
from pointsman.rollout.store import MemoryStore
from tests.rollout.test_controller import CART, MEASURES, RESOURCES, Changes, has_all, read
from tests.rollout.test_lead import Shared, plane

EVENT = Event(1.0, "info", Phase.PROGRESSING, 10, "something", {})


class Failing(MemoryStore):
    """A store that is away for a while."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def save(self, rollout: Key, state: State, events: Sequence[Event]) -> None:
        self.times -= 1
        if self.times >= 0:
            raise StateError("away")
        await super().save(rollout, state, events)


async def test_what_could_not_be_written_is_written_later_with_all_that_happened() -> None:
    store = Failing(2)
    states = RolloutStates(lambda: store)
    await states.loaded()
    await states.keep(CART, State(weight=10), [EVENT])
    await states.keep(CART, State(weight=0), [EVENT])
    assert (states.of(CART).weight, states.failure) == (0, "away")
    await states.catch_up()
    assert (await store.load()).get(CART) == State(weight=0)
    assert len(await store.events(CART, 10)) == 2
    assert states.failure == ""
    await states.catch_up()
    assert len(await store.events(CART, 10)) == 2


async def test_a_change_that_fails_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.app.rollout_served.AGAIN_S", 0.0)
    monkeypatch.setattr("pointsman.app.rollouts.HEAR_S", 0.0)
    rollouts = Rollouts(AccessState(), MEASURES)
    rollouts.on_change(changes := Changes(rollouts), has_all)
    await rollouts.overlay(RESOURCES)
    rollouts.served()
    changes.faults = 3
    rollouts.begin()
    async with asyncio.timeout(20):
        while changes.faults >= 0 or rollouts.views()[0].weight != 10:
            await changes.next()
    await rollouts.close()


async def test_a_rollback_of_what_was_published_halfway_is_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pointsman.app.rollout_served.AGAIN_S", 0.0)
    rollouts = Rollouts(AccessState(), MEASURES)
    rollouts.on_change(changes := Changes(rollouts), has_all)
    await rollouts.overlay(RESOURCES)
    rollouts.served()
    rollouts.begin()
    async with asyncio.timeout(20):
        while rollouts.views()[0].weight != 10 or CART not in rollouts._served.in_force:
            await changes.next()
        changes.faults, changes.halfway = 1_000, True
        await rollouts.tell(CART, Command.SET_WEIGHT, 30)
        assert rollouts._served.overlaid[CART][1].weight == 30
        assert rollouts._served.in_force[CART][1].weight == 10
        changes.faults = 0
        await rollouts.tell(CART, Command.SET_WEIGHT, 10)
        while rollouts._served.overlaid[CART][1].weight != 10:
            await changes.next()
    assert rollouts._served.in_force == rollouts._served.overlaid
    await rollouts.close()


async def test_the_newest_state_is_written_last() -> None:
    class Slow(MemoryStore):
        async def save(self, rollout: Key, state: State, events: Sequence[Event]) -> None:
            # The more weight, the longer it takes.
            await asyncio.sleep(state.weight / 1000)
            await super().save(rollout, state, events)

    store = Slow()
    states = RolloutStates(lambda: store)
    await states.loaded()
    weights = (50, 10, 0)
    await asyncio.gather(*(states.keep(CART, State(weight=weight), [EVENT]) for weight in weights))
    assert (await store.load())[CART].weight == states.of(CART).weight == 0
    assert len(await store.events(CART, 10)) == 3


async def test_who_cannot_publish_a_split_does_not_say_that_proxies_have_it(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    async with plane(url, tmp_path) as (first, changes):
        await first.tell(CART, Command.PAUSE, 0)
        async with plane(url, tmp_path) as (second, failing):
            first.begin()
            second.begin()

            async def acknowledged() -> bool:
                split = first._states.of(CART).split
                has = await first._acks.elsewhere(CART, split, patient=False)
                return has and first._acks.others

            async with asyncio.timeout(30):
                while not await acknowledged():
                    await changes.next()
                failing.faults = 1_000
                await first.tell(CART, Command.RESUME, 0)
                while first.views()[0].weight != 10:
                    await changes.next()
            for _ in range(10):
                await changes.next()
                assert not await acknowledged()
            failing.faults = 0
            async with asyncio.timeout(30):
                while not await acknowledged():
                    await changes.next()


@pytest.mark.parametrize("is_shared", [True, False])
async def test_while_nobody_can_be_asked_others_do_not_count_as_done(is_shared: bool) -> None:
    class Away(Shared):
        async def acknowledged(self, _me: str) -> Sequence[dict[Key, str | None]]:
            raise StateError("away")

    store = Away()
    store.is_shared = is_shared
    rollouts = Rollouts(AccessState(), MEASURES)
    rollouts.__dict__["_store"] = store
    rollouts.on_change(Changes(rollouts), has_all)
    await rollouts.overlay(RESOURCES)
    rollouts.served()
    item, state = rollouts._running[CART], State()
    await rollouts._states.keep(CART, state)
    await rollouts.overlay(RESOURCES)
    rollouts.served()
    assert await rollouts._taken(CART, item, state, patient=False) is not is_shared


PLAN = Plan(Manner.POINTSMAN, ())
V0, V1, V2, V3 = (Key("VirtualNode", "shop", f"v{number}") for number in range(4))
ROUTER = Key("VirtualRouter", "shop", "cart")


@pytest.mark.parametrize(
    ("stable", "candidate", "weight"),
    [
        (V1, V2, 75),  # as it was
        (V2, V3, 0),  # the next one has not begun
        (V1, V3, 0),  # another one has not begun
        (V0, V1, 100),  # manifests are older: v1 is the stable one
        (V2, V1, 25),  # they have changed places
    ],
)
def test_a_state_counts_for_the_versions_it_is_about(
    stable: Key, candidate: Key, weight: int
) -> None:
    state = State(phase=Phase.PROMOTING, weight=75, mirror=5, versions=(str(V1), str(V2)))
    item = Running(PLAN, Hold(ROUTER, "all", stable, candidate), "r")
    assert item.split(state).weight == weight
    same = (stable, candidate) == (V1, V2)
    assert item.is_about(state) is same
    # From there the next look goes on: nothing changes by its being looked at.
    taken = item.taken_up(state)
    assert item.is_about(taken)
    assert item.split(taken) == item.split(state)
    done = (stable, candidate) == (V0, V1)
    expected = Phase.SUCCEEDED if done else Phase.INITIALIZED
    assert taken.phase is (Phase.PROMOTING if same else expected)


def test_a_next_release_that_is_taken_back_changes_nothing() -> None:
    gate = frozenset({Hook.CONFIRM_ROLLOUT})
    plan = Plan(Manner.POINTSMAN, (Stage(10),), approvals=gate)
    first, second = (
        Running(plan, Hold(ROUTER, "all", *pair), revision)
        for pair, revision in (((V1, V2), "v2"), ((V2, V3), "v3"))
    )
    state = State(phase=Phase.SUCCEEDED, weight=100, revision="v2", versions=first.versions)
    for item, weight in ((second, 0), (first, 100), (first, 100)):
        inputs = Inputs(item.revision, answers={Hook.CONFIRM_ROLLOUT: True})
        made = step(plan, item.taken_up(state), inputs, 1.0)
        assert isinstance(made, Step)
        state = made.state
        assert item.split(state).weight == weight
        # Somebody opens the gate in the end, for whatever waits there.
        state = replace(state, approved=(Hook.CONFIRM_ROLLOUT,) if item is first else ())
    assert state.phase is Phase.SUCCEEDED


def test_a_plan_may_have_lost_stages() -> None:
    state = State(phase=Phase.PROGRESSING, stage=4, weight=50, versions=(str(V1), str(V2)))
    plan = Plan(Manner.POINTSMAN, (Stage(10), Stage(20)))
    for stable, candidate in ((V1, V2), (V2, V3)):
        item = Running(plan, Hold(ROUTER, "all", stable, candidate), "r")
        assert item.taken_up(state).stage == 1


def test_back_at_the_versions_before_it_begins_anew() -> None:
    """Nobody knows how far it was: there was another pair meanwhile."""
    plan = Plan(Manner.POINTSMAN, (Stage(10), Stage(80)))
    there, back = (
        Running(plan, Hold(ROUTER, "all", V1, other), revision)
        for other, revision in ((V3, "v3"), (V2, "v2"))
    )
    state = State(
        phase=Phase.PROGRESSING, stage=1, weight=80, revision="v2", versions=back.versions
    )
    state = back.taken_up(there.taken_up(state))
    made = step(plan, state, Inputs("v2", acknowledged=True), 1.0)
    assert isinstance(made, Step)
    assert (made.state.stage, made.state.weight, made.state.revision) == (-1, 0, "v2")


async def test_a_rollout_that_is_removed_while_it_is_looked_at_stays_removed() -> None:
    looking, removed = asyncio.Event(), asyncio.Event()

    async def taken(_hold: Hold) -> bool:
        looking.set()
        await removed.wait()
        return True

    rollouts = Rollouts(AccessState(), MEASURES)
    rollouts.on_change(Changes(rollouts), taken)
    await rollouts.overlay(RESOURCES)
    rollouts.served()
    rollouts.begin()
    async with asyncio.timeout(20):
        await looking.wait()
        await rollouts.overlay(read(""))
        rollouts.served()
        removed.set()
        await rollouts.close()
    assert rollouts._states.known == {}


def test_what_some_proxies_had_meanwhile_is_told() -> None:
    hold = Hold(ROUTER, "all", V1, V2)
    splits = [{CART: (hold, Split(weight))} for weight in (10, 20)]
    served = ServedSplits()
    served.overlay(splits[0])
    assert served.served() == {CART}
    served.overlay(splits[0])
    assert served.served() == set()
    served.overlay(splits[1])
    assert not served.has(CART, splits[0][CART])
    assert served.asks_for(splits[0]), "the other one is on its way"
    assert not served.asks_for(splits[0]), "it was asked for already"
    served.overlay(splits[0])
    assert served.served() == {CART}, "some may have had the other one"
    assert served.has(CART, splits[0][CART])


def test_the_next_candidate_waits_for_its_approval_with_nothing() -> None:
    """The one before has succeeded, so that its weight was all."""
    done = State(phase=Phase.SUCCEEDED, weight=100, revision="v2", versions=(str(V1), str(V2)))
    plan = Plan(Manner.POINTSMAN, (Stage(10),), approvals=frozenset({Hook.CONFIRM_ROLLOUT}))
    item = Running(plan, Hold(ROUTER, "all", V2, V3), "v3")
    made = step(plan, item.taken_up(done), Inputs("v3", acknowledged=True), 1.0)
    assert isinstance(made, Step)
    assert (made.state.phase, item.split(made.state).weight) == (Phase.WAITING, 0)
