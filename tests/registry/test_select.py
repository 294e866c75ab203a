"""Which instances become endpoints."""

import pytest

from pointsman.registry.instance import Instance
from pointsman.registry.select import select
from tests.registry.instances import CART, cluster, instance

BOTH = Instance(CART, "both", {"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_IPV6": "fd00::1"})
V4 = Instance(CART, "four", {"AWS_INSTANCE_IPV4": "10.0.0.4"})
V6 = Instance(CART, "six", {"AWS_INSTANCE_IPV6": "FD00:0::6"})


@pytest.mark.parametrize(
    ("preference", "hosts"),
    [
        (None, ["10.0.0.1", "10.0.0.4", "fd00::6"]),
        ("IPv4_PREFERRED", ["10.0.0.1", "10.0.0.4", "fd00::6"]),
        ("IPv6_PREFERRED", ["fd00::1", "10.0.0.4", "fd00::6"]),
        ("IPv4_ONLY", ["10.0.0.1", "10.0.0.4"]),
        ("IPv6_ONLY", ["fd00::1", "fd00::6"]),
    ],
)
def test_ip_preference(preference: str | None, hosts: list[str]) -> None:
    found = select(cluster(preference=preference), (BOTH, V4, V6))
    assert [item.address.host for item in found.endpoints] == hosts


def test_all_attributes_must_match() -> None:
    instances = (
        instance("a", "10.0.0.1", version="v1", stage="prod"),
        instance("b", "10.0.0.2", version="v1"),
        instance("c", "10.0.0.3", version="v2", stage="prod"),
    )
    found = select(cluster(attributes={"version": "v1", "stage": "prod"}), instances)
    assert [item.address.host for item in found.endpoints] == ["10.0.0.1"]
    assert not found.reason


def test_the_port_is_the_listeners_unless_it_is_moved() -> None:
    moved = {"pointsman.dev/port.8080": "18080", "AWS_INSTANCE_PORT": "9000"}
    found = (Instance(CART, "a", {"AWS_INSTANCE_IPV4": "10.0.0.1", **moved}),)
    assert [e.address.port for e in select(cluster(port=8080), found).endpoints] == [18080]
    assert [e.address.port for e in select(cluster(port=8090), found).endpoints] == [8090]


@pytest.mark.parametrize("port", ["", "0", "65536", "-1", "http", "²"])
def test_a_moved_port_that_cannot_be_is_not_sent_to_envoy(port: str) -> None:
    moved = {"AWS_INSTANCE_IPV4": "10.0.0.1", "pointsman.dev/port.8080": port}
    found = select(cluster(), (Instance(CART, "a", moved),))
    assert found.endpoints[0].address.port == 8080


def test_unhealthy_ones_are_told_apart_and_all_are_taken_when_none_is_healthy() -> None:
    good, bad = instance("a", "10.0.0.1"), instance("b", "10.0.0.2", healthy=False)
    assert [e.healthy for e in select(cluster(), (good, bad)).endpoints] == [True, False]
    assert [e.healthy for e in select(cluster(), (bad,)).endpoints] == [True]


def test_health_counts_among_those_that_match() -> None:
    other = instance("a", "10.0.0.1", version="v2")
    bad = instance("b", "10.0.0.2", healthy=False, version="v1")
    found = select(cluster(attributes={"version": "v1"}), (other, bad))
    assert [(e.address.host, e.healthy) for e in found.endpoints] == [("10.0.0.2", True)]


def test_an_address_is_used_once_and_is_healthy_if_any_registration_is() -> None:
    twice = (instance("a", healthy=False), instance("b"), instance("c", healthy=False))
    assert [e.healthy for e in select(cluster(), twice).endpoints] == [True]


@pytest.mark.parametrize(
    ("instances", "wanted", "preference", "reason"),
    [
        ((), {}, None, "no instance of cart.shop.local is registered"),
        (
            (instance("a", version="v1"), instance("b", version="v2"), instance("c")),
            {"version": "v3"},
            None,
            "no instance of cart.shop.local has all attributes version=v3; "
            "of 3 there, some have version=v1 (1), version=v2 (1)",
        ),
        (
            (instance("a", version="v1"),),
            {"stage": "prod"},
            None,
            "no instance of cart.shop.local has all attributes stage=prod; none there has any such",
        ),
        (
            (instance("a"),),
            {},
            "IPv6_ONLY",
            "no instance of cart.shop.local has an IPv6 address, "
            "which ipPreference IPv6_ONLY asks for",
        ),
        (
            (instance("a", "", AWS_INSTANCE_CNAME="cart.example.com"),),
            {},
            None,
            "no instance of cart.shop.local has an IP address",
        ),
        ((instance("a", "10.0.0.256"),), {}, None, "no instance of cart.shop.local has an IP "),
    ],
)
def test_why_there_is_none(
    instances: tuple[Instance, ...], wanted: dict[str, str], preference: str | None, reason: str
) -> None:
    found = select(cluster(attributes=wanted, preference=preference), instances)
    assert found.endpoints == ()
    assert found.reason.startswith(reason)
