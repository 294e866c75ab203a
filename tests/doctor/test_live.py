"""What was seen is told as its cause, first of all; and where all is well nothing is."""

from dataclasses import replace

import pytest

from pointsman.doctor.check import Symptom
from pointsman.envoy.stats import Scope
from pointsman.resources.problem import Severity
from pointsman.telemetry.traffic import Traffic
from pointsman.telemetry.window import Subject
from tests.doctor import way_cases
from tests.doctor.live_cases import (
    CART_PROXY,
    CASES,
    FAULTY,
    GATEWAY,
    GOOD,
    LOST,
    POOLED,
    SHOP,
    SPLIT,
    WELL,
    LiveCase,
    counted,
    examined,
    phases,
    seen,
    some,
    taken,
)

EVERY = (*CASES, *way_cases.CASES)


@pytest.mark.parametrize("case", EVERY, ids=lambda case: f"{case.check} {case.name}")
def test_trouble_is_told_first_and_its_twin_is_well(case: LiveCase) -> None:
    first = examined(case.text, case.bad)[0]
    assert (first.check.code, case.says in first.message) == (case.check, True), first.message
    assert first.place.at
    assert examined(case.text, case.good) == ()


@pytest.mark.parametrize("text", [SHOP, SPLIT, FAULTY], ids=["one", "split", "policy"])
def test_where_all_is_well_nothing_is_found(text: str) -> None:
    assert examined(text, WELL) == ()
    assert examined(text, replace(WELL, over=0.0, requests=())) == ()


@pytest.mark.parametrize(("refused", "code"), [(2, "L05"), (3, "L06")])
def test_a_pool_that_is_full_is_not_told_to_be_narrow(refused: int, code: str) -> None:
    overflown = some(GOOD, refused, node=CART_PROXY, flags=("UO",), status=503)
    (finding,) = examined(POOLED, taken(700, *overflown))
    assert finding.check.code == code


def test_proxies_of_another_kind_have_no_part_in_a_pool() -> None:
    live = taken(700)
    others = tuple(replace(proxy, gateway="shop/cart") for proxy in live.proxies)
    (finding,) = examined(POOLED, replace(live, proxies=others))
    assert "each proxy, of 1," in finding.facts[1].text


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
    assert [item.check.code for item in examined(SHOP, seen(*late))] == ["U06"]


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


def test_what_another_try_made_good_is_no_error_yet() -> None:
    """The gateway's record says that all went well in the end."""
    tries = some(way_cases.INSIDE, status=503, flags=("UC",))
    (hidden,) = examined(SHOP, seen(*some(GOOD), *tries))
    assert (hidden.check.code, hidden.severity) == ("U03", Severity.WARNING)
    assert "5 of them were answered by another try" in [fact.text for fact in hidden.facts]
    (told,) = examined(SHOP, seen(*some(GOOD, status=503, flags=("URX",)), *tries))
    assert (told.check.code, told.severity) == ("U03", Severity.ERROR)


def test_requests_that_went_well_count_among_those_that_there_were() -> None:
    failing = some(GOOD, status=500, id="f")
    (finding,) = examined(SHOP, seen(*failing, *some(GOOD, 15)))
    assert "5 of 20 requests" in finding.message


def test_what_manifests_foretold_is_told_with_what_was_met() -> None:
    late = some(way_cases.INSIDE, status=504, flags=("UT",))
    (finding,) = examined(way_cases.LONG, seen(*late))
    assert (finding.check.code, finding.severity, finding.affected) == ("L01", Severity.ERROR, 5)
    assert any("does not answer within 15000 ms" in fact.text for fact in finding.facts)
    (foretold,) = examined(way_cases.LONG, WELL)
    assert (foretold.check.code, foretold.severity) == ("L01", Severity.WARNING)


def test_the_causes_of_a_symptom_begin_with_what_was_met() -> None:
    away = "---\nkind: ["
    slow = seen(*some(way_cases.HELD))
    text = way_cases.LONG + away
    assert examined(text, slow)[0].check.code == "C02"
    assert [item.check.code for item in examined(text, slow, Symptom.SLOW)] == ["L10", "L01"]


def test_a_node_that_is_slow_is_compared_with_those_beside_it() -> None:
    slow = some(replace(GOOD, duration=1200.0, phases=phases(answered=1100.0)), id="s")
    quick = some(GOOD, cluster="cds_egress_m_cart-2_shop_http_8080", id="q")
    finding = examined(SPLIT, seen(*slow, *quick))[0]
    assert "VirtualNode shop/cart-2 of the same route answers in 4 ms" in finding.facts[-1].text
    elsewhere = some(GOOD, endpoint="10.0.0.8:8080", id="e")
    finding = examined(SHOP, seen(*slow, *elsewhere))[0]
    assert finding.facts[-1].text == "1 of its 2 endpoints are not slow"


def test_an_authority_that_ends_is_told_in_time() -> None:
    day = 86_400.0
    (finding,) = examined(SHOP, seen(authority_end=10 * day, now=5 * day))
    assert (finding.check.code, "ends in 5 days" in finding.message) == ("U12", True)
    assert examined(SHOP, seen(authority_end=100 * day, now=5 * day)) == ()
