"""What is known of a quota of somebody: what was used, and what is out on leases.

All stores do the same with it, those in memory and in SQLite by this module, and Redis by a script
that is held against it.

A request is counted from the moment a lease could admit it. A control plane *holds* what its
leases may still admit; the sum of what was used in the window and of all holds is never more than
the quota. When a report tells that requests were admitted, they move from the hold to the slot of
their window. So a lease that outlives a window counts in the next one, for what of it is left.
"""

from dataclasses import dataclass, field

from pointsman.limits.windows import Span

MOST_SLOTS = 192
"""Slots that are remembered; a clock that is set back comes upon what it has counted already."""


@dataclass(frozen=True, slots=True)
class Move:
    """What a control plane wants noted.

    Attributes:
        key: of whom and of which allowance.
        span: what counts now.
        most: the quota.
        used: requests that were admitted since the last move.
        floor: requests that its leases may still admit already.
        hold: requests that they are to admit, at least `floor`.
        until: the moment from which no lease of it can admit any more.
    """

    key: str
    span: Span
    most: int
    used: int
    floor: int
    hold: int
    until: int


@dataclass(frozen=True, slots=True)
class Balance:
    """How a quota stands after a move.

    Attributes:
        key: see `Move`.
        used: requests admitted in the window.
        held: requests that leases of all control planes may still admit.
        hold: of them those of the one that asked, between its `floor` and its `hold`.
        resets_at: when what is used now is forgotten, at the earliest; None when nothing is.
    """

    key: str
    used: int
    held: int
    hold: int
    resets_at: int | None


@dataclass(slots=True)
class Record:
    """What a store keeps.

    Attributes:
        slots: moment -> requests admitted.
        holds: control plane -> what it holds, and until when.
    """

    slots: dict[int, int] = field(default_factory=dict)
    holds: dict[str, tuple[int, int]] = field(default_factory=dict)


def apply(record: Record, plane: str, wall: int, move: Move) -> Balance:
    """Notes a move.

    Args:
        record: is changed.
        plane: the control plane that asks.
        wall: seconds since 1970.
        move: what it wants.
    """
    span = move.span
    used = move.used
    for other in [name for name, (_, until) in record.holds.items() if until <= wall]:
        # Nobody told what became of it, so all of it counts as used.
        amount, until = record.holds.pop(other)
        if other != plane and until >= span.since:
            used += amount
    if used:
        slot = _slot(record, span, wall)
        record.slots[slot] = record.slots.get(slot, 0) + used
        for old in sorted(record.slots)[: max(0, len(record.slots) - MOST_SLOTS)]:
            del record.slots[old]
    spent = sum(record.slots[slot] for slot in _counting(record, span))
    others = sum(amount for name, (amount, _) in record.holds.items() if name != plane)
    hold = max(move.floor, min(move.hold, move.most - spent - others))
    if hold:
        record.holds[plane] = (hold, move.until)
        if span.slot is None and not _counting(record, span):
            record.slots[wall] = 0
    else:
        record.holds.pop(plane, None)
    first = min(_counting(record, span), default=None)
    resets = None if first is None else first + span.lasts
    return Balance(move.key, spent, others + hold, hold, resets)


def look(record: Record, wall: int, span: Span) -> tuple[int, int, int | None]:
    """What was used, what is held, and when the first of it is forgotten; see `Balance`."""
    slots = _counting(record, span)
    held = sum(amount for amount, until in record.holds.values() if until > wall)
    lost = sum(amount for amount, until in record.holds.values() if span.since <= until <= wall)
    used = sum(record.slots[slot] for slot in slots) + lost
    return used, held, min(slots) + span.lasts if slots else None


def _counting(record: Record, span: Span) -> list[int]:
    return [slot for slot in record.slots if span.since <= slot < span.before]


def _slot(record: Record, span: Span, wall: int) -> int:
    if span.slot is not None:
        return span.slot
    return max(_counting(record, span), default=wall)
