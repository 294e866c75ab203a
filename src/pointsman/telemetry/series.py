"""The numbers of one subject over the last half hour, in arrays."""

from array import array
from typing import Final

from pointsman.envoy.stats import WIDTH

SLOT_S: Final = 5
"""Seconds whose numbers are added up; proxies report as often."""
SLOTS: Final = 360
"""Slots that are kept: half an hour."""
_MOST: Final = 2**32 - 1


class Series:
    """A ring of slots for each column that has ever been other than zero.

    Slots are numbered from the epoch; what is older than `SLOTS` before the newest is gone.

    Attributes:
        newest: the slot last added to.
        totals: by column, of all time.
    """

    __slots__ = ("_columns", "newest", "totals")

    def __init__(self, slot: int) -> None:
        self.newest = slot
        self.totals = [0] * WIDTH
        self._columns: list[array[int] | None] = [None] * WIDTH

    def add(self, slot: int, column: int, amount: int) -> None:
        """Adds to a column; a slot before the newest counts as the newest."""
        if slot > self.newest:
            self._advance(slot)
        self.totals[column] += amount
        self._put(self.newest % SLOTS, column, amount)

    def absorb(self, other: "Series") -> None:
        """Adds all of another, slot by slot."""
        if other.newest > self.newest:
            self._advance(other.newest)
        first = max(self.newest, other.newest) - SLOTS + 1
        for column, values in enumerate(other._columns):
            self.totals[column] += other.totals[column]
            if values is None:
                continue
            for slot in range(first, other.newest + 1):
                if values[slot % SLOTS]:
                    self._put(slot % SLOTS, column, values[slot % SLOTS])

    def sums(self, first: int, last: int) -> list[int]:
        """Each column over the slots from `first` to `last`, both included."""
        first, last = max(first, self.newest - SLOTS + 1), min(last, self.newest)
        if first > last:
            return [0] * WIDTH
        begin, end = first % SLOTS, last % SLOTS + 1
        whole = begin < end
        return [
            0
            if values is None
            else sum(values[begin:end])
            if whole
            else sum(values[begin:]) + sum(values[:end])
            for values in self._columns
        ]

    def _put(self, place: int, column: int, amount: int) -> None:
        values = self._columns[column]
        if values is None:
            values = self._columns[column] = array("I", bytes(4 * SLOTS))
        values[place] = min(values[place] + amount, _MOST)

    def _advance(self, slot: int) -> None:
        """Makes room: what stood in the places of slots that come is gone."""
        if slot - self.newest >= SLOTS:
            self._columns = [None] * WIDTH
        else:
            places = [item % SLOTS for item in range(self.newest + 1, slot + 1)]
            for values in filter(None, self._columns):
                for place in places:
                    values[place] = 0
        self.newest = slot
