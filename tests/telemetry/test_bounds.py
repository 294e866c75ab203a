"""A day with ten thousand routes: memory and series stay where they are."""

import random
import tracemalloc

import pytest

from pointsman.envoy.stats import BUCKETS_MS, Measure, Scope
from pointsman.resources.key import Key
from pointsman.telemetry.series import SLOT_S
from pointsman.telemetry.window import MOST, Selector, Subject, Window

DAY_S = 86_400
ROUTES = 10_000
STEP_S = 900
EDGE = Key("VirtualGateway", "shop", "edge")
MIB = 1024 * 1024


@pytest.mark.slow
def test_a_day_of_ten_thousand_routes_takes_no_more_than_an_hour_of_them() -> None:
    chance = random.Random(1)
    routes = [Subject(Scope.ROUTE, EDGE, route=f"shop/r{n}") for n in range(ROUTES)]
    window = Window()
    sent = 0

    def step(now: float) -> int:
        """Some routes are used all the time, others now and then."""
        used = [*routes[:500], *chance.choices(routes, k=60)]
        for subject in used:
            window.add(subject, Measure.ANSWERED_2XX, 2, now)
            window.add_latencies(subject, {chance.randrange(len(BUCKETS_MS)): 2}, 9, now)
        return 2 * len(used)

    tracemalloc.start()
    after: dict[int, int] = {}
    for now in range(0, DAY_S, STEP_S):
        sent += step(now)
        if now % 3600 == 0:
            after[now // 3600] = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(window) <= MOST[Scope.ROUTE] + 1
    assert sum(total.traffic.requests for total in window.totals(Scope.ROUTE)) == sent
    half_hour = window.sum(Selector(Scope.ROUTE), DAY_S - 1800, DAY_S).requests
    assert half_hour == 2 * 560 * 1800 // STEP_S
    # What is used longer meets more of the buckets, and a series has no more than all of them.
    assert max(after.values()) < 64 * MIB
    assert after[23] < 1.1 * after[12]


def test_series_take_no_more_than_is_said() -> None:
    tracemalloc.start()
    window = Window({**MOST, Scope.ROUTE: 20})
    for number in range(500):
        subject = Subject(Scope.ROUTE, EDGE, route=f"shop/r{number}")
        for measure in Measure:
            window.add(subject, measure, 1, number * SLOT_S)
        window.add_latencies(subject, dict.fromkeys(range(len(BUCKETS_MS) + 1), 1), 1, number * 5)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(window) == 21
    assert taken < 21 * 43 * 1700 + 50_000
