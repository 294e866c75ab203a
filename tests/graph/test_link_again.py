"""Linking once more: the last good rules, and what stays the same object."""

import os
import subprocess
import sys

from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.sealed import Sealed
from pointsman.envoy.translate import translate
from pointsman.graph.link import LinkResult, link
from pointsman.graph.memo import Memo
from pointsman.graph.model.gateway import GatewayRule
from pointsman.resources.codes import references as codes
from tests.support.manifests import (
    MESH,
    Document,
    gateway,
    gateway_route,
    node,
    resources,
    route,
    router,
    service,
)
from tests.support.scenes import key

HOSTS = ("a.test", "b.test", "c.test")


def shop(changed: Document | None = None) -> list[Document]:
    """Three hosts with a gateway route each, all to a service with a router."""
    routes = [
        gateway_route(name, {"prefix": "/", "hostname": {"exact": name}}, "svc") for name in HOSTS
    ]
    if changed is not None:
        routes[1] = changed
    return [
        MESH,
        gateway(),
        node("a", 80),
        node("b", 80),
        service("svc", router="svc"),
        router("svc", route("all", {"prefix": "/"}, ("a", 1), ("b", 1))),
        *routes,
    ]


def rules(result: LinkResult) -> dict[str, GatewayRule]:
    return {
        rule.key.name: rule
        for found in result.graph.gateways.values()
        for listener in found.listeners
        for host in listener.hosts
        for rule in host.rules
    }


def sealed(result: LinkResult, memo: Memo) -> dict[str, Sealed]:
    node_class = NodeClass(key("VirtualGateway", "gateway"), "delta")
    bundle = translate(result.graph, node_class, memo)
    return {
        f"{kind} {name}": item
        for kind, items in bundle.resources.items()
        for name, item in items.items()
    }


def test_a_route_whose_service_vanished_is_served_as_before() -> None:
    good = link(resources(shop()))
    lost = [each for each in shop() if each["kind"] != "VirtualService"]
    broken = link(resources(lost), previous=good)
    assert rules(broken) == rules(good)
    assert sum(item.code is codes.LAST_GOOD for item in broken.problems) == len(HOSTS)
    still = link(resources(lost), previous=broken)
    assert rules(still) == rules(good)
    mended = link(resources(shop()), previous=still)
    assert rules(mended) == rules(good)
    assert not any(item.code is codes.LAST_GOOD for item in mended.problems)


def test_without_a_good_version_the_route_answers_503() -> None:
    lost = [each for each in shop() if each["kind"] != "VirtualService"]
    assert {rule.targets for rule in rules(link(resources(lost))).values()} == {()}


def test_a_rule_that_never_was_good_is_not_the_last_good_one() -> None:
    lost = [each for each in shop() if each["kind"] != "VirtualService"]
    first = link(resources(lost))
    moved = gateway_route("b.test", {"prefix": "/moved"}, "svc")
    second = link(resources([*lost[:-2], moved, lost[-1]]), previous=first)
    assert rules(second)["b.test"].match.path.value == "/moved"
    assert not any(item.code is codes.LAST_GOOD for item in second.problems)


def test_a_route_that_was_removed_is_not_served() -> None:
    good = link(resources(shop()))
    assert set(rules(link(resources(shop()[:-1]), previous=good))) == {"a.test", "b.test"}


def test_equal_input_gives_the_same_objects() -> None:
    first = link(resources(shop()))
    second = link(resources(shop()), previous=first)
    for name, found in first.graph.gateways.items():
        assert second.graph.gateways[name] is found
    memo = Memo()
    before = sealed(first, memo)
    after = sealed(second, Memo(memo))
    hosts = [name for name in before if "VirtualHost" in name]
    assert len(hosts) == len(HOSTS) + 1
    assert all(after[name] is before[name] for name in hosts)


def test_one_changed_route_changes_one_virtual_host() -> None:
    first = link(resources(shop()))
    match = {"prefix": "/new", "hostname": {"exact": "b.test"}}
    second = link(resources(shop(gateway_route("b.test", match, "svc"))), previous=first)
    (old,), (new,) = first.graph.gateways.values(), second.graph.gateways.values()
    before = {host.domain: host for host in old.listeners[0].hosts}
    after = {host.domain: host for host in new.listeners[0].hosts}
    assert [str(d) for d in after if after[d] is not before[d]] == ["b.test"]
    memo = Memo()
    old_bytes, new_bytes = sealed(first, memo), sealed(second, Memo(memo))
    changed = [name for name in new_bytes if new_bytes[name] != old_bytes.get(name)]
    assert [name.rpartition("/")[2] for name in changed] == ["b.test"]


def test_the_order_of_the_input_does_not_matter() -> None:
    forward, backward = shop(), shop()[::-1]
    assert sealed(link(resources(forward)), Memo()) == sealed(link(resources(backward)), Memo())


def test_bytes_do_not_depend_on_the_hash_seed() -> None:
    program = (
        "from tests.graph.test_link_again import *\n"
        "for name, item in sealed(link(resources(shop())), Memo()).items():\n"
        "    print(name, item.version)\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
    assert b"VirtualHost" in printed.pop()
