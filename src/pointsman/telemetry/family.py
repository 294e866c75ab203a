"""Samples by name, as Prometheus and OpenTelemetry both have them; how they are written is up to
`exposition` and `otlp`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Number:
    """A sample of a counter or gauge.

    Attributes:
        labels: whose it is.
        value: the number.
        since: when a counter was zero, in seconds since the epoch; 0 means since the start.
    """

    labels: Labels
    value: float
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram.

    Attributes:
        labels: whose it is.
        bounds: upper bounds of the buckets.
        counts: values in each of them, and above the last one.
        total: of all values.
        since: when there were none, as that of `Number`.
    """

    labels: Labels
    bounds: Sequence[float]
    counts: Sequence[int]
    total: float
    since: float = 0.0


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

    def add(self, value: float, labels: Labels | None = None, since: float = 0.0) -> None:
        """A sample of a counter or gauge."""
        self.samples.append(Number(labels or {}, value, since))
