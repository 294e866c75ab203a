"""How many requests come to a proxy, by what it reports."""

from collections.abc import Mapping
from dataclasses import dataclass

from pointsman.limits.terms import Seen

_FEW = 10.0
"""Requests of a report that are as much worth as what was known before."""

_LEAST = 0.2
"""Least weight of the last report."""


@dataclass(slots=True)
class Demand:
    """Requests that come, admitted or not.

    Attributes:
        heard: when the last report came.
        per_s: how many a second; None while nobody knows.
        last_used: when the last request was reported.
    """

    heard: float
    per_s: float | None = None
    last_used: float = 0.0

    def hear(self, seen: Seen, now: float) -> None:
        """Takes a report into account."""
        elapsed, self.heard = now - self.heard, now
        came = seen.allowed + seen.denied
        if came:
            self.last_used = now
        if elapsed < 1.0:
            # The first one of a bucket is of a single request.
            return
        rate = came / elapsed
        known = rate if self.per_s is None else self.per_s
        # Few requests come by chance, and many do not.
        most = max(rate, known) * elapsed
        young = max(_LEAST, most / (most + _FEW))
        self.per_s = young * rate + (1 - young) * known


def fair_shares(wanted: Mapping[int, float], whole: float) -> dict[int, float]:
    """Divides a whole so that nobody gets more than they want while another one lacks.

    What nobody wants is divided by what they want, and a little equally.
    """
    shares: dict[int, float] = {}
    left = whole
    order = sorted(wanted, key=lambda who: wanted[who])
    for place, who in enumerate(order):
        shares[who] = min(wanted[who], left / (len(order) - place))
        left -= shares[who]
    if left > 0 and shares:
        even = 0.05 * left / len(shares)
        rest = 0.95 * left
        total = sum(wanted.values())
        for who in shares:
            part = wanted[who] / total if total > 0 else 1 / len(shares)
            shares[who] += even + rest * part
    return shares
