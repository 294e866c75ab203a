"""The traffic of the last half hour: bounded, in memory, and with no clock of its own.

Everybody who judges traffic asks here: `pointsman top`, Prometheus, rollouts, diagnosis.

What is kept is bounded by the number of series, never by what is written or asked: each scope has
its own number of them. When it is reached, a newcomer takes the place of the series that has been
silent longest, if that is silent for `SILENT_S`; otherwise, the newcomer's numbers go to the rest
of the scope, as do those of whoever had to give way. So sums over a scope are always right, and a
series that is there is whole.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from pointsman.envoy.stats import LATENCIES, Measure, Scope
from pointsman.resources.key import Key
from pointsman.telemetry.series import SLOT_S, SLOTS, Series
from pointsman.telemetry.traffic import Traffic, add_up

WINDOW_S: Final = SLOT_S * SLOTS
"""How far back there are numbers, in seconds."""
MOST: Final[Mapping[Scope, int]] = {
    Scope.PROXY: 256,
    Scope.NODE: 768,
    Scope.ROUTE: 1024,
    Scope.CONSUMER: 1024,
}
"""Series by scope; one takes 1.6 KB for each column that is used, of 43. Consumers use 32 at most:
so at most 190 MB."""
SILENT_S: Final = 300
"""Seconds without numbers after which a series gives way."""
SILENT_SLOTS: Final = SILENT_S // SLOT_S


@dataclass(frozen=True, slots=True)
class Subject:
    """What a series is about.

    Attributes:
        scope: of what kind it is.
        proxy: the virtual gateway, or the virtual node with its sidecar, that counted; None for
            the rest of a scope.
        node: the virtual node that was called, of scope NODE.
        service: the virtual service that was called, where all that is counted was for one.
        route: of scope ROUTE: `NAMESPACE/GATEWAY_ROUTE/ROUTE` of a gateway and `SERVICE/ROUTE` of
            a sidecar; the last part is missing where the router's route has no name.
        consumer: of scope CONSUMER: `NAMESPACE/NAME`.
    """

    scope: Scope
    proxy: Key | None = None
    node: Key | None = None
    service: Key | None = None
    route: str = ""
    consumer: str = ""


class Total(NamedTuple):
    """What was ever reported of a subject.

    Attributes:
        subject: what it is about.
        traffic: the sums; they only grow.
        since: when they were zero. It is later than the start for one that had to give way before.
    """

    subject: Subject
    traffic: Traffic
    since: float


@dataclass(frozen=True, slots=True)
class Selector:
    """Some subjects of a scope: those with everything that is not None."""

    scope: Scope
    proxy: Key | None = None
    node: Key | None = None
    service: Key | None = None
    route: str | None = None

    def takes(self, subject: Subject) -> bool:
        """Whether a subject is one of them."""
        return (
            subject.scope is self.scope
            and self.proxy in (None, subject.proxy)
            and self.node in (None, subject.node)
            and self.service in (None, subject.service)
            and self.route in (None, subject.route)
        )


class Window:
    """Numbers by subject and time. Times are seconds since the epoch.

    Args:
        most: series by scope.
    """

    def __init__(self, most: Mapping[Scope, int] = MOST) -> None:
        self._most = most
        self._series: dict[Scope, dict[Subject, Series]] = {scope: {} for scope in Scope}
        self._rest: dict[Scope, Series] = {}
        self._silent: dict[Scope, tuple[int, list[Subject]]] = dict.fromkeys(Scope, (-1, []))

    def add(self, subject: Subject, measure: Measure, amount: int, now: float) -> None:
        """Counts what a proxy has just reported."""
        slot = _slot(now)
        self._of(subject, slot).add(slot, measure, amount)

    def add_latencies(
        self, subject: Subject, counts: Mapping[int, int], total_ms: int, now: float
    ) -> None:
        """Counts requests by the time they took.

        Args:
            subject: what they are about.
            counts: by index of the bucket; those without requests may be missing.
            total_ms: the time of all together, in ms.
            now: when that was reported.
        """
        slot = _slot(now)
        series = self._of(subject, slot)
        series.add(slot, Measure.LATENCY_MS, total_ms)
        for bucket, count in counts.items():
            series.add(slot, LATENCIES[bucket], count)

    def sum(self, selector: Selector, since: float, until: float) -> Traffic:
        """All that was reported of some subjects.

        Proxies report every five seconds what happened since; so what happens at a moment is
        counted up to five seconds later.

        Args:
            selector: which.
            since: the beginning; the slot of five seconds it falls into counts when it begins
                there.
            until: the end, not included.
        """
        return add_up(traffic.numbers for _, traffic in self.rows(selector, since, until))

    def rows(
        self, selector: Selector, since: float, until: float
    ) -> Iterator[tuple[Subject, Traffic]]:
        """The same one by one, also for subjects of which nothing was reported meanwhile."""
        first, last = math.ceil(since / SLOT_S), math.ceil(until / SLOT_S) - 1
        for subject, series in self._all(selector.scope):
            if selector.takes(subject):
                yield subject, Traffic(tuple(series.sums(first, last)))

    def totals(self, scope: Scope) -> Iterator[Total]:
        """What was ever reported of each subject since it is kept."""
        for subject, series in self._all(scope):
            yield Total(subject, Traffic(tuple(series.totals)), float(series.first * SLOT_S))

    def __len__(self) -> int:
        """How many series are kept."""
        return sum(map(len, self._series.values())) + len(self._rest)

    def _all(self, scope: Scope) -> Iterator[tuple[Subject, Series]]:
        yield from self._series[scope].items()
        if scope in self._rest:
            yield Subject(scope), self._rest[scope]

    def _of(self, subject: Subject, slot: int) -> Series:
        kept = self._series[subject.scope]
        series = kept.get(subject)
        if series is not None:
            return series
        if len(kept) >= self._most[subject.scope] and not self._make_room(subject.scope, slot):
            return self._rest_of(subject.scope, slot)
        series = kept[subject] = Series(slot)
        return series

    def _make_room(self, scope: Scope, slot: int) -> bool:
        """Moves what has been silent longest to the rest, if it has been for long enough."""
        kept = self._series[scope]
        silent = self._silent_at(scope, slot)
        while silent:
            subject = silent.pop()
            series = kept[subject]
            if series.newest + SILENT_SLOTS <= slot:
                self._rest_of(scope, slot).absorb(kept.pop(subject))
                return True
        return False

    def _silent_at(self, scope: Scope, slot: int) -> list[Subject]:
        """Who may give way in a slot, the most silent one last; looked up once for each slot."""
        at, silent = self._silent[scope]
        if at != slot:
            found = [
                (series.newest, index, subject)
                for index, (subject, series) in enumerate(self._series[scope].items())
                if series.newest + SILENT_SLOTS <= slot
            ]
            silent = [subject for _, _, subject in sorted(found, reverse=True)]
            self._silent[scope] = (slot, silent)
        return silent

    def _rest_of(self, scope: Scope, slot: int) -> Series:
        return self._rest.setdefault(scope, Series(slot))


def _slot(now: float) -> int:
    return int(now // SLOT_S)
