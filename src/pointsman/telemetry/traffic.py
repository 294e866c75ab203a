"""Numbers of a while, and what follows from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from pointsman.envoy.stats import BUCKETS_MS, CAUSES, LATENCIES, WIDTH, Measure

_CLASSES: Final = slice(Measure.ANSWERED_1XX, Measure.ANSWERED_5XX + 1)
_LATENCIES: Final = slice(LATENCIES[0], LATENCIES[-1] + 1)


@dataclass(frozen=True, slots=True)
class Latency:
    """How long requests took.

    Attributes:
        counts: requests by bucket; the bounds are `BUCKETS_MS`, and the last one is above them.
        total_ms: the time of all together, in ms.
    """

    counts: tuple[int, ...]
    total_ms: int

    @property
    def count(self) -> int:
        """Requests whose time is known."""
        return sum(self.counts)

    def quantile(self, share: float) -> float | None:
        """The time in ms within which a share of the requests was done, 0 < share <= 1.

        Within a bucket requests are taken to be spread evenly, as by Prometheus'
        `histogram_quantile`; above all bounds it is the last bound. None without requests.
        """
        rank = share * self.count
        if not rank:
            return None
        for index, reached in enumerate(accumulate(self.counts[:-1])):
            if reached >= rank:
                low = BUCKETS_MS[index - 1] if index else 0
                inside = (rank - (reached - self.counts[index])) / self.counts[index]
                return low + (BUCKETS_MS[index] - low) * inside
        return float(BUCKETS_MS[-1])


@dataclass(frozen=True, slots=True)
class Traffic:
    """What happened in a while.

    Attributes:
        numbers: by column: see `Measure` and `LATENCIES`.
    """

    numbers: tuple[int, ...] = (0,) * WIDTH

    @property
    def classes(self) -> tuple[int, ...]:
        """Answers by class of status: 1xx, 2xx, 3xx, 4xx, 5xx."""
        return self.numbers[_CLASSES]

    @property
    def requests(self) -> int:
        """Requests that were answered."""
        return sum(self.classes)

    @property
    def failures(self) -> int:
        """Those answered 5xx."""
        return self.numbers[Measure.ANSWERED_5XX]

    @property
    def success_rate(self) -> float | None:
        """The share of requests that did not fail; None without requests."""
        return 1 - self.failures / self.requests if self.requests else None

    @property
    def causes(self) -> dict[Measure, int]:
        """Why requests failed, or what was done about it; only what happened."""
        return {cause: self.numbers[cause] for cause in CAUSES if self.numbers[cause]}

    @property
    def connections(self) -> int:
        """Connections that were opened."""
        return self.numbers[Measure.CONNECTION]

    @property
    def latency(self) -> Latency:
        """How long requests took."""
        return Latency(self.numbers[_LATENCIES], self.numbers[Measure.LATENCY_MS])


def add_up(rows: Iterable[Sequence[int]]) -> Traffic:
    """The sum, column by column."""
    numbers = tuple(map(sum, zip(*rows, strict=True)))
    return Traffic(numbers) if numbers else Traffic()
