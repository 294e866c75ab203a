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

    Args:
        own: counts requests that own proxies told of.
    """

    def __init__(self, own: Measures) -> None:
        self._own = own
        self._heard: deque[tuple[float, Reading]] = deque()
        self._told_until = 0.0

    @property
    def late_s(self) -> float:
        """Seconds after which a request is counted at the latest."""
        return self._own.late_s + (TELL_S + HEAR_S if self._heard else 0.0)

    def measure(self, subject: Subject, since: float, until: float) -> Sample | None:
        """What a subject did, between two moments in seconds since 1970; None if unknown."""
        found = self._own.measure(subject, since, until)
        for at, reading in self._heard:
            if since <= at < until and reading.subject == subject:
                found = reading.sample if found is None else found + reading.sample
        return found

    def hear(self, readings: Collection[Reading], now: float) -> None:
        """Others have told this, and they are not told."""
        self._told_until = 0.0
        self._heard.extend((now, reading) for reading in readings)
        while self._heard and self._heard[0][0] < now - KEPT_S:
            self._heard.popleft()

    def tell(self, subjects: Collection[Subject], now: float) -> Sequence[Reading]:
        """What own proxies told since the last time; nothing when it is too early."""
        since = self._told_until
        if now - since < TELL_S:
            return ()
        self._told_until = now
        # What was before it began to follow is not for others.
        return tuple(self._readings(subjects, since, now)) if since else ()

    def _readings(
        self, subjects: Collection[Subject], since: float, until: float
    ) -> Iterator[Reading]:
        for subject in subjects:
            sample = self._own.measure(subject, since, until)
            if sample is not None and sample.requests:
                yield Reading(subject, sample)
