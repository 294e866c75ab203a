"""Samples by name, as Prometheus and OpenTelemetry both have them; how they are written is up to
`exposition` and `otlp`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Number:
    """A sample of a counter or gauge."""

    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram.

    Attributes:
        labels: whose it is.
        bounds: upper bounds of the buckets.
        counts: values in each of them, and above the last one.
        total: of all values.
    """

    labels: Labels
    bounds: Sequence[float]
    counts: Sequence[int]
    total: float


@dataclass(slots=True)
class Family:
    """All samples of one name.

    Attributes:
        name: the name.
        kind: what its values are: `Distribution` of a histogram, else `Number`.
        about: one line for people.
        unit: of its values, as UCUM writes it; "" where they are counted.
        samples: the samples.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    unit: str = ""
    samples: list[Number | Distribution] = field(default_factory=list)

    def add(self, value: float, labels: Labels | None = None) -> None:
        """A sample of a counter or gauge."""
        self.samples.append(Number(labels or {}, value))

    def add_histogram(
        self, bounds: Sequence[float], counts: Sequence[int], total: float, labels: Labels
    ) -> None:
        """A histogram: see `Distribution`."""
        self.samples.append(Distribution(labels, bounds, counts, total))
