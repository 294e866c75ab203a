"""Prometheus' text format 0.0.4.

The library of Prometheus for Python would rename every counter to `…_total`; Envoy's counters have
names of their own, which dashboards know.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final, Literal

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
Labels = Mapping[str, str]


@dataclass(slots=True)
class Family:
    """All samples of one name.

    Attributes:
        name: the name.
        kind: what its values are.
        about: one line for people.
        lines: the samples, written.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    lines: list[str] = field(default_factory=list)

    def add(self, value: float, labels: Labels | None = None) -> None:
        """A sample of a counter or gauge."""
        self._line(self.name, labels or {}, value)

    def add_histogram(
        self, bounds: Sequence[float], counts: Sequence[int], total: float, labels: Labels
    ) -> None:
        """A histogram.

        Args:
            bounds: upper bounds of the buckets.
            counts: values in each of them, and above the last one.
            total: of all values.
            labels: whose it is.
        """
        names = [*map(_number, bounds), "+Inf"]
        for name, count in zip(names, accumulate(counts), strict=True):
            self._line(f"{self.name}_bucket", {**labels, "le": name}, count)
        self._line(f"{self.name}_sum", labels, total)
        self._line(f"{self.name}_count", labels, sum(counts))

    def _line(self, name: str, labels: Labels, value: float) -> None:
        pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        self.lines.append(
            f"{name}{{{pairs}}} {_number(value)}" if pairs else f"{name} {_number(value)}"
        )


def render(families: Iterable[Family]) -> str:
    """All families that have a sample."""
    return "".join(
        f"# HELP {family.name} {family.about}\n# TYPE {family.name} {family.kind}\n"
        + "".join(f"{line}\n" for line in family.lines)
        for family in families
        if family.lines
    )


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
