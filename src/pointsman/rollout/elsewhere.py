"""What proxies of other control planes did, for the one that carries rollouts out.

Each control plane hears of its own proxies alone. Those that follow tell the one that leads,
through the database that they share, what rollouts are judged by. It counts from when it is heard,
as reports of proxies do, so clocks of machines are not compared.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from pointsman.resources.key import Key
from pointsman.rollout.measures import Measures, Sample, Subject

TELL_S: Final = 5.0
"""Seconds between two times that others are told; proxies report as often."""
HEAR_S: Final = 1.0
"""Seconds between two looks at what others tell."""
LATER_S: Final = TELL_S + HEAR_S
"""Seconds by which requests of others' proxies are counted later than one's own."""
KEPT_S: Final = 1_800.0
"""Seconds for which it is kept: longer than an interval."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a subject did, as one control plane was told by its proxies."""

    subject: Subject
    sample: Sample

    def json(self) -> dict[str, Any]:
        """For the database."""
        subject, sample = self.subject, self.sample
        return {
            "version": subject.version,
            "through": subject.through,
            "route": subject.route,
            "requests": sample.requests,
            "failures": sample.failures,
            "latencies": sample.latencies,
        }

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Self:
        """From the database."""
        latencies = tuple((float(bound), int(count)) for bound, count in kept["latencies"])
        return cls(
            Subject(Key(*kept["version"]), Key(*kept["through"]), kept["route"]),
            Sample(kept["requests"], kept["failures"], latencies),
        )


class Elsewhere:
    """Counts what was heard of others together with one's own; it is `Measures`, too.

    What others were told is theirs to count: who begins to carry rollouts out counts own requests
    from the moment until which it has told of them, and hears the rest from the database.

    Args:
        own: counts requests that own proxies told of.
    """

    def __init__(self, own: Measures) -> None:
        self._own = own
        self._heard: dict[Subject, deque[tuple[float, Sample]]] = {}
        self._told_until = 0.0
        self._leads = True

    @property
    def late_s(self) -> float:
        """Seconds after which a request is counted at the latest."""
        return self._own.late_s

    def measure(self, subject: Subject, since: float, until: float) -> Sample | None:
        """What a subject did, between two moments in seconds since 1970; None if unknown."""
        found = self._own.measure(subject, max(since, self._told_until), until)
        for at, sample in self._heard.get(subject, ()):
            if since <= at < until:
                found = sample if found is None else found + sample
        return found

    def hear(self, readings: Collection[Reading], now: float) -> None:
        """Others have told this, and from now on they are told nothing."""
        self._leads, self._told_until = True, min(self._told_until, now)
        for reading in readings:
            self._heard.setdefault(reading.subject, deque()).append((now, reading.sample))
        for subject, heard in tuple(self._heard.items()):
            while heard and heard[0][0] < now - KEPT_S:
                heard.popleft()
            if not heard:
                del self._heard[subject]

    def untold(self, subjects: Collection[Subject], now: float) -> Sequence[Reading] | None:
        """What own proxies did since the last time; None when it is too early.

        Args:
            subjects: of whom others want to know.
            now: in seconds since 1970.
        """
        if self._leads:
            # What was before it began to follow was its own to count.
            self._leads, self._told_until = False, now
            self._heard.clear()
        # A clock may be set back.
        self._told_until = min(self._told_until, now)
        if now - self._told_until < TELL_S:
            return None
        return tuple(self._readings(subjects, self._told_until, now))

    def told(self, now: float) -> None:
        """What was untold until then has been told."""
        self._told_until = now

    def _readings(
        self, subjects: Collection[Subject], since: float, until: float
    ) -> Iterator[Reading]:
        for subject in subjects:
            sample = self._own.measure(subject, since, until)
            if sample is not None and sample.requests:
                yield Reading(subject, sample.brief())
