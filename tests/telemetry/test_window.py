from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pointsman.envoy.stats import BUCKETS_MS, Measure, Scope
from pointsman.resources.key import Key
from pointsman.telemetry.series import SLOT_S
from pointsman.telemetry.traffic import Latency, Traffic
from pointsman.telemetry.window import SILENT_S, WINDOW_S, Selector, Subject, Window

NOW = 1_800_000_000.0
OK, BAD = Measure.ANSWERED_2XX, Measure.ANSWERED_5XX
ROUTES = Selector(Scope.ROUTE)


def route(number: int) -> Subject:
    return Subject(Scope.ROUTE, Key("VirtualGateway", "shop", "edge"), route=f"shop/r{number}")


def requests(window: Window, selector: Selector = ROUTES, until: float = NOW) -> int:
    return window.sum(selector, until - WINDOW_S, until).requests


Event = tuple[int, int, int]
"""Seconds since the one before, a route, requests."""
events = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 9), st.integers(1, 1000)), max_size=60
)


@example([(0, 0, 1), (0, 1, 1), (300, 1, 1)], 1, 0, 61)
@given(events, st.integers(1, 12), st.integers(0, 40), st.integers(1, 360))
def test_a_sum_is_what_was_put_in_whatever_had_to_give_way(
    given_events: Sequence[Event], most: int, ago: int, slots: int
) -> None:
    window = Window(dict.fromkeys(Scope, most))
    now = NOW
    put: list[tuple[float, int]] = []
    for later, number, count in given_events:
        now += later
        window.add(route(number), OK, count, now)
        put.append((now, count))
        assert len(window) <= most + 1
    until = (now // SLOT_S + 1 - ago) * SLOT_S
    since = until - slots * SLOT_S
    oldest = (now // SLOT_S + 1) * SLOT_S - WINDOW_S
    expected = sum(count for at, count in put if max(since, oldest) <= at < until)
    kept = window.sum(ROUTES, max(since, oldest), until).requests
    assert kept == expected


@given(events)
def test_each_route_has_its_own_numbers_where_there_is_room(given_events: Sequence[Event]) -> None:
    window = Window()
    now = NOW
    for later, number, count in given_events:
        now += later / 100
        window.add(route(number), OK, count, now)
    expected: Counter[str] = Counter()
    for _, number, count in given_events:
        expected[route(number).route] += count
    rows = window.rows(ROUTES, NOW - 10, now + SLOT_S)
    assert {subject.route: traffic.requests for subject, traffic in rows} == expected
    assert {s.route: t.requests for s, t, _ in window.totals(Scope.ROUTE)} == expected


def test_what_takes_in_others_began_when_they_did() -> None:
    window = Window({Scope.ROUTE: 1})
    window.add(route(1), OK, 7, NOW)
    window.add(route(2), OK, 1, NOW + SILENT_S)
    (kept, rest) = window.totals(Scope.ROUTE)
    assert (kept.subject, kept.since) == (route(2), NOW + SILENT_S)
    assert (rest.traffic.requests, rest.since) == (7, NOW)


def test_what_is_older_than_the_window_is_gone() -> None:
    window = Window()
    window.add(route(1), OK, 7, NOW)
    window.add(route(1), OK, 1, NOW + WINDOW_S)
    assert window.sum(ROUTES, 0, NOW + 2 * WINDOW_S).requests == 1
    window.add(route(1), OK, 2, NOW + 10 * WINDOW_S)
    assert window.sum(ROUTES, 0, NOW + 20 * WINDOW_S).requests == 2
    assert [total.traffic.requests for total in window.totals(Scope.ROUTE)] == [10]


def test_slots_count_whole_from_their_beginning_on() -> None:
    window = Window()
    for slot in range(4):
        window.add(route(1), OK, 10**slot, NOW + slot * SLOT_S)
    assert window.sum(ROUTES, NOW, NOW + 10).requests == 11
    assert window.sum(ROUTES, NOW + 1, NOW + 11).requests == 110
    assert window.sum(ROUTES, NOW + 15, NOW + 15).requests == 0


def test_a_clock_that_is_set_back_loses_nothing() -> None:
    window = Window()
    window.add(route(1), OK, 1, NOW)
    window.add(route(1), OK, 1, NOW - 3600)
    assert requests(window, until=NOW + SLOT_S) == 2


def test_a_newcomer_takes_the_place_of_the_most_silent_and_only_of_a_silent_one() -> None:
    window = Window(dict.fromkeys(Scope, 2))
    window.add(route(1), OK, 1, NOW)
    window.add(route(2), OK, 10, NOW + 100)
    window.add(route(3), OK, 100, NOW + 200)  # nobody is silent yet: the rest
    rows = dict(window.rows(ROUTES, NOW, NOW + 300))
    assert {s.route: t.requests for s, t in rows.items()} == {
        "shop/r1": 1,
        "shop/r2": 10,
        "": 100,
    }
    window.add(route(3), OK, 1000, NOW + SILENT_S)
    rows = dict(window.rows(ROUTES, NOW, NOW + 400))
    assert {s.route: t.requests for s, t in rows.items()} == {
        "shop/r2": 10,
        "shop/r3": 1000,
        "": 101,
    }


def test_scopes_do_not_take_room_from_each_other() -> None:
    window = Window(dict.fromkeys(Scope, 1))
    node = Key("VirtualNode", "shop", "cart")
    window.add(route(1), OK, 1, NOW)
    window.add(Subject(Scope.NODE, node=node), BAD, 5, NOW)
    found = window.sum(Selector(Scope.NODE, node=node), NOW, NOW + 5)
    assert (found.requests, found.failures, found.success_rate) == (5, 5, 0.0)


def test_selectors_take_what_has_everything_they_name() -> None:
    window = Window()
    edge, cart = Key("VirtualGateway", "s", "edge"), Key("VirtualService", "s", "cart")
    window.add(Subject(Scope.ROUTE, edge, service=cart, route="s/a"), OK, 1, NOW)
    window.add(Subject(Scope.ROUTE, edge, route="s/b"), OK, 10, NOW)
    window.add(Subject(Scope.PROXY, edge), OK, 100, NOW)
    for selector, expected in (
        (ROUTES, 11),
        (Selector(Scope.ROUTE, service=cart), 1),
        (Selector(Scope.ROUTE, proxy=edge, route="s/b"), 10),
        (Selector(Scope.ROUTE, proxy=cart), 0),
        (Selector(Scope.PROXY, proxy=edge), 100),
    ):
        assert window.sum(selector, NOW, NOW + 5).requests == expected, selector


def test_causes_are_those_that_happened() -> None:
    window = Window()
    window.add(route(1), Measure.TIMEOUT, 2, NOW)
    window.add(route(1), Measure.CONNECTION, 3, NOW)
    found = window.sum(ROUTES, NOW, NOW + 5)
    assert (found.causes, found.connections, found.success_rate) == ({Measure.TIMEOUT: 2}, 3, None)


@given(
    st.lists(st.integers(0, 50), min_size=len(BUCKETS_MS) + 1, max_size=len(BUCKETS_MS) + 1),
    st.floats(0.01, 1),
)
def test_a_quantile_lies_in_the_bucket_that_holds_it(counts: list[int], share: float) -> None:
    found = Latency(tuple(counts), 0).quantile(share)
    if not sum(counts):
        assert found is None
        return
    assert found is not None
    rank, below = share * sum(counts), 0
    for index, count in enumerate(counts[:-1]):
        below += count
        if below >= rank:
            assert (BUCKETS_MS[index - 1] if index else 0) <= found <= BUCKETS_MS[index]
            return
    assert found == BUCKETS_MS[-1]


def test_quantiles_are_those_of_prometheus() -> None:
    # 10 requests within 1 ms, 10 between 7 and 10 ms.
    counts = [0] * (len(BUCKETS_MS) + 1)
    counts[0], counts[5] = 10, 10
    latency = Latency(tuple(counts), 95)
    assert [latency.quantile(share) for share in (0.25, 0.5, 0.75, 1)] == [0.5, 1, 8.5, 10]
    assert latency.count == 20


def test_latencies_come_back_as_they_went_in() -> None:
    window = Window()
    window.add_latencies(route(1), {0: 3, len(BUCKETS_MS): 1}, 60_500, NOW)
    latency = window.sum(ROUTES, NOW, NOW + 5).latency
    assert (latency.counts[0], latency.counts[-1], latency.count, latency.total_ms) == (
        3,
        1,
        4,
        60_500,
    )


@pytest.mark.parametrize("share", [0.5, 1])
def test_nothing_has_no_quantile(share: float) -> None:
    assert Traffic().latency.quantile(share) is None
