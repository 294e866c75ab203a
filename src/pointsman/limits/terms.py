"""What a proxy is told about a bucket, and how long that may take.

All that is granted is counted for as long as it could possibly be in force:

- A proxy acts on what it is told within `DELAY_S` of its being sent, or its stream ends.
- A lease ends, when nothing renews it, at the latest `DELAY_S` after its time to live; and when a
  stream ends, nobody knows what of its last words arrived.
"""

from dataclasses import dataclass
from typing import Final

DELAY_S: Final = 1.0
"""Seconds within which a proxy has taken what it is sent."""
REPORT_S: Final = 5.0
"""Seconds between two reports of a proxy: fixed in Envoy, whatever `reporting_interval` says
(`initTlsStore`, source/extensions/filters/http/rate_limit_quota/filter_persistence.cc)."""
SILENT_S: Final = 2 * REPORT_S + 2 * DELAY_S
"""Seconds without a report after which a lease is not renewed."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """A token bucket.

    Attributes:
        most: tokens it holds.
        fill: tokens that come in a second.
        fresh: whether it is to be full; else it goes on from the one before, as full in proportion.
    """

    most: int
    fill: float
    fresh: bool


@dataclass(frozen=True, slots=True)
class Blanket:
    """All pass, or none."""

    allow: bool


@dataclass(frozen=True, slots=True)
class Forget:
    """The bucket is not in use any more."""


Terms = Tokens | Blanket | Forget
"""What a proxy is told about a bucket."""


@dataclass(frozen=True, slots=True)
class Word:
    """Something to tell a proxy.

    Attributes:
        proxy: whom.
        terms: what.
        ttl: seconds for which it holds.
    """

    proxy: int
    terms: Terms
    ttl: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a proxy reported about a bucket.

    Attributes:
        allowed: requests admitted since its last report.
        denied: requests refused since then.
    """

    allowed: int
    denied: int
