"""How fast records are taken, so that reading them leaves time for everything else.

Whoever is too fast waits, and Envoy's buffer fills; what comes when it is full Envoy drops. So a
storm of failures costs the control plane a known share of its time, and traffic nothing.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

RECORDS_S: Final = 1_000
"""Records taken a second, from all proxies together."""
BURST: Final = 2_000
"""Records taken at once after a quiet time."""


class Pace:
    """Spreads work over time.

    Args:
        rate: records a second.
        burst: records ahead of that.
        clock: seconds on a clock that is never set.
    """

    def __init__(
        self,
        rate: float = RECORDS_S,
        burst: float = BURST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rate
        self._ahead_s = burst / rate
        self._clock = clock
        self._paid_until = 0.0

    def owed(self, records: int) -> float:
        """Takes note of records, and tells for how many seconds to wait after them."""
        now = self._clock()
        self._paid_until = max(self._paid_until, now) + records / self._rate
        return max(0.0, self._paid_until - now - self._ahead_s)

    async def after(self, records: int) -> None:
        """Waits as long as is owed."""
        owed = self.owed(records)
        if owed:
            await asyncio.sleep(owed)
