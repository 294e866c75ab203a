"""What rollouts are told of what proxies reported."""

import itertools

from pointsman.envoy.stats import LATENCIES, Measure, Scope
from pointsman.resources.key import Key
from pointsman.rollout.measures import Subject
from pointsman.rollout.window_measures import WindowMeasures
from pointsman.telemetry.window import Subject as Counted
from pointsman.telemetry.window import Window

GATEWAY = Key("VirtualGateway", "shop", "front")
OTHER = Key("VirtualGateway", "shop", "back")
NODE = Key("VirtualNode", "shop", "books-v2")
ROUTER = Key("VirtualRouter", "shop", "books")
SERVICE = Key("VirtualService", "shop", "books-v2")
ROUTE = Key("GatewayRoute", "shop", "books")


def test_what_nobody_has_reported_is_unknown() -> None:
    assert WindowMeasures(Window()).measure(Subject(NODE, ROUTER), 0, 100) is None


def test_a_node_is_counted_over_all_proxies() -> None:
    window = Window()
    for gateway in (GATEWAY, OTHER):
        counted = Counted(Scope.NODE, gateway, NODE)
        window.add(counted, Measure.ANSWERED_2XX, 3, 101.0)
        window.add(counted, Measure.ANSWERED_5XX, 1, 101.0)
        window.add_latencies(counted, {0: 1, 2: 2, len(LATENCIES) - 1: 1}, 70_000, 101.0)
    sample = WindowMeasures(window).measure(Subject(NODE, ROUTER), 100, 106)
    assert sample is not None
    assert (sample.requests, sample.failures) == (8, 2)
    assert [sample.slower(ms) for ms in (1, 3, 60_000)] == [6, 2, 2]


def test_each_slot_is_counted_once_and_only_when_it_is_over() -> None:
    window = Window()
    for second in range(100, 160):
        window.add(Counted(Scope.NODE, GATEWAY, NODE), Measure.ANSWERED_2XX, 1, float(second))
    measures = WindowMeasures(window)
    looks = [100.0, 107.3, 113.9, 114.1, 131.0, 144.4, 160.0]
    counts = []
    for since, until in itertools.pairwise(looks):
        sample = measures.measure(Subject(NODE, ROUTER), since, until)
        assert sample is not None
        counts.append(sample.requests)
    assert counts == [5, 5, 0, 20, 10, 20]
    assert sum(counts) == 60


def test_a_service_is_counted_by_the_gateway_route_that_leads_to_it() -> None:
    window = Window()
    for route, amount in (("shop/books", 1), ("shop/books/all", 2), ("shop/bookshop", 4)):
        counted = Counted(Scope.ROUTE, GATEWAY, service=SERVICE, route=route)
        window.add(counted, Measure.ANSWERED_2XX, amount, 101.0)
    sample = WindowMeasures(window).measure(Subject(SERVICE, ROUTE), 100, 106)
    assert sample is not None
    assert sample.requests == 3
