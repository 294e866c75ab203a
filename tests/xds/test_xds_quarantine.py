from collections.abc import Hashable

import pytest

from pointsman.envoy.sealed import CLUSTER, VIRTUAL_HOST
from pointsman.xds.quarantine import Quarantine
from pointsman.xds.rejection import Rejection, culprits
from tests.xds.simple import made, snapshot


@pytest.fixture
def reported() -> list[str]:
    return []


@pytest.fixture
def quarantine(reported: list[str]) -> Quarantine:
    def note(node_class: Hashable, rejection: Rejection) -> None:
        reported.append(f"{node_class} {rejection.name}#{rejection.version} {rejection.message}")

    return Quarantine(note)


def test_a_rejected_change_is_held_at_the_last_good_version(
    quarantine: Quarantine, reported: list[str]
) -> None:
    quarantine.accept("x", [made(VIRTUAL_HOST, "a", "1")])
    bad = snapshot({VIRTUAL_HOST: "a#2 b"})
    quarantine.reject("x", [made(VIRTUAL_HOST, "a", "2")], "no")
    assert quarantine.serve("x", bad).of(VIRTUAL_HOST) == snapshot({VIRTUAL_HOST: "a#1 b"}).of(
        VIRTUAL_HOST
    )
    assert quarantine.serve("y", bad) is bad
    assert reported == ["x a#2 no"]


def test_a_rejected_newcomer_is_withheld_until_its_content_changes(quarantine: Quarantine) -> None:
    bad, mended = snapshot({CLUSTER: "a b"}), snapshot({CLUSTER: "a#2 b"})
    assert quarantine.reject("x", [made(CLUSTER, "a")], "no")
    assert not quarantine.reject("x", [made(CLUSTER, "a")], "no")
    assert list(quarantine.serve("x", bad).of(CLUSTER)) == ["b"]
    assert list(quarantine.serve("x", snapshot({CLUSTER: "a c"})).of(CLUSTER)) == ["c"]
    assert quarantine.serve("x", mended) is mended


def test_what_was_rejected_is_still_held_when_it_comes_back_early(quarantine: Quarantine) -> None:
    bad, without, other = (snapshot({CLUSTER: text}) for text in ("a b", "b", "a#2 b"))
    quarantine.reject("x", [made(CLUSTER, "a")], "no")
    assert quarantine.serve("x", without) is without
    assert quarantine.serve("x", other) is other
    assert list(quarantine.serve("x", bad).of(CLUSTER)) == ["b"]


def test_what_was_rejected_may_be_tried_anew_once_the_proxies_had_settled_without_it(
    quarantine: Quarantine,
) -> None:
    bad, without = snapshot({CLUSTER: "a b"}), snapshot({CLUSTER: "b"})
    quarantine.reject("x", [made(CLUSTER, "a")], "no")
    quarantine.settle("x", quarantine.serve("x", without))
    assert quarantine.serve("x", bad) is bad


def test_what_another_proxy_of_the_class_accepted_is_not_taken_from_it(
    quarantine: Quarantine, reported: list[str]
) -> None:
    quarantine.accept("x", [made(CLUSTER, "a")])
    assert quarantine.reject("x", [made(CLUSTER, "a")], "address in use") == ()
    published = snapshot({CLUSTER: "a"})
    assert quarantine.serve("x", published) is published
    assert len(reported) == 1


def test_clusters_stay_while_a_held_host_may_lead_to_them(quarantine: Quarantine) -> None:
    first = snapshot({CLUSTER: "old", VIRTUAL_HOST: "r/a"})
    quarantine.serve("x", first)
    quarantine.accept("x", first.of(VIRTUAL_HOST).values())
    second = snapshot({CLUSTER: "new", VIRTUAL_HOST: "r/a#2"})
    quarantine.serve("x", second)
    quarantine.reject("x", [made(VIRTUAL_HOST, "r/a", "2")], "no")
    assert set(quarantine.serve("x", second).of(CLUSTER)) == {"old", "new"}
    healed = snapshot({CLUSTER: "new", VIRTUAL_HOST: "r/a#3"})
    assert set(quarantine.serve("x", healed).of(CLUSTER)) == {"new"}


def test_a_rejected_cluster_does_not_come_back_with_those_kept(quarantine: Quarantine) -> None:
    first = snapshot({CLUSTER: "old bad", VIRTUAL_HOST: "r/a"})
    quarantine.serve("x", first)
    quarantine.accept("x", first.of(VIRTUAL_HOST).values())
    quarantine.reject("x", [made(CLUSTER, "bad")], "no")
    second = snapshot({CLUSTER: "new", VIRTUAL_HOST: "r/a#2"})
    quarantine.serve("x", second)
    quarantine.reject("x", [made(VIRTUAL_HOST, "r/a", "2")], "no")
    assert set(quarantine.serve("x", second).of(CLUSTER)) == {"old", "new"}


def test_clusters_no_proxy_refers_to_any_more_are_not_kept(quarantine: Quarantine) -> None:
    quarantine.serve("x", snapshot({CLUSTER: "older", VIRTUAL_HOST: "r/a"}))
    first = snapshot({CLUSTER: "old", VIRTUAL_HOST: "r/a"})
    quarantine.accept("x", first.of(VIRTUAL_HOST).values())
    quarantine.settle("x", quarantine.serve("x", first))
    second = snapshot({CLUSTER: "new", VIRTUAL_HOST: "r/a#2"})
    quarantine.reject("x", [made(VIRTUAL_HOST, "r/a", "2")], "no")
    assert set(quarantine.serve("x", second).of(CLUSTER)) == {"old", "new"}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Error adding/updating cluster(s) a: no such file", ["a"]),
        ("Error adding/updating cluster(s) a: bad b: , worse, c: bad", ["a", "c"]),
        ("Error adding/updating listener(s) a: in use\nb: in use\n", ["a", "b"]),
        ("missing ): ((", []),
        ("a, b: c", []),
    ],
)
def test_names_are_believed_only_where_envoy_lists_them(message: str, expected: list[str]) -> None:
    suspects = [made(CLUSTER, name) for name in "abc"]
    assert [sealed.name for sealed in culprits(suspects, message)] == expected
