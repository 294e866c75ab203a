"""Flagger's table of states, row by row (its behaviour, with virtual time)."""

from dataclasses import replace

import pytest

from pointsman.rollout.inputs import Ready
from pointsman.rollout.plan import Hook, Manner, Plan, Stage
from pointsman.rollout.state import Phase
from tests.rollout.driving import BAD, GOOD, NOTHING, SUCCESS, Drive, begun, canary, webhooks


def test_row_1_the_first_revision_is_initialized() -> None:
    drive = Drive(canary(20), stable=Ready.NOT_YET)
    assert drive.tick().phase is Phase.INITIALIZING
    drive.stable = Ready.YES
    assert (drive.tick().phase, drive.state.weight) == (Phase.INITIALIZED, 0)
    assert drive.ticks(3) == [0, 0, 0]
    assert drive.state.phase is Phase.INITIALIZED


def test_row_2_a_new_revision_begins_at_weight_0() -> None:
    drive = Drive(canary(20, hooks=(Hook.CONFIRM_ROLLOUT,)))
    drive.tick()
    drive.revision = "2"
    assert (drive.tick().phase, drive.state.weight) == (Phase.PROGRESSING, 0)
    assert drive.asked == [Hook.CONFIRM_ROLLOUT]


def test_row_3_a_failing_pre_rollout_hook_counts_and_no_traffic_moves() -> None:
    drive = begun(canary(20, hooks=(Hook.PRE_ROLLOUT,)), answers={Hook.PRE_ROLLOUT: False})
    assert drive.ticks(2) == [0, 0]
    assert drive.state.failures == 2
    assert None not in drive.asked
    drive.answers = {}
    assert drive.ticks(1) == [20]


def test_row_4_the_order_of_a_look() -> None:
    hooks = (Hook.PRE_ROLLOUT, Hook.ROLLOUT, Hook.ROLLBACK, Hook.CONFIRM_TRAFFIC)
    drive = begun(canary(20, hooks=hooks))
    drive.tick()
    assert drive.asked == [Hook.ROLLBACK, Hook.PRE_ROLLOUT, Hook.CONFIRM_TRAFFIC]
    drive.asked.clear()
    drive.tick()
    assert drive.asked == [Hook.ROLLBACK, Hook.ROLLOUT, None, Hook.CONFIRM_TRAFFIC]


@pytest.mark.parametrize(
    ("plan", "primary"),
    [
        (canary(20, 50), [100, 80, 60, 40]),
        (canary(50, 100), [100, 50, 0]),
        (canary(steps=(1, 2, 10, 80)), [100, 99, 98, 90, 20]),
        (canary(steps=(1, 2, 10, 200)), [100, 99, 98, 90, 0]),
    ],
)
def test_row_5_vectors_of_primary_weight(plan: Plan, primary: list[int]) -> None:
    drive = begun(plan)
    weights = [100 - drive.state.weight, *(100 - w for w in drive.ticks(len(primary) - 1))]
    assert weights == primary
    assert drive.tick().phase is Phase.PROMOTING


def test_row_6_promotion_is_confirmed_at_the_last_weight() -> None:
    drive = begun(canary(50, hooks=(Hook.CONFIRM_PROMOTION,)))
    drive.ticks(2)
    assert drive.asked == [None]
    assert drive.tick().phase is Phase.PROMOTING
    assert drive.asked == [None, None, Hook.CONFIRM_PROMOTION]


def test_row_7_the_whole_shift_at_once() -> None:
    drive = begun(canary(100))
    drive.ticks(2)
    assert drive.state.phase is Phase.PROMOTING
    drive.stable = Ready.NOT_YET
    assert (drive.tick().phase, drive.state.weight) == (Phase.PROMOTING, 100)
    drive.stable = Ready.YES
    assert (drive.tick().phase, drive.state.weight) == (Phase.FINALISING, 0)
    assert drive.tick().phase is Phase.SUCCEEDED
    assert drive.events[-1].tells is Hook.POST_ROLLOUT


def test_row_7_the_shift_by_steps() -> None:
    drive = begun(canary(100, promotion=50))
    assert [drive.state.weight, *drive.ticks(4)] == [0, 100, 100, 50, 0]
    assert drive.tick().phase is Phase.SUCCEEDED


def test_row_8_failed_checks_add_up_and_the_look_after_the_last_rolls_back() -> None:
    drive = begun(canary(20, threshold=2))
    drive.tick()
    drive.interval = BAD
    assert (drive.tick().failures, drive.state.weight) == (1, 20)
    drive.interval = GOOD
    assert (drive.tick().failures, drive.state.weight) == (1, 40)
    drive.interval = BAD
    assert (drive.tick().phase, drive.state.weight) == (Phase.PROGRESSING, 40)
    assert (drive.tick().phase, drive.state.weight) == (Phase.FAILED, 0)
    assert drive.events[-1].tells is Hook.POST_ROLLOUT


