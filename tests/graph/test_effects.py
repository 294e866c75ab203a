"""Policies in two stages, and what an edit of one links anew."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pointsman.graph.effects import in_turn
from pointsman.graph.intent import decide
from pointsman.graph.link import LinkResult, link
from pointsman.graph.model.effects import HeaderChange
from pointsman.graph.model.gateway import GatewayRule
from pointsman.graph.model.route import Route
from pointsman.graph.request import Request
from pointsman.resources.resource_set import ResourceSet
from tests.support.manifests import (
    MESH,
    Document,
    gateway,
    gateway_route,
    node,
    policy,
    resources,
    service,
)

Headers = Mapping[str, tuple[str, ...]]
ORDER = ("remove", "set", "add")
CHANGES = st.lists(
    st.builds(
        HeaderChange,
        st.sampled_from(ORDER),
        st.sampled_from(("a", "b")),
        st.sampled_from(("1", "2")),
    ),
    max_size=4,
).map(lambda items: tuple(sorted(items, key=lambda item: ORDER.index(item.verb))))
BEFORE = st.dictionaries(st.sampled_from(("a", "b")), st.just(("0",)))


def changed(headers: Headers, changes: tuple[HeaderChange, ...]) -> Headers:
    found = dict(headers)
    for item in changes:
        match item.verb:
            case "remove":
                found.pop(item.name, None)
            case "set":
                found[item.name] = (item.value,)
            case "add":
                found[item.name] = (*found.get(item.name, ()), item.value)
    return found


@given(BEFORE, CHANGES, CHANGES)
def test_two_lists_of_changes_are_one(
    headers: Headers, first: tuple[HeaderChange, ...], second: tuple[HeaderChange, ...]
) -> None:
    both = in_turn(first, second)
    assert changed(headers, both) == changed(changed(headers, first), second)
    assert list(both) == sorted(both, key=lambda item: ORDER.index(item.verb))


def mesh(*more: Document) -> list[Document]:
    documents = [MESH, gateway(), node("copy", 80)]
    for name in ("books", "music"):
        documents += [node(name, 80), service(name, node=name)]
        documents.append(gateway_route(name, {"prefix": f"/{name}"}, name))
    return [*documents, *more]


def rules(result: LinkResult) -> dict[str, GatewayRule]:
    (linked,) = result.graph.gateways.values()
    return {rule.key.name: rule for rule in linked.listeners[0].hosts[0].rules}


def route(rule: GatewayRule) -> Route:
    return rule.targets[0].service.routes[0]


def limit(seconds: int, **more: Any) -> Document:
    time = {"unit": "s", "value": seconds}
    return policy("RoutePolicy", "p", "VirtualService/books", timeout={"perRequest": time}, **more)


def with_policy(rest: ResourceSet, written: Document) -> ResourceSet:
    """Other resources with a policy; they are the same objects, as after an edit of one file."""
    read = resources([written])
    return replace(rest, by_kind={**rest.by_kind, **read.by_kind})


def test_an_edit_of_a_policy_links_anew_what_it_governs_and_nothing_else() -> None:
    rest = resources(mesh())
    first = link(with_policy(rest, limit(1)))
    second = link(with_policy(rest, limit(2)), previous=first)
    before, after = rules(first), rules(second)
    assert route(before["books"]).timeouts.request_ms == 1000
    assert route(after["books"]).timeouts.request_ms == 2000
    assert after["music"] is before["music"]
    third = link(rest, previous=second)
    assert rules(third)["books"] == rules(link(rest))["books"]
    assert third.problems == link(rest).problems


def test_a_policy_that_comes_to_have_an_error_leaves_the_last_good_one_in_force() -> None:
    good = link(resources(mesh(limit(1, mirror={"virtualNodeRef": {"name": "copy"}}))))
    bad = link(
        resources(mesh(limit(2, mirror={"virtualNodeRef": {"name": "gone"}}))), previous=good
    )
    assert {problem.code.id for problem in bad.problems} == {"PM307", "PM312"}
    kept = route(rules(bad)["books"])
    assert kept.timeouts.request_ms == 1000
    assert kept.effects.mirror is not None


def test_a_tunnel_is_decided_by_the_routes_for_all_paths() -> None:
    everything = gateway_route("all", {"prefix": "/"}, "music")
    upgrades = policy("ListenerPolicy", "l", "VirtualGateway/gateway", upgrades=["CONNECT"])
    asked = Request("CONNECT", "music.test:443", "music.test:443")
    for more, wanted in (((upgrades, everything), "all"), ((upgrades,), None), ((), None)):
        (linked,) = link(resources(mesh(*more))).graph.gateways.values()
        intent = decide(linked, linked.listeners[0], asked)
        assert (intent.rule.key.name if intent.rule else None) == wanted
        assert intent.status == (None if wanted else 404)
