"""How much of its limits somebody has used, for those who ask."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["rate", "quota"]
GRAINS = 12
"""Parts of a rate's unit that are counted by themselves."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How a limit stands for one of those it counts.

    Attributes:
        key: what stores call it.
        kind: what the allowance is.
        limit: `NAMESPACE/POLICY/LIMIT`.
        allowance: which of its allowances holds: `base`, or the place of an override.
        who: what is counted by -> value.
        used: requests admitted in the window of a quota, or of late, in the length of a rate's
            unit. Proxies tell every five seconds.
        held: requests of a quota that proxies may admit by their leases.
        most: requests that are admitted in a window or a unit.
        resets_at: seconds since 1970 when what is used is forgotten, at the earliest; None when
            nothing is used, and of rates.
        proxies: how many count it.
    """

    key: str
    kind: Kind
    limit: str
    allowance: str
    who: Mapping[str, str]
    used: int
    held: int
    most: int
    resets_at: int | None
    proxies: int


@dataclass(slots=True)
class Recent:
    """Requests admitted of late.

    Attributes:
        length: seconds for which they count.
    """

    length: float
    _parts: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, number: int, now: float) -> None:
        """Some were admitted."""
        if not number:
            return
        if self._parts and now < self._parts[-1][0] + self.length / GRAINS:
            start, there = self._parts.pop()
            self._parts.append((start, there + number))
        else:
            self._parts.append((now, number))

    def total(self, now: float) -> int:
        """How many there are."""
        while self._parts and now >= self._parts[0][0] + self.length:
            self._parts.popleft()
        return sum(number for _, number in self._parts)
