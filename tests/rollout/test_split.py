"""What a split makes of manifests: weights, copies, picked requests; nothing else changes."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pointsman.graph.rollout_target import Hold, holds_of
from pointsman.resources.key import Key
from pointsman.resources.kinds.matching import HeaderMatch, ValueMatch
from pointsman.resources.kinds.route_policy import Cohort
from pointsman.resources.resource_set import ResourceSet
from pointsman.resources.store import Store
from pointsman.rollout.split import Split, overlaid
from tests.rollout.live import shop
from tests.up import manifests

ROLLOUT = Key("Rollout", "shop", "cart")
ROUTER = Key("VirtualRouter", "shop", "cart")
PICKED = (HeaderMatch(name="x-group", match=ValueMatch(exact="b")),)

POLICY = {
    "apiVersion": "pointsman.dev/v1alpha1",
    "kind": "RoutePolicy",
    "metadata": {"name": "slow", "namespace": "shop"},
    "spec": {
        "targetRefs": [{"kind": "VirtualRouter", "name": "cart"}],
        "timeout": {"perRequest": {"unit": "s", "value": 3}},
    },
}


def read(*more: dict[str, Any]) -> ResourceSet:
    store = Store()
    store.replace("mesh.yaml", shop({"canary": {"stepWeight": 10}}, {}))
    store.replace("more.yaml", manifests.text(*more))
    return store.resources()


def made(resources: ResourceSet, split: Split) -> ResourceSet:
    hold = holds_of(resources)[ROLLOUT]
    assert isinstance(hold, Hold)
    return overlaid(resources, {ROLLOUT: (hold, split)})


def weights(resources: ResourceSet, route: int = 0) -> dict[str, int]:
    router = resources.get(ROUTER)
    assert router is not None
    action = router.spec.routes[route].http_route.action
    return {target.virtual_node_ref.name: target.weight for target in action.weighted_targets}


@given(st.integers(0, 100))
def test_weights_always_sum_to_100(weight: int) -> None:
    found = weights(made(read(), Split(weight)))
    assert found == {"v1": 100 - weight, "v2": weight}


def test_nothing_else_changes() -> None:
    before = read()
    after = made(before, Split(30))
    for resources in before.by_kind.values():
        for key, resource in resources.items():
            if key != ROUTER:
                assert after.get(key) is resource
    assert weights(before) == {"v1": 100, "v2": 0}, "what was written stays as it is"
    assert made(after, Split(0)).get(ROUTER) == made(before, Split(0)).get(ROUTER)


def test_the_same_split_is_the_same_resource() -> None:
    assert made(read(), Split(30)).get(ROUTER) == made(read(), Split(30)).get(ROUTER)


def test_picked_requests_have_a_route_before_the_others() -> None:
    found = made(read(), Split(0, headers=PICKED))
    assert weights(found, 0) == {"v2": 100}
    assert weights(found, 1) == {"v1": 100, "v2": 0}


def test_copies_keep_what_the_route_s_policy_says() -> None:
    found = made(read(POLICY), Split(0, mirror=20)).of("RoutePolicy")
    added = found[Key("RoutePolicy", "shop", "0-rollout-cart")].spec
    assert (added.mirror.virtual_node_ref.name, added.mirror.percent) == ("v2", 20)
    assert added.timeout.per_request.ms == 3000
    assert added.target_refs[0].section_name == "all"


def test_a_policy_of_the_route_itself_is_changed_in_place() -> None:
    target = {"kind": "VirtualRouter", "name": "cart", "sectionName": "all"}
    spec = {"targetRefs": [target], "timeout": {"perRequest": {"unit": "s", "value": 3}}}
    found = made(read({**POLICY, "spec": spec}), Split(0, mirror=20)).of("RoutePolicy")
    assert list(found) == [Key("RoutePolicy", "shop", "slow")]


def test_cohorts_and_copies_are_one_policy_of_the_route() -> None:
    cohort = Cohort(cookie="session")
    found = made(read(POLICY), Split(10, mirror=20, cohort=cohort)).of("RoutePolicy")
    added = found[Key("RoutePolicy", "shop", "0-rollout-cart")].spec
    assert (added.cohort, added.mirror.percent) == (cohort, 20)
    assert added.timeout.per_request.ms == 3000


def test_a_gateway_route_is_split_between_services() -> None:
    rollout = {
        "apiVersion": "pointsman.dev/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "front", "namespace": "shop"},
        "spec": {
            "targetRef": {"kind": "GatewayRoute", "name": "old"},
            "stable": {"name": "old"},
            "candidate": {"name": "new"},
            "strategy": {"canary": {"stepWeight": 10}},
        },
    }
    resources = read(*manifests.shop("old"), manifests.service("new", "old"), rollout)
    key = Key("Rollout", "shop", "front")
    hold = holds_of(resources)[key]
    assert isinstance(hold, Hold)
    route = overlaid(resources, {key: (hold, Split(10))}).get(Key("GatewayRoute", "shop", "old"))
    assert route is not None
    targets = route.spec.http_route.action.weighted_targets
    assert [(t.target_ref.virtual_service_ref.name, t.weight) for t in targets] == [
        ("old", 90),
        ("new", 10),
    ]
    assert replace(route.spec.http_route.action, target=None) == route.spec.http_route.action
