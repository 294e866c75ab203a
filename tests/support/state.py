"""Databases for tests, and a clock that stands still until it is told."""

from datetime import UTC, datetime, timedelta


class HandClock:
    """A clock that goes when it is told."""

    def __init__(self, now: datetime = datetime(2026, 11, 26, 12, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def go(self, **length: float) -> None:
        """Goes on, as `timedelta` is told."""
        self.now += timedelta(**length)
