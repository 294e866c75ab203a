"""Endpoints as Envoy gets them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pointsman.envoy import pb
from pointsman.envoy.endpoints import assignment
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.endpoint import Endpoint, Locality


def at(last: int, zone: str = "", *, healthy: bool = True) -> Endpoint:
    return Endpoint(Address(f"10.0.0.{last}", 80), Locality("r" if zone else "", zone), healthy)


def shown(message: pb.Message) -> list[tuple[int, str, list[str]]]:
    """Priority, zone and last parts of addresses; `-` marks what Envoy is not to use."""
    return [
        (
            group.priority,
            group.locality.zone,
            [
                f"{item.endpoint.address.socket_address.address.rpartition('.')[2]}"
                + ("-" if item.health_status else "")
                for item in group.lb_endpoints
            ],
        )
        for group in message.endpoints
    ]


def test_groups_by_locality_in_order() -> None:
    endpoints = [at(1, "b"), at(2, "a"), at(3, "b"), at(4)]
    found = shown(assignment("c", endpoints, "b"))
    assert found == [(0, "", ["4"]), (0, "a", ["2"]), (0, "b", ["1", "3"])]


def test_unhealthy_ones_are_left_out() -> None:
    endpoints = [at(1), at(2, healthy=False)]
    assert shown(assignment("c", endpoints)) == [(0, "", ["1"])]
    assert pb.to_dict(assignment("c", [])) == {"cluster_name": "c"}


def test_the_own_zone_comes_first() -> None:
    endpoints = [at(1, "b"), at(2, "a"), at(3, "c")]
    found = shown(assignment("c", endpoints, "a", zone_aware=True))
    assert found == [(0, "a", ["2"]), (1, "b", ["1"]), (1, "c", ["3"])]


def test_without_anything_in_the_own_zone_all_others_are_first() -> None:
    endpoints = [at(1, "b"), at(2, "c")]
    expected = [(0, "b", ["1"]), (0, "c", ["2"])]
    assert shown(assignment("c", endpoints, "a", zone_aware=True)) == expected
    assert shown(assignment("c", endpoints, "", zone_aware=True)) == expected


def test_what_is_missing_nearby_is_told_so_that_requests_spill_over() -> None:
    endpoints = [at(1, "a"), at(2, "a", healthy=False), at(3, "a", healthy=False), at(4, "b")]
    found = shown(assignment("c", endpoints, "a", zone_aware=True))
    assert found == [(0, "a", ["1", "2-", "3-"]), (1, "b", ["4"])]


def test_where_envoy_would_panic_the_unhealthy_are_left_out() -> None:
    near = [at(1, "a"), at(2, "a", healthy=False), at(3, "a", healthy=False)]
    far = [at(4, "b"), at(5, "b", healthy=False), at(6, "b", healthy=False)]
    found = shown(assignment("c", [*near, *far], "a", zone_aware=True))
    assert found == [(0, "a", ["1"]), (1, "b", ["4"])]


ENDPOINTS = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from(["", "a", "b"]), st.booleans()),
    unique_by=lambda item: item[0],
    max_size=9,
).map(lambda items: [at(last, zone, healthy=healthy) for last, zone, healthy in items])


@given(ENDPOINTS, st.sampled_from(["", "a", "b", "x"]), st.booleans())
def test_no_healthy_endpoint_is_lost_and_no_priority_is_skipped(
    endpoints: list[Endpoint], zone: str, zone_aware: bool
) -> None:
    message = assignment("c", endpoints, zone, zone_aware=zone_aware)
    found = shown(message)
    used = {last for _, _, members in found for last in members if "-" not in last}
    assert used == {e.address.host.rpartition(".")[2] for e in endpoints if e.healthy}
    priorities = {priority for priority, _, _ in found}
    assert priorities == set(range(len(priorities)))
    places = [(g.priority, g.locality.region, g.locality.zone) for g in message.endpoints]
    assert len(places) == len(set(places))
    if zone_aware and any(e.healthy and e.locality.zone == zone != "" for e in endpoints):
        first: list[Any] = [where for priority, where, _ in found if priority == 0]
        assert first == [zone]
