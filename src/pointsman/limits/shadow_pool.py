"""A limit that refuses nobody: all pass, and are counted."""

import math
from dataclasses import dataclass, field

from pointsman.limits.counts import Balance
from pointsman.limits.quota_pool import IDLE_S, TTL_S, Need
from pointsman.limits.terms import Blanket, Forget, Seen, Word


@dataclass(slots=True)
class ShadowPool:
    """A bucket of proxies that may admit whatever comes.

    Attributes:
        counted: whether the store counts them.
        balance: what the store said last.
    """

    counted: bool
    balance: Balance | None = None
    _used: int = 0
    _asked: int = 0
    _sent: dict[int, float] = field(default_factory=dict)
    _last_used: dict[int, float] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing is lost when it is forgotten."""
        return not (self._sent or self._used or self._asked)

    @property
    def proxies(self) -> frozenset[int]:
        """Those that know the bucket."""
        return frozenset(self._sent)

    @property
    def is_due(self) -> bool:
        """Whether the store has something to be told."""
        return self._used > 0

    def hear(self, proxy: int, seen: Seen, now: float) -> list[Word]:
        """A report came."""
        if self.counted:
            self._used += seen.allowed
        sent = self._sent.setdefault(proxy, -math.inf)
        if seen.allowed + seen.denied:
            self._last_used[proxy] = now
        if now >= self._last_used.setdefault(proxy, now) + IDLE_S:
            self.lose(proxy, now)
            return [Word(proxy, Forget(), 0)]
        if now < sent + TTL_S / 2:
            return []
        self._sent[proxy] = now
        return [Word(proxy, Blanket(allow=True), TTL_S)]

    def lose(self, proxy: int, _now: float) -> None:
        """The proxy's stream has ended."""
        self._sent.pop(proxy, None)
        self._last_used.pop(proxy, None)

    def look(self, _now: float) -> None:
        """Time has passed, to no effect."""

    def need(self, _now: float) -> Need:
        """What to tell the store; `grant` has to follow, or `refuse`."""
        self._used, self._asked = 0, self._used
        return Need(self._asked, 0, 0)

    def refuse(self) -> None:
        """The store did not answer."""
        self._used += self._asked
        self._asked = 0

    def grant(
        self,
        _need: Need,
        balance: Balance,
        _now: float,
        *,
        again_at: float,  # noqa: ARG002
    ) -> list[Word]:
        """The store has answered."""
        self._asked = 0
        self.balance = balance
        return []

    def deadline(self, _now: float) -> float | None:
        """Nothing happens without a report."""
        return None
