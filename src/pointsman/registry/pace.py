"""How often a registry elsewhere is asked."""

import random
from typing import Final

INTERVAL_S: Final = 5.0
"""Seconds between two questions."""
LONGEST_S: Final = 60.0
"""Most seconds between two questions while there is no answer."""


def pause(interval_s: float, failures: int) -> float:
    """Seconds until the next question: longer after failures, and never quite the same.

    Many control planes that start at once would otherwise ask at once for ever.
    """
    longest = max(interval_s, LONGEST_S)
    return min(interval_s * 2.0 ** min(failures, 10), longest) * random.uniform(0.8, 1.2)
