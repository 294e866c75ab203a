"""The tests behind verdicts, against enumeration and against simulated traffic."""

import math
import random

import pytest

from pointsman.rollout import statistics
from pointsman.rollout.plan import Criteria, Hook, Manner, Plan, Stage
from pointsman.rollout.state import Phase
from pointsman.rollout.statistics import Table, excess_chance, look_risk, wilson
from pointsman.rollout.verdict import Interval, Outcome, judge
from tests.rollout.driving import Drive

RATES = (0.0, 0.001, 0.01)
"""Shares of requests that fail at the stable version."""


def test_one_table_is_fishers_exact_test() -> None:
    table = Table(10, 4, 20, 2)
    total = math.comb(30, 10)
    tail = sum(math.comb(6, k) * math.comb(24, 10 - k) for k in (4, 5, 6)) / total
    assert excess_chance([table]) == pytest.approx(tail)


def test_two_tables_are_their_convolution() -> None:
    first, second = Table(5, 2, 5, 1), Table(4, 1, 8, 1)

    def chances(table: Table) -> dict[int, float]:
        failed, size = table.candidate_failed + table.stable_failed, table.candidate + table.stable
        return {
            k: math.comb(failed, k)
            * math.comb(size - failed, table.candidate - k)
            / math.comb(size, table.candidate)
            for k in range(failed + 1)
            if table.candidate >= k
        }

    tail = sum(
        p * q for k, p in chances(first).items() for n, q in chances(second).items() if k + n >= 3
    )
    assert excess_chance([first, second]) == pytest.approx(tail)


def test_an_outage_of_both_is_not_the_candidates() -> None:
    calm, outage = Table(100, 0, 900, 0), Table(500, 100, 500, 100)
    assert excess_chance([calm, outage]) > 0.4
    pooled = Table(600, 100, 1400, 100)
    assert excess_chance([pooled]) < 1e-5, "which is what pooling would say"


def test_no_requests_say_nothing() -> None:
    assert excess_chance([Table(0, 0, 10, 5), Table(0, 0, 0, 0)]) == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


def test_millions_of_requests_are_no_effort() -> None:
    tables = [Table(1_000_000, 10_000, 9_000_000, 90_000)] * 20
    assert 0.4 < excess_chance(tables) < 0.6


def test_large_counts_go_on_where_small_ones_end(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(1600, 868, 8400, 4132)
    exact = excess_chance([table])
    monkeypatch.setattr(statistics, "_LARGE", 0)
    assert 1 / 1.35 < excess_chance([table]) / exact < 1.35
    assert exact < 1e-3


def test_wilson_is_that_of_the_textbook() -> None:
    low, high = wilson(8, 10, 1.96)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)


def test_the_parts_of_a_risk_add_up_to_it() -> None:
    assert math.fsum(look_risk(0.001, look) for look in range(1, 100_000)) < 0.001


def test_few_requests_may_fail_but_not_pass() -> None:
    criteria = Criteria(min_requests=50, margin=0.005)
    bad = Interval(requests=10, failed=10, stable=90)
    assert judge(criteria, [bad], {}).outcome is Outcome.FAIL
    good = Interval(requests=10, failed=0, stable=90)
    assert judge(criteria, [good], {}).outcome is Outcome.INCONCLUSIVE


def test_after_the_switch_the_past_of_the_stable_version_is_compared() -> None:
    criteria = Criteria(min_requests=50, margin=0.005)
    before = Interval(stage=-1, stable=2000, stable_failed=2)
    after = Interval(stage=0, requests=2000, failed=100)
    assert judge(criteria, [before, after], {}).outcome is Outcome.FAIL


def simulated(seed: int, rate: float, candidate_rate: float, requests: int) -> Drive:
    """A rollout of ten steps, until it has ended."""
    chance = random.Random(seed)

    def failed(count: int, share: float) -> int:
        return sum(chance.random() < share for _ in range(count))

    stages = tuple(Stage(weight, gate=Hook.CONFIRM_TRAFFIC) for weight in range(10, 101, 10))
    criteria = Criteria(min_requests=50, margin=0.005)
    drive = Drive(Plan(Manner.POINTSMAN, stages, interval_s=10, criteria=criteria))
    for _ in range(60):
        ours = requests * drive.state.weight // 100
        theirs = requests - ours
        drive.interval = Interval(
            requests=ours,
            failed=failed(ours, candidate_rate),
            stable=theirs,
            stable_failed=failed(theirs, rate),
        )
        if drive.tick().phase in (Phase.SUCCEEDED, Phase.FAILED):
            break
    return drive


@pytest.mark.parametrize("rate", RATES)
def test_a_healthy_candidate_is_never_rolled_back(rate: float) -> None:
    ends = [simulated(seed, rate, rate, 1000).state.phase for seed in range(200)]
    assert ends == [Phase.SUCCEEDED] * 200


@pytest.mark.parametrize(("rate", "requests"), [(0.0, 1000), (0.001, 1000), (0.01, 2500)])
def test_a_candidate_that_fails_5_percent_is_rolled_back_within_3_intervals(
    rate: float, requests: int
) -> None:
    """At 10 %, that is with a hundred requests and more for the candidate at the first look."""
    for seed in range(200):
        drive = simulated(seed, rate, 0.05, requests)
        assert drive.state.phase is Phase.FAILED
        looks = [interval for interval in drive.state.intervals if interval.stage >= 0]
        assert len(looks) <= 3, f"seed {seed}"


def test_verdicts_can_be_worked_out_again() -> None:
    drive = simulated(1, 0.001, 0.05, 1000)
    (event,) = [event for event in drive.events if event.phase is Phase.FAILED]
    intervals = [Interval(**counts) for counts in event.detail["intervals"]]
    again = judge(drive.plan.criteria, intervals, {})
    assert again.json() == event.detail["verdict"]
