"""What was seen is told as its cause, first of all; and where all is well nothing is."""

from dataclasses import replace

import pytest

from pointsman.envoy.stats import Scope
from pointsman.resources.problem import Severity
from pointsman.telemetry.traffic import Traffic
from pointsman.telemetry.window import Subject
from tests.doctor.live_cases import (
    CART_PROXY,
    CASES,
    FAULTY,
    GATEWAY,
    GOOD,
    LOST,
    SHOP,
    SPLIT,
    WELL,
    LiveCase,
    counted,
    examined,
    seen,
    some,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check} {case.name}")
def test_trouble_is_told_first_and_its_twin_is_well(case: LiveCase) -> None:
    first = examined(case.text, case.bad)[0]
    assert (first.check.code, case.says in first.message) == (case.check, True), first.message
    assert first.place.at
    assert examined(case.text, case.good) == ()


@pytest.mark.parametrize("text", [SHOP, SPLIT, FAULTY], ids=["one", "split", "policy"])
def test_where_all_is_well_nothing_is_found(text: str) -> None:
    assert examined(text, WELL) == ()
    assert examined(text, replace(WELL, over=0.0, requests=())) == ()


def test_a_failure_at_the_end_is_told_once_where_it_began() -> None:
    """Backend away: the node's own proxy knows; the gateway passes its answer on."""
    passed_on = some(GOOD, status=503, start=1.0)
    begun = [
        replace(
            item,
            node=CART_PROXY,
            start=2.0,
            flags=("UF",),
            failure="delayed_connect_error:_Connection_refused",
            cluster="cds_ingress_m_cart_shop_http_8080",
        )
        for item in passed_on
    ]
    live = seen(*passed_on, *begun)
    (finding,) = examined(SHOP, live)
    assert (finding.check.code, finding.affected) == ("U02", 5)


def test_a_client_that_left_is_no_cause_where_somebody_waited_for_too_long() -> None:
    gone = [replace(GOOD, id=f"a{n}", start=2.0, flags=("DC",), status=0) for n in range(5)]
    late = [replace(GOOD, id=f"a{n}", start=1.0, flags=("UT",), status=504) for n in range(5)]
    assert [item.check.code for item in examined(SHOP, seen(*gone, *late))] == ["U06"]
    assert examined(SHOP, seen(*gone)) == ()


def test_what_callers_do_wrong_is_a_note_while_it_is_little() -> None:
    lost = some(LOST, status=404, flags=("NR",))
    many = counted({Subject(Scope.PROXY, GATEWAY): 1000})
    few: dict[Subject, Traffic] = {}
    for traffic, severity in ((many, Severity.NOTE), (few, Severity.WARNING)):
        (finding,) = examined(SHOP, seen(*lost, traffic=traffic))
        assert finding.severity is severity
    assert "5 of 1000 requests" in examined(SHOP, seen(*lost, traffic=many))[0].message


def test_the_routes_that_come_closest_say_why_not() -> None:
    lost = some(LOST, status=404, flags=("NR",), port=8088, authority="shop.example", path="/x")
    text = SHOP.replace(
        "match: {prefix: /}, action: {target", "match: {prefix: /cart}, action: {target"
    )
    (finding,) = examined(text, seen(*lost))
    assert any("does not start with /cart" in fact.text for fact in finding.facts)
    assert any(fact.place.at for fact in finding.facts)


def test_what_most_requests_show_comes_first() -> None:
    failing = some(GOOD, 4, id="a", status=500), some(GOOD, 9, id="b", flags=("UT",), status=504)
    assert [item.check.code for item in examined(SHOP, seen(*failing[0], *failing[1]))] == [
        "U06",
        "U21",
    ]
