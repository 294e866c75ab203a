"""Of each node the record that fits best says how far its clock is apart."""

from pointsman.telemetry.clocks import ENOUGH, KEPT_S, MOST, WATCHED_S, Clocks


def test_what_many_records_say_for_a_while_counts() -> None:
    clocks, now = Clocks(), 1000.0
    for _ in range(ENOUGH):
        clocks.heard("a", now - 40.0, now)
        now += WATCHED_S / (ENOUGH - 1)
    assert clocks.apart(now) == {"a": 40.0}
    clocks.heard("a", now - 1.0, now)
    assert clocks.apart(now) == {"a": 1.0}


def test_a_busy_moment_shows_nothing() -> None:
    clocks = Clocks()
    clocks.heard("a", 100.0, 101.0)
    for _ in range(2 * ENOUGH):
        clocks.heard("a", 556.0, 601.0)
    assert clocks.apart(602.0) == {}


def test_the_future_shows_at_once_and_for_a_while() -> None:
    clocks = Clocks()
    clocks.heard("a", 160.0, 100.0)
    assert clocks.apart(100.0) == {"a": -60.0}
    assert clocks.apart(101.0 + KEPT_S) == {}


def test_nodes_are_remembered_up_to_a_number() -> None:
    clocks = Clocks()
    for number in range(MOST + 1):
        clocks.heard(str(number), 1.0, 0.0)
    assert len(clocks.apart(0.0)) == MOST
    assert "0" not in clocks.apart(0.0)
