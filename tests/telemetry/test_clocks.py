"""Of each node the record that fits best says how far its clock is apart."""

from pointsman.telemetry.clocks import KEPT_S, MOST, Clocks


def test_a_busy_moment_shows_nothing() -> None:
    clocks = Clocks()
    clocks.heard("a", 100.0, 101.0)
    clocks.heard("a", 102.0, 150.0)
    assert clocks.apart(150.0) == {"a": 1.0}


def test_the_best_counts_for_a_while_only() -> None:
    clocks = Clocks()
    clocks.heard("a", 100.0, 101.0)
    now = 102.0 + KEPT_S
    clocks.heard("a", now + 60.0, now)
    assert clocks.apart(now) == {"a": -60.0}
    assert clocks.apart(now + KEPT_S + 1) == {}


def test_nodes_are_remembered_up_to_a_number() -> None:
    clocks = Clocks()
    for number in range(MOST + 1):
        clocks.heard(str(number), 0.0, 0.0)
    assert len(clocks.apart(0.0)) == MOST
    assert "0" not in clocks.apart(0.0)
