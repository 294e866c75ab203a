"""Windows of quotas: months, leap days, clocks that are set."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.graph.model.limits import Quota, Unit, Window
from pointsman.limits.windows import span

ROME = "Europe/Rome"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("per", "zone", "moment", "start", "end"),
    [
        ("month", "UTC", "2024-02-29T23:59:59Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
        ("month", ROME, "2024-12-31T23:30:00Z", "2024-12-31T23:00:00Z", "2025-01-31T23:00:00Z"),
        ("week", "UTC", "2024-03-03T10:00:00Z", "2024-02-26T00:00:00Z", "2024-03-04T00:00:00Z"),
        # 23 and 25 hours.
        ("day", ROME, "2024-03-31T12:00:00Z", "2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z"),
        ("day", ROME, "2024-10-27T12:00:00Z", "2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z"),
        # A midnight that is left out.
        (
            "day",
            "America/Asuncion",
            "2023-10-01T12:00:00Z",
            "2023-10-01T04:00:00Z",
            "2023-10-02T03:00:00Z",
        ),
        ("hour", "Asia/Kolkata", "2024-01-01T00:10:00Z", "2023-12-31T23:30:00Z", None),
        ("minute", ROME, "2024-01-01T00:10:59Z", "2024-01-01T00:10:00Z", "2024-01-01T00:11:00Z"),
    ],
)
def test_windows_of_the_calendar(
    per: Unit, zone: str, moment: str, start: str, end: str | None
) -> None:
    found = span(Quota(1, per, "calendar", zone), at(moment))
    assert found.slot == found.since == at(start)
    if end is not None:
        assert found.before == at(end)


@settings(deadline=None, max_examples=300)
@given(
    st.integers(at("1990-01-01T00:00:00Z"), at("2060-01-01T00:00:00Z")),
    st.sampled_from(("hour", "day", "week", "month")),
    st.sampled_from((ROME, "America/Asuncion", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")),
)
def test_windows_follow_each_other_without_a_gap(moment: int, per: Unit, zone: str) -> None:
    quota = Quota(1, per, "calendar", zone)
    found = span(quota, moment)
    assert found.since <= moment < found.before
    assert span(quota, found.since) == found
    if per != "hour":
        assert span(quota, found.before).since == found.before


@settings(deadline=None)
@given(st.integers(10**9, 2 * 10**9), st.integers(0, 90_000), st.sampled_from(("rolling",)))
def test_a_rolling_window_counts_for_its_length_at_least(
    used: int, later: int, window: Window
) -> None:
    quota = Quota(1, "day", window)
    slot = span(quota, used).slot
    assert slot is not None
    now = span(quota, used + later)
    counts = now.since <= slot < now.before
    assert counts or later >= 86_400
    assert not counts or later < 86_400 + 2 * 1_440
