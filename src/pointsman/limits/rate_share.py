"""What a proxy holds of a rate, and what is known of its bucket by its reports."""

import math
from dataclasses import dataclass
from typing import Final

from pointsman.limits.demand import Demand
from pointsman.limits.terms import DELAY_S, Seen

TTL_S: Final = 20
"""Seconds a share lasts without a report."""


@dataclass(slots=True)
class Share:
    """What a proxy holds.

    Attributes:
        demand: what comes to it.
        most: tokens its bucket may hold, in force or until `over`; 0 without a bucket.
        rate: tokens that come in a second.
        was_most: the same of what was replaced last, which may be in force until `over`.
        was_rate: its rate.
        both: whether the tokens of both may be used: the new one was full.
        over: when what was replaced is surely not in force any more.
        sent: when the last word was sent.
        since: since when it has had a bucket.
        sure: tokens that are surely in the bucket, as of the last report.
        slow: the least rate that was in force since then.
        full: the smallest bucket since then.
        back: part of a bucket that was made smaller that comes back, as far as it is proved.
        proved: tokens that were surely in it.
        lacks: whether it refused requests of late.
    """

    demand: Demand
    most: int = 0
    rate: float = 0.0
    was_most: int = 0
    was_rate: float = 0.0
    both: bool = False
    over: float = -math.inf
    sent: float = -math.inf
    since: float = 0.0
    sure: float = 0.0
    slow: float = 0.0
    full: int = 0
    back: float = 0.0
    proved: float = 0.0
    lacks: bool = False

    def held(self, now: float) -> int:
        """Tokens that it may have at a moment, at most."""
        if now >= self.over:
            return self.most
        return self.most + self.was_most if self.both else max(self.most, self.was_most)

    def fills(self, now: float) -> float:
        """Tokens that come in a second, at most."""
        return max(self.rate, self.was_rate) if now < self.over else self.rate

    @property
    def ends(self) -> float:
        """When its lease is surely over."""
        return self.sent + TTL_S + DELAY_S

    def hear(self, seen: Seen, now: float) -> None:
        """A report came."""
        filled = self.slow * (now - self.demand.heard)
        self.demand.hear(seen, now)
        self.lacks = seen.denied > 0
        self.sure = max(0.0, min(self.full, self.sure + filled) - seen.allowed)
        self.proved = max(0.0, self.proved - seen.allowed)
        recent = now < self.over
        self.slow = min(self.rate, self.was_rate) if recent else self.rate
        smaller = recent and self.was_most and not self.both
        self.full = min(self.most, self.was_most) if smaller else self.most

    def replace(self, most: int, rate: float, now: float, *, fresh: bool = False) -> None:
        """The proxy is told of another bucket now; `fresh` when it is to be full."""
        self.back, self.proved = 0.0, 0.0
        self.both = fresh and self.most > 0
        if not self.most:
            self.since, self.slow, self.full = now, rate, most
        if fresh:
            # What is used up meanwhile may be of the bucket before.
            self.sure = float(most)
        elif most < self.most:
            self.back, self.proved = 1 - most / self.most, self.sure
            # Envoy rounds down.
            self.sure = max(0.0, self.sure * most / self.most - 1)
        elif most > self.most:
            self.sure = max(0.0, self.sure - 1)
        self.slow, self.full = min(self.slow, rate), min(self.full, most)
        if fresh:
            self.full = most
        self.was_most, self.was_rate = self.most, self.rate
        self.most, self.rate = most, rate
        self.over = now + DELAY_S


@dataclass(slots=True)
class Ghost:
    """What a proxy holds of which nothing will be heard any more."""

    most: int
    rate: float
    until: float
