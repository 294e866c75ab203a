"""What people tell a rollout to do, and what a Rollout does without Flagger's table."""

from dataclasses import replace

import pytest

from pointsman.errors import UsageError
from pointsman.rollout.commands import Command, obey
from pointsman.rollout.plan import Criteria, Hook, Manner, Plan, Stage
from pointsman.rollout.state import Phase
from tests.rollout.driving import BAD, GOOD, NOTHING, Drive

PLAN = Plan(
    Manner.POINTSMAN,
    (Stage(10), Stage(50, pause=True), Stage(80)),
    interval_s=10,
    criteria=Criteria(min_requests=50, margin=0.005),
)


def progressing(ticks: int = 2, plan: Plan = PLAN) -> Drive:
    drive = Drive(plan)
    drive.ticks(ticks)
    return drive


def test_it_begins_at_once_and_ends_with_all_requests_at_the_candidate() -> None:
    drive = Drive(replace(PLAN, stages=PLAN.stages[::2]))
    assert drive.ticks(5) == [0, 10, 80, 100, 100]
    assert drive.state.phase is Phase.SUCCEEDED


def test_a_failed_check_rolls_back_in_the_same_look() -> None:
    drive = progressing()
    drive.interval = BAD
    assert (drive.tick().phase, drive.state.weight) == (Phase.FAILED, 0)
    drive.acknowledged = False
    assert not drive.tick().settled
    drive.acknowledged, drive.interval = True, GOOD
    assert drive.tick().settled
    # Those that failed while a proxy had not the rollback count, too.
    assert drive.texts[-1] == "all proxies have the rollback; 1000 requests failed at the candidate"


def test_copies_that_fail_while_a_rollback_is_on_its_way_harm_nobody() -> None:
    drive = Drive(replace(PLAN, stages=(Stage(0, mirror=20),)))
    drive.ticks(2)
    drive.interval = BAD
    assert drive.tick().phase is Phase.FAILED
    kept = drive.state.intervals
    drive.acknowledged = False
    for _ in range(3):
        assert drive.tick().intervals == kept
    drive.acknowledged = True
    drive.tick()
    assert drive.texts[-1] == "all proxies have the rollback; 0 requests failed at the candidate"


def test_too_few_requests_hold_and_tell_once() -> None:
    drive = progressing()
    drive.interval = NOTHING
    drive.events.clear()
    assert drive.ticks(5) == [10] * 5
    assert (drive.state.phase, drive.state.failures) == (Phase.PROGRESSING, 0)
    assert [event.level for event in drive.events] == ["warn"]


def test_proxies_without_the_weights_are_waited_for() -> None:
    drive = progressing()
    drive.acknowledged = False
    assert drive.ticks(3) == [10, 10, 10]
    assert drive.state.stage_at == drive.now


def test_a_step_with_a_pause_waits_for_resume() -> None:
    drive = progressing(3)
    assert drive.ticks(3) == [50, 50, 50]
    drive.tell(Command.RESUME)
    assert drive.ticks(1) == [80]


def test_a_paused_rollout_stays_and_is_not_looked_at() -> None:
    drive = progressing()
    drive.tell(Command.PAUSE)
    drive.interval = BAD
    assert drive.ticks(3) == [10, 10, 10]
    drive.interval = GOOD
    drive.tell(Command.RESUME)
    assert drive.ticks(1) == [50]


def test_an_approval_counts_once() -> None:
    stages = tuple(Stage(weight, gate=Hook.CONFIRM_TRAFFIC) for weight in (10, 20))
    drive = progressing(
        4, replace(PLAN, stages=stages, approvals=frozenset({Hook.CONFIRM_TRAFFIC}))
    )
    assert drive.state.weight == 0
    drive.tell(Command.RESUME)
    assert drive.ticks(3) == [10, 10, 10]


def test_a_weight_by_hand_pauses_and_goes_on_from_there() -> None:
    drive = progressing()
    assert drive.tell(Command.SET_WEIGHT, 60).weight == 60
    assert drive.ticks(2) == [60, 60]
    drive.tell(Command.RESUME)
    assert drive.tick().stage == 1


@pytest.mark.parametrize("ended", [False, True])
def test_abort_goes_back_also_after_the_end(ended: bool) -> None:
    drive = progressing()
    if ended:
        drive.tell(Command.PROMOTE)
        assert drive.tick().phase is Phase.SUCCEEDED
    state = drive.tell(Command.ABORT)
    assert (state.phase, state.weight) == (Phase.FAILED, 0)
    assert drive.ticks(3) == [0, 0, 0]


@pytest.mark.parametrize("command", [Command.RESUME, Command.PROMOTE, Command.SET_WEIGHT])
def test_what_makes_no_sense_is_refused(command: Command) -> None:
    drive = progressing()
    drive.tell(Command.ABORT)
    with pytest.raises(UsageError, match="the rollout is Failed"):
        drive.tell(command, 10)


def test_the_request_budget_ends_it() -> None:
    criteria = Criteria(min_requests=1, max_failed=10)
    drive = progressing(2, replace(PLAN, criteria=criteria))
    drive.interval = replace(GOOD, failed=10)
    assert drive.tick().phase is Phase.FAILED


@pytest.mark.parametrize("command", [Command.PROMOTE, Command.SET_WEIGHT])
def test_a_revision_that_has_not_begun_is_not_moved(command: Command) -> None:
    drive = progressing()
    with pytest.raises(UsageError, match="a newer revision has not begun yet"):
        obey(PLAN, drive.state, command, "another", 100.0, 50)
    assert obey(PLAN, drive.state, Command.ABORT, "another", 100.0).state.weight == 0
