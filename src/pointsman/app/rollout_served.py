"""Which splits proxies are given, beside those that are decided: a change may fail on its way."""

import time
from collections.abc import Collection, Mapping
from typing import Final

from pointsman.graph.rollout_target import Hold
from pointsman.resources.key import Key
from pointsman.rollout.split import Split

AGAIN_S: Final = 5.0
"""Seconds between two tries to publish what could not be published."""

Splits = Mapping[Key, tuple[Hold, Split]]
"""By rollout."""


class ServedSplits:
    """What was published last, and what may be on its way.

    Attributes:
        overlaid: what was compiled last, or was to be: some proxies may have it.
        in_force: what all proxies were given last.
    """

    def __init__(self) -> None:
        self.overlaid: Splits = {}
        self.in_force: Splits = {}
        self._touched: set[Key] = set()
        self._tried: Splits = {}
        self._again_at = 0.0

    def overlay(self, splits: Splits) -> None:
        """These are compiled, and given to one proxy after the other."""
        self.overlaid = splits
        every = self.in_force.keys() | splits.keys()
        self._touched |= {key for key in every if self.in_force.get(key) != splits.get(key)}

    def served(self) -> Collection[Key]:
        """Proxies are given what was overlaid last.

        Gives the rollouts of which some may have had something else meanwhile.
        """
        self.in_force = self.overlaid
        touched, self._touched = self._touched, set()
        return touched

    def has(self, rollout: Key, wanted: tuple[Hold, Split]) -> bool:
        """Whether proxies are given a split, and no other one is on its way."""
        return self.in_force.get(rollout) == self.overlaid.get(rollout) == wanted

    def asks_for(self, wanted: Splits) -> bool:
        """Whether splits have to be published now; what has just failed is left for a while."""
        now = time.monotonic()
        failed = wanted == self._tried and now < self._again_at
        if failed or wanted == self.in_force == self.overlaid:
            return False
        self._tried, self._again_at = wanted, now + AGAIN_S
        return True
