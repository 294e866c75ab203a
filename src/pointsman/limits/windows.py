"""For how long a quota counts: windows of calendars, rolling ones, and those of a first use.

Moments are seconds since 1970, so that a window is the same to all who count: a day in a time zone
is as long as its clocks say, with 23 or 25 hours when they are set.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from pointsman.graph.model.limits import SECONDS, Quota, Unit

GRAINS: Final = 60
"""Parts of a rolling window that are counted by themselves."""


@dataclass(frozen=True, slots=True)
class Span:
    """What counts now.

    Attributes:
        slot: where a request that is admitted now is counted: a moment; None for the youngest slot
            that counts, or a new one.
        since: slots before it do not count.
        before: slots from it on do not count.
        lasts: seconds until what is counted in a slot is forgotten, after the slot's moment.
    """

    slot: int | None
    since: int
    before: int
    lasts: int


def span(quota: Quota, wall: float) -> Span:
    """What counts at a moment.

    Args:
        quota: whose window.
        wall: seconds since 1970.
    """
    moment = int(wall // 1)
    length = SECONDS[quota.per]
    if quota.window == "calendar":
        start, end = _calendar(quota.per, quota.timezone, moment)
        return Span(start, start, end, end - start)
    if quota.window == "firstUse":
        return Span(None, moment - length + 1, moment + length, length)
    grain = max(1, length // GRAINS)
    # A slot counts until its last request is older than the window; one in the future is of a
    # clock that was set back.
    lasts = length + grain
    return Span(moment // grain * grain, moment - lasts + 1, moment + length, lasts)


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _calendar(per: Unit, zone: str, moment: int) -> tuple[int, int]:
    if per == "minute":
        start = moment // 60 * 60
        return start, start + 60
    here = datetime.fromtimestamp(moment, _zone(zone))
    if per == "hour":
        # Of the clock on the wall: zones may be half an hour apart; an hour that comes twice in a
        # year is two.
        start = moment - here.minute * 60 - here.second
        return start, start + 3_600
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    first = _FIRST[per](midnight)
    return _stamp(first), _stamp(_NEXT[per](first))


def _stamp(local: datetime) -> int:
    return int(local.timestamp())


def _month_after(first: datetime) -> datetime:
    return (first + timedelta(days=32)).replace(day=1)


_FIRST: Final[dict[Unit, Callable[[datetime], datetime]]] = {
    "day": lambda midnight: midnight,
    "week": lambda midnight: midnight - timedelta(days=midnight.weekday()),
    "month": lambda midnight: midnight.replace(day=1),
}
_NEXT: Final[dict[Unit, Callable[[datetime], datetime]]] = {
    "day": lambda first: first + timedelta(days=1),
    "week": lambda first: first + timedelta(days=7),
    "month": _month_after,
}
