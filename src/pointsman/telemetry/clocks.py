"""How far clocks of proxies are apart from this machine's, by the records they tell of.

A record is told within a second or two after its request has ended. One that ended in the future,
or much longer ago, shows that clocks differ. Of each node the record that fits best counts, over
some minutes, so that a busy moment of anybody shows nothing.
"""

from dataclasses import dataclass, replace
from typing import Final

KEPT_S: Final = 300.0
"""Seconds for which the best record counts."""
MOST: Final = 10_000
"""Nodes that are remembered; a newcomer takes the place of who was heard of first."""
ENOUGH: Final = 20
WATCHED_S: Final = 60.0
"""Records, and seconds, before one that is late can count: a few may all have waited for somebody.
One that comes from the future counts alone."""


@dataclass(frozen=True, slots=True)
class _Best:
    late: float
    at: float
    since: float
    records: int = 1


class Clocks:
    """Remembers, by node id, by how many seconds records come late at the least."""

    def __init__(self) -> None:
        self._best: dict[str, _Best] = {}

    def heard(self, node: str, ended: float, now: float) -> None:
        """A record of a request came that ended at a moment, by its proxy's clock."""
        best, late = self._best.get(node), now - ended
        if best is None and len(self._best) >= MOST:
            del self._best[next(iter(self._best))]
        if best is None or now - best.at > KEPT_S:
            self._best[node] = _Best(late, now, now)
        elif abs(late) <= abs(best.late):
            self._best[node] = _Best(late, now, best.since, best.records + 1)
        else:
            self._best[node] = replace(best, records=best.records + 1)

    def apart(self, now: float) -> dict[str, float]:
        """By how many seconds each clock is behind this one's; negative where it is ahead."""
        return {
            node: best.late
            for node, best in self._best.items()
            if now - best.at <= KEPT_S and (best.late < 0 or _is_sure(best, now))
        }


def _is_sure(best: _Best, now: float) -> bool:
    return best.records >= ENOUGH and now - best.since >= WATCHED_S