@pytest.mark.parametrize("waiting", [False, True])
def test_row_9_a_newer_revision_on_the_way_begins_anew(waiting: bool) -> None:
    drive = begun(canary(50, hooks=(Hook.CONFIRM_PROMOTION,)))
    drive.answers = {Hook.CONFIRM_PROMOTION: not waiting}
    drive.ticks(3 if waiting else 2)
    drive.revision = "3"
    state = drive.tick()
    assert (state.phase, state.weight, state.failures) == (Phase.PROGRESSING, 0, 0)
    assert (state.stage, state.intervals) == (-1, ())


@pytest.mark.parametrize("end", [Phase.FAILED, Phase.SUCCEEDED])
def test_row_10_a_newer_revision_after_the_end_is_not_lost(end: Phase) -> None:
    drive = begun(canary(100, threshold=1), interval=BAD if end is Phase.FAILED else GOOD)
    drive.ticks(4)
    assert drive.state.phase is end
    drive.revision, drive.interval = "3", GOOD
    drive.acknowledged, drive.stable = False, Ready.NOT_YET
    assert drive.tick().phase is Phase.PROGRESSING
    assert drive.state.revision == "3"


def test_row_10_a_denied_revision_is_not_lost() -> None:
    drive = begun(canary(100, threshold=1, hooks=(Hook.CONFIRM_ROLLOUT,)), interval=BAD)
    drive.ticks(3)
    drive.revision, drive.answers = "3", {Hook.CONFIRM_ROLLOUT: False}
    drive.ticks(3)
    drive.answers = {}
    assert (drive.tick().phase, drive.state.revision) == (Phase.PROGRESSING, "3")


def test_row_11_a_denied_rollout_waits_and_tells_once() -> None:
    drive = Drive(canary(20, hooks=(Hook.CONFIRM_ROLLOUT,)))
    drive.tick()
    drive.revision, drive.answers = "2", {Hook.CONFIRM_ROLLOUT: False}
    drive.events.clear()
    drive.ticks(3)
    assert (drive.state.phase, drive.state.failures) == (Phase.WAITING, 0)
    assert [event.level for event in drive.events] == ["warn"]


def test_row_11_a_muted_hook_alerts_nobody() -> None:
    plan = canary(20, hooks=(Hook.CONFIRM_ROLLOUT,))
    hooks = tuple(replace(hook, quiet=True) for hook in plan.webhooks)
    drive = Drive(replace(plan, webhooks=hooks))
    drive.tick()
    drive.revision, drive.answers = "2", {Hook.CONFIRM_ROLLOUT: False}
    drive.tick()
    assert drive.events[-1].level == "info"


def test_row_12_a_denied_promotion_goes_on_being_analysed() -> None:
    drive = begun(canary(100, threshold=1, hooks=(Hook.CONFIRM_PROMOTION,)))
    drive.answers = {Hook.CONFIRM_PROMOTION: False}
    drive.ticks(3)
    assert (drive.state.phase, drive.state.weight) == (Phase.WAITING_PROMOTION, 100)
    looks = drive.asked.count(None)
    drive.tick()
    assert drive.asked.count(None) == looks + 1
    drive.interval = BAD
    drive.ticks(2)
    assert (drive.state.phase, drive.state.weight) == (Phase.FAILED, 0)


def blue_green(*, hooks: tuple[Hook, ...] = (), mirror: int = 0) -> Plan:
    stages = (Stage(0, checks=3, mirror=mirror), Stage(100, gate=Hook.CONFIRM_PROMOTION))
    return Plan(Manner.FLAGGER, stages, None, 10, 2, SUCCESS, webhooks=webhooks(*hooks))


def test_row_12_blue_green_waits_one_check_before_its_end() -> None:
    drive = begun(blue_green(hooks=(Hook.CONFIRM_PROMOTION,)))
    drive.answers = {Hook.CONFIRM_PROMOTION: False}
    drive.ticks(6)
    assert (drive.state.phase, drive.state.passes) == (Phase.WAITING_PROMOTION, 2)
    drive.answers = {}
    assert drive.ticks(1) == [100]


def test_row_13_a_denied_increase_stays_and_is_no_failure() -> None:
    drive = begun(canary(20, hooks=(Hook.CONFIRM_TRAFFIC,)))
    drive.tick()
    drive.answers = {Hook.CONFIRM_TRAFFIC: False}
    assert drive.ticks(3) == [20, 20, 20]
    assert (drive.state.phase, drive.state.failures) == (Phase.PROGRESSING, 0)


