"""Proxies that do with leases what Envoy does, in a time that the test makes pass."""

import random
from collections import deque
from dataclasses import dataclass, field

from pointsman.limits.terms import DELAY_S, REPORT_S, Forget, Seen, Terms, Tokens, Word


@dataclass
class Bucket:
    """A bucket of a proxy: its tokens at a time, and when its lease ends."""

    terms: Tokens | None = None
    tokens: float = 0.0
    at: float = 0.0
    ends: float = 0.0

    def put(self, terms: Terms, ttl: int, now: float) -> None:
        self.fill(now)
        if isinstance(terms, Tokens):
            if self.terms is None or terms.fresh:
                self.tokens = float(terms.most)
            elif (terms.most, terms.fill) != (self.terms.most, self.terms.fill):
                self.tokens = int(terms.most * self.tokens / self.terms.most)
            self.terms = terms
        else:
            self.terms = None
        self.ends = now + ttl

    def fill(self, now: float) -> None:
        if self.terms is not None:
            until = min(now, self.ends)
            grown = self.tokens + self.terms.fill * max(0.0, until - self.at)
            self.tokens = min(self.terms.most, grown)
            if now >= self.ends:
                self.terms = None
        self.at = now

    def take(self, wanted: int, now: float) -> int:
        self.fill(now)
        if self.terms is None:
            return 0
        # As Envoy compares doubles: what is a hair less than a token is none.
        taken = min(wanted, int(self.tokens))
        self.tokens -= taken
        return taken


@dataclass
class Proxy:
    """A proxy with one bucket, and what is on its way to it and from it.

    One that is not strict lets pass what comes before it has been told anything.
    """

    number: int
    order: random.Random
    strict: bool = True
    told: bool = False
    bucket: Bucket = field(default_factory=Bucket)
    known: bool = False
    allowed: int = 0
    denied: int = 0
    next_report: float = 0.0
    coming: deque[tuple[float, Word]] = field(default_factory=deque)
    going: deque[tuple[float, Seen]] = field(default_factory=deque)

    def send(self, word: Word, now: float) -> None:
        self.coming.append((self._later(now, self.coming), word))

    def arrive(self, now: float) -> None:
        while self.coming and self.coming[0][0] <= now:
            at, word = self.coming.popleft()
            if isinstance(word.terms, Forget):
                self.bucket, self.known, self.allowed, self.denied = Bucket(), False, 0, 0
                self.told = False
            elif self.known:
                self.told = True
                self.bucket.put(word.terms, word.ttl, at)

    def ask(self, requests: int, now: float) -> int:
        """Requests come; how many are admitted."""
        self.arrive(now)
        taken = self.bucket.take(requests, now) if self.strict or self.told else requests
        self.allowed += taken
        self.denied += requests - taken
        if requests and not self.known:
            self.known = True
            self.report(now)
        return taken

    def report(self, now: float) -> None:
        if self.known:
            self.going.append((self._later(now, self.going), Seen(self.allowed, self.denied)))
            self.allowed = self.denied = 0

    def tick(self, now: float) -> list[Seen]:
        """Time has passed; the reports that have reached the server."""
        self.arrive(now)
        if now >= self.next_report:
            self.report(now)
            self.next_report = now + REPORT_S
        found = []
        while self.going and self.going[0][0] <= now:
            found.append(self.going.popleft()[1])
        return found

    def cut(self) -> None:
        """The stream ends; what is on its way may arrive or not."""
        self.going.clear()
        if self.order.random() < 0.5:
            self.coming.clear()

    def _later(
        self, now: float, queue: "deque[tuple[float, Word]] | deque[tuple[float, Seen]]"
    ) -> float:
        delay = self.order.random() * DELAY_S * self.order.choice((0.01, 0.999))
        return max([now + delay, *(at for at, _ in queue)])
