"""The numbers of one subject over the last half hour, in arrays."""

from array import array
from typing import Final

from pointsman.envoy.stats import WIDTH

SLOT_S: Final = 5
"""Seconds whose numbers are added up; proxies report as often."""
SLOTS: Final = 360
"""Slots that are kept: half an hour."""
_MOST: Final = 2**32 - 1
_ZEROS: Final = array("I", bytes(4 * SLOTS))


class Series:
    """A ring of slots for each column that has ever been other than zero.

    Slots are numbered from the epoch; what is older than `SLOTS` before the newest is gone.

    Attributes:
        first: the slot it began in.
        newest: the slot last added to.
        totals: by column, of all time.
    """

    __slots__ = ("_columns", "first", "newest", "totals")

    def __init__(self, slot: int) -> None:
        self.first = self.newest = slot
        self.totals = [0] * WIDTH
        self._columns: list[array[int] | None] = [None] * WIDTH

    def add(self, slot: int, column: int, amount: int) -> None:
        """Adds to a column; a slot before the newest counts as the newest."""
        if slot > self.newest:
            self._advance(slot)
        self.totals[column] += amount
        self._put(self.newest % SLOTS, column, amount)

    def absorb(self, other: "Series") -> None:
        """Adds all of another, slot by slot; it must not be used any more."""
        if other.newest > self.newest:
            self._advance(other.newest)
        self.first = min(self.first, other.first)
        # In step with this one, the other has nothing left in places that are another time here.
        other._advance(self.newest)
        for column, values in enumerate(other._columns):
            self.totals[column] += other.totals[column]
            for place, amount in enumerate(values or ()):
                if amount:
                    self._put(place, column, amount)

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
            values = self._columns[column] = _ZEROS[:]
        values[place] = min(values[place] + amount, _MOST)

    def _advance(self, slot: int) -> None:
        """Makes room: what stood in the places of slots that come is gone."""
        if slot - self.newest >= SLOTS:
            self._columns = [None] * WIDTH
        elif slot != self.newest:
            begin, end = (self.newest + 1) % SLOTS, slot % SLOTS + 1
            for values in filter(None, self._columns):
                if begin < end:
                    values[begin:end] = _ZEROS[begin:end]
                else:
                    values[begin:] = _ZEROS[begin:]
                    values[:end] = _ZEROS[:end]
        self.newest = slot