@pytest.mark.parametrize("waiting", [False, True])
def test_row_14_a_rollback_hook_rolls_back_at_once(waiting: bool) -> None:
    drive = begun(canary(100, hooks=(Hook.CONFIRM_PROMOTION, Hook.ROLLBACK)))
    drive.answers = {Hook.CONFIRM_PROMOTION: False, Hook.ROLLBACK: False}
    drive.ticks(3 if waiting else 1)
    drive.answers[Hook.ROLLBACK] = True
    assert (drive.tick().phase, drive.state.weight) == (Phase.FAILED, 0)


def test_row_14_it_is_not_asked_while_waiting_to_begin() -> None:
    drive = Drive(canary(20, hooks=(Hook.CONFIRM_ROLLOUT, Hook.ROLLBACK)))
    drive.tick()
    drive.revision, drive.answers = "2", {Hook.CONFIRM_ROLLOUT: False}
    drive.ticks(2)
    assert Hook.ROLLBACK not in drive.asked


def test_row_15_no_value_is_a_failed_check() -> None:
    drive = begun(canary(20))
    drive.tick()
    drive.interval = NOTHING
    assert drive.tick().failures == 1
    assert "probably not receiving traffic" in drive.texts[-1]


def test_row_16_a_candidate_that_is_not_ready_is_waited_for() -> None:
    drive = begun(canary(20))
    drive.candidate = Ready.NOT_YET
    assert drive.ticks(3) == [0, 0, 0]
    assert drive.state.failures == 0
    drive.now += drive.plan.deadline_s
    assert drive.tick().phase is Phase.FAILED


def test_row_16_one_that_never_will_be_is_rolled_back() -> None:
    drive = begun(canary(20))
    drive.tick()
    drive.candidate = Ready.NEVER
    assert (drive.tick().phase, drive.state.weight) == (Phase.FAILED, 0)


@pytest.mark.parametrize("looks", [2, 3])
def test_row_17_requests_never_go_back_to_a_broken_primary(looks: int) -> None:
    drive = begun(canary(100))
    drive.ticks(looks)
    assert drive.state.phase in (Phase.PROMOTING, Phase.FINALISING)
    drive.stable = Ready.NEVER
    assert (drive.tick().phase, drive.state.weight) == (Phase.FAILED, 100)
    assert drive.ticks(3) == [100, 100, 100]


def test_row_18_without_analysis_it_is_promoted_at_once() -> None:
    drive = begun(canary(20, skip=True), interval=BAD)
    assert drive.tick().phase is Phase.PROMOTING


def test_row_18_also_on_the_way() -> None:
    drive = begun(canary(20))
    drive.ticks(2)
    drive.plan = replace(drive.plan, skip=True)
    assert drive.tick().phase is Phase.PROMOTING


def test_row_18_it_still_is_rolled_back_at_the_deadline() -> None:
    drive = begun(canary(20, skip=True), candidate=Ready.NOT_YET)
    drive.now += drive.plan.deadline_s
    assert drive.tick().phase is Phase.FAILED


def test_row_19_blue_green() -> None:
    drive = begun(blue_green())
    assert drive.ticks(5) == [0, 0, 0, 100, 100]
    assert drive.asked == [None] * 4
    assert drive.texts[-1] == "all checks passed: the primary is to get the new version"
    assert drive.ticks(2) == [0, 0]
    assert drive.state.phase is Phase.SUCCEEDED


def test_row_20_ab_test() -> None:
    plan = Plan(Manner.FLAGGER, (Stage(0, checks=3, routed=True),), criteria=SUCCESS)
    drive = begun(plan)
    routed = [drive.tick().routed for _ in range(3)]
    assert routed == [True, True, True]
    assert drive.tick().phase is Phase.PROMOTING
    assert not drive.tick().routed


def test_row_21_mirror_before_the_first_weight() -> None:
    drive = begun(canary(10, mirror=100))
    assert (drive.tick().weight, drive.state.mirror) == (0, 100)
    assert (drive.tick().weight, drive.state.mirror) == (10, 0)


def test_row_21_mirror_through_all_of_blue_green() -> None:
    drive = begun(blue_green(mirror=50))
    copies = [drive.tick().mirror for _ in range(5)]
    assert copies == [50, 50, 50, 0, 0]


def test_row_22_nothing_moves_while_suspended() -> None:
    drive = begun(canary(20))
    drive.ticks(2)
    drive.plan = replace(drive.plan, suspend=True)
    drive.interval, drive.revision = BAD, "3"
    assert drive.ticks(3) == [40, 40, 40]
    assert drive.state.revision == "2"
