"""What holds of every rollout, whatever happens to it."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.errors import UsageError
from pointsman.rollout.commands import Command
from pointsman.rollout.inputs import Ready
from pointsman.rollout.plan import Criteria, Hook, Manner, Plan, Stage
from pointsman.rollout.state import MOVING, Phase, State
from pointsman.rollout.verdict import Interval
from tests.rollout.driving import BAD, GOOD, NOTHING, Drive, webhooks

HOOKS = tuple(hook for hook in Hook if hook not in (Hook.EVENT, Hook.POST_ROLLOUT))
INTERVALS = (GOOD, BAD, NOTHING, Interval(requests=10, failed=1, stable=50))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    weights = sorted(draw(st.sets(st.integers(1, 100), min_size=1, max_size=4)))
    stages = tuple(
        Stage(
            weight,
            checks=draw(st.integers(1, 2)),
            pause=draw(st.booleans()),
            hold_s=draw(st.sampled_from((0.0, 15.0))),
            gate=draw(st.sampled_from((None, Hook.CONFIRM_TRAFFIC))),
        )
        for weight in weights
    )
    return Plan(
        draw(st.sampled_from(Manner)),
        stages,
        interval_s=10,
        threshold=draw(st.integers(1, 3)),
        criteria=Criteria(min_requests=20, success=0.95, margin=0.005),
        promotion_step=draw(st.sampled_from((0, 30))),
        approvals=frozenset(draw(st.sets(st.sampled_from((Hook.CONFIRM_PROMOTION,))))),
        webhooks=webhooks(*draw(st.sets(st.sampled_from(HOOKS)))),
    )


@st.composite
def moments(draw: st.DrawFn) -> dict[str, object]:
    """What is so at one look, and what somebody tells after it."""
    return {
        "interval": draw(st.sampled_from(INTERVALS)),
        "acknowledged": draw(st.booleans()) or draw(st.booleans()),
        "candidate": draw(st.sampled_from((Ready.YES, Ready.YES, Ready.NOT_YET))),
        "stable": draw(st.sampled_from(Ready)),
        "revision": draw(st.sampled_from(("1", "1", "1", "2"))),
        "answers": {hook: draw(st.booleans()) for hook in HOOKS},
        "command": draw(st.sampled_from((None, None, None, *Command))),
        "weight": draw(st.integers(0, 100)),
    }


STORIES = st.lists(moments(), max_size=30)


def live(drive: Drive, story: list[dict[str, object]]) -> list[State]:
    states = []
    for moment in story:
        for name in ("interval", "acknowledged", "candidate", "stable", "revision", "answers"):
            setattr(drive, name, moment[name])
        drive.tick()
        states.append(drive.state)
        command = moment["command"]
        if isinstance(command, Command):
            weight = moment["weight"]
            assert isinstance(weight, int)
            try:
                drive.tell(command, weight)
            except UsageError:
                continue
            states.append(drive.state)
    return states


@given(plans(), STORIES)
@settings(max_examples=150, deadline=None)
def test_a_failed_candidate_gets_nothing(plan: Plan, story: list[dict[str, object]]) -> None:
    drive = Drive(plan)
    for state in live(drive, story):
        assert 0 <= state.weight <= 100
        if state.phase is Phase.FAILED:
            kept = any("the primary cannot serve" in text for text in drive.texts)
            assert state.weight == 0 or (kept and plan.manner is Manner.FLAGGER)
            assert (state.mirror, state.routed) == (0, False)
        if state.phase not in MOVING:
            assert state.weight in (0, 100)


@given(plans(), STORIES)
@settings(max_examples=150, deadline=None)
def test_a_restart_changes_nothing(plan: Plan, story: list[dict[str, object]]) -> None:
    def restart(state: State) -> State:
        return State.read(json.loads(json.dumps(state.json())))

    whole, broken = Drive(plan), Drive(plan, restart=restart)
    assert live(whole, story) == live(broken, story)
    assert whole.events == broken.events


@given(plans(), STORIES)
@settings(max_examples=75, deadline=None)
def test_a_look_has_no_memory(plan: Plan, story: list[dict[str, object]]) -> None:
    first, second = Drive(plan), Drive(plan)
    assert live(first, story) == live(second, [replaced.copy() for replaced in story])
    assert [replace(event, at=0) for event in first.events] == [
        replace(event, at=0) for event in second.events
    ]
