"""Instances of several sources, some of which fail."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from pointsman.registry.instance import Instance, ServiceName
from pointsman.registry.registry import Registry
from tests.registry.instances import CART, instance

PAY = ServiceName("shop.local", "pay")
SOURCES = ("files", "rest", "cloud-map")


class Recorded:
    """A registry and what it told."""

    def __init__(self) -> None:
        self.time = 100.0
        self.registry = Registry(SOURCES, lambda: self.time)
        self.told: list[frozenset[ServiceName]] = []
        self.registry.on_change(self.told.append)


def test_the_earlier_source_counts_and_what_it_lets_go_of_comes_forward() -> None:
    recorded = Recorded()
    registry = recorded.registry
    theirs, ours = instance("a", "10.0.0.9"), instance("a", "10.0.0.1")
    registry.put("cloud-map", CART, [theirs, instance("b")])
    registry.put("files", CART, [ours])
    assert registry.instances(CART) == (ours, instance("b"))
    registry.put("files", CART, [])
    assert registry.instances(CART) == (theirs, instance("b"))
    assert recorded.told == [frozenset({CART})] * 3


def test_the_same_again_is_not_told() -> None:
    recorded = Recorded()
    recorded.registry.put("rest", CART, [instance("a")])
    recorded.registry.put("rest", CART, [instance("a")])
    recorded.registry.put("cloud-map", CART, [instance("a", "10.9.9.9")])
    assert recorded.told == [frozenset({CART})]


def test_a_source_that_fails_keeps_what_it_said_and_tells_how_old_it_is() -> None:
    recorded = Recorded()
    registry = recorded.registry
    registry.put("cloud-map", CART, [instance("a")])
    recorded.time = 500.0
    registry.fail("cloud-map", "connection refused", CART)
    registry.fail("cloud-map", "connection refused", CART)
    assert registry.instances(CART) == (instance("a"),)
    (failure,) = registry.states()[2].failures
    assert (failure.service, failure.message, failure.heard_at) == (
        CART,
        "connection refused",
        100.0,
    )
    assert recorded.told == [frozenset({CART}), frozenset()]
    registry.put("cloud-map", CART, [instance("a")])
    assert registry.states()[2].failures == ()
    assert recorded.told[2:] == [frozenset()]


def test_a_service_is_known_when_it_was_named_or_nothing_else_can_come() -> None:
    recorded = Recorded()
    registry = recorded.registry
    registry.replace("files", {})
    assert not registry.knows(CART)
    registry.put("cloud-map", CART, [])
    assert registry.knows(CART)
    assert recorded.told[-1] == {CART}
    assert not registry.knows(PAY)
    registry.settle("rest")
    registry.settle("cloud-map")
    assert registry.knows(PAY)
    assert Registry().knows(PAY)


def test_what_is_no_longer_asked_for_is_forgotten() -> None:
    recorded = Recorded()
    registry = recorded.registry
    registry.put("cloud-map", CART, [instance("a")])
    registry.drop("cloud-map", CART)
    assert registry.instances(CART) == ()
    assert not registry.knows(CART)


NAMES = st.sampled_from([CART, PAY])
INSTANCES = st.builds(
    lambda identity, last, healthy: instance(identity, f"10.0.0.{last}", healthy=healthy),
    st.sampled_from("abc"),
    st.integers(1, 3),
    st.booleans(),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(SOURCES), NAMES, st.lists(INSTANCES, max_size=4)),
        st.tuples(st.just("fail"), st.sampled_from(SOURCES), NAMES, st.just([])),
    ),
    max_size=12,
)


def model(
    steps: Iterable[tuple[str, str, ServiceName, list[Instance]]], service: ServiceName
) -> list[Instance]:
    """What is to come out, said in another way."""
    last = {source: held for what, source, name, held in steps if (what, name) == ("put", service)}
    ids = sorted({item.id for held in last.values() for item in held})
    return [
        next(i for s in SOURCES if s in last for i in reversed(last[s]) if i.id == identity)
        for identity in ids
    ]


@given(STEPS)
def test_merging(steps: list[tuple[str, str, ServiceName, list[Instance]]]) -> None:
    recorded = Recorded()
    seen: dict[ServiceName, tuple[Instance, ...]] = {}
    for what, source, service, held in steps:
        recorded.told.clear()
        if what == "put":
            recorded.registry.put(source, service, held)
        else:
            recorded.registry.fail(source, "down", service)
        now = recorded.registry.instances(service)
        changed = frozenset().union(*recorded.told)
        assert (service in changed) >= (now != seen.get(service, ()))
        assert changed <= {service}
        seen[service] = now
    for service in (CART, PAY):
        assert list(recorded.registry.instances(service)) == model(steps, service)
