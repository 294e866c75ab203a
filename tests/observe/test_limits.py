"""What explain tells of limits: which count, by which key, and where that is written."""

from dataclasses import replace
from typing import Any

from pointsman.graph.charges import Charge, charges
from pointsman.graph.judge import Caller
from pointsman.graph.model.limits import Limits
from pointsman.graph.request import Request
from pointsman.observe.limits import charge_json, charge_lines
from pointsman.observe.lines import plain
from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath, show_path
from tests.support.limits import SCENE, by, limits, rate
from tests.support.scenes import key, linked

ACME = Caller(key("Consumer", "acme"), "k1", ("gold",), {"org": {"id": "o1"}})
REQUEST = Request("GET", "shop.test", "/a?b=1", (("x-t", "7"),))


def given(*found: dict[str, Any]) -> Limits:
    (gateway,) = linked(*SCENE, limits(*found)).graph.gateways.values()
    policy = gateway.listeners[0].guards.limits
    assert policy is not None
    return policy


def told(policy: Limits, request: Request = REQUEST, caller: Caller = ACME) -> list[Charge]:
    return list(charges(policy, request, caller, "shop/books", "10.1.2.3"))


def where(at: Key, path: FieldPath) -> str:
    return f"{at.name}:{show_path(path[2:])}"


def test_each_part_of_a_key_is_told() -> None:
    keys = [
        *by("consumer", "credential", "groups", "path"),
    ]
    more = [*by("route"), {"ip": {"v4Bits": 16}}, {"claim": {"name": "org.id"}}]
    first, second = told(
        given({"by": keys, "rate": rate(5)}, {"name": "b", "by": more, "rate": rate(5)})
    )
    assert first.by == (
        ("consumer", "shop/acme"),
        ("credential", "k1"),
        ("groups", "gold"),
        ("path", "/a"),
    )
    assert second.by == (("route", "shop/books"), ("ip", "10.1.0.0/16"), ("claim org.id", "o1"))


def test_what_lacks_a_key_counts_by_its_address() -> None:
    keys = [*by("consumer", "path"), {"header": {"name": "x-t"}}]
    policy = given({"by": keys, "rate": rate(5)})
    assert told(policy, caller=Caller())[0].by == (("path", "/a"), ("ip", "10.1.2.3/32"))
    assert told(policy, replace(REQUEST, headers=()))[0].by[-1] == ("ip", "10.1.2.3/32")
    (unknown,) = charges(policy, REQUEST, Caller(), "shop/books")
    assert unknown.by[-1] == ("ip", None)


def test_overrides_matches_and_costs_are_told_as_a_sentence_and_as_json() -> None:
    policy = given(
        {
            "name": "plan",
            "by": by("consumer"),
            "rate": rate(5),
            "overrides": [{"groups": ["gold"], "rate": rate(50, "minute", burst=9)}],
            "cost": {"header": "x-t"},
        },
        {"name": "posts", "rate": rate(1), "match": {"methods": ["POST"]}},
        {
            "name": "free",
            "rate": rate(1),
            "overrides": [{"consumers": [{"name": "acme"}], "unlimited": True}],
        },
        {"name": "guess", "by": by("ip"), "rate": rate(7), "stage": "before", "shadow": True},
        {"name": "month", "quota": {"requests": 9, "per": "month", "window": "rolling"}},
    )
    assert plain(charge_lines(told(policy), where)).splitlines() == [
        "",
        "  limit shop/plans/guess (plans:[3]) counts it by ip 10.1.2.3/32: 7 per hour, 7 at once, "
        "and refuses nobody, as a shadow",
        "  limit shop/plans/plan (plans:[0].overrides[0]) counts it as 7 by consumer shop/acme: "
        "50 per minute, 9 at once",
        "  limit shop/plans/posts (plans:[1]) does not count it: it counts other requests",
        "  limit shop/plans/free (plans:[2].overrides[0]) does not count it: it does not count "
        "for who calls",
        "  limit shop/plans/month (plans:[4]) counts it: 9 per rolling month",
    ]
    assert charge_json(told(policy)[1], where) == {
        "limit": "shop/plans/plan",
        "at": "plans:[0].overrides[0]",
        "counted": True,
        "why": None,
        "allowance": "50 per minute, 9 at once",
        "override": 0,
        "by": {"consumer": "shop/acme"},
        "cost": 7,
        "certain": True,
        "scope": "proxy",
        "stage": "after",
        "shadow": False,
    }
