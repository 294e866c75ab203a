"""Proxies that are turned away are remembered, and never without bound."""

from pointsman.xds.refused import LONGEST, MOST, Refusals


def test_the_last_try_of_each_node_is_remembered() -> None:
    now = [10.0]
    refusals = Refusals(lambda: now[0])
    refusals.add("a", "unknown", unknown=True, peer="ipv4:1")
    now[0] = 20.0
    refusals.add("a", "no credentials", unknown=False, peer="ipv4:2")
    (found,) = refusals.since(15.0)
    assert (found.count, found.reason, found.unknown, found.peer) == (
        *(2, "no credentials"),
        *(False, "ipv4:2"),
    )
    assert refusals.since(21.0) == ()


def test_who_was_turned_away_longest_ago_makes_room() -> None:
    refusals = Refusals(lambda: 0.0)
    for number in (*range(MOST), 0, MOST):
        refusals.add(str(number), "unknown", unknown=True, peer="")
    nodes = [item.node for item in refusals.since(0.0)]
    assert len(nodes) == MOST
    assert nodes[-2:] == ["0", str(MOST)]
    assert "1" not in nodes


def test_what_callers_choose_is_cut_and_over_once_one_is_let_in() -> None:
    refusals = Refusals(lambda: 0.0)
    refusals.add("n" * 10_000, "r" * 10_000, unknown=True, peer="")
    (found,) = refusals.since(0.0)
    assert (len(found.node), len(found.reason)) == (LONGEST, LONGEST)
    refusals.admitted("n" * 10_000)
    assert refusals.since(0.0) == ()
