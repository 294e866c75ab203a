"""Prometheus' text format 0.0.4.

The library of Prometheus for Python would rename every counter to `…_total`; Envoy's counters have
names of their own, which dashboards know.
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

from pointsman.telemetry.family import Distribution, Family, Labels, Number

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def render(families: Iterable[Family]) -> str:
    """All families that have a sample."""
    return "".join(
        f"# HELP {family.name} {family.about}\n# TYPE {family.name} {family.kind}\n"
        + "".join(f"{line}\n" for line in _lines(family))
        for family in families
        if family.samples
    )


def _lines(family: Family) -> Iterator[str]:
    for sample in family.samples:
        if isinstance(sample, Number):
            yield _line(family.name, sample.labels, sample.value)
        else:
            yield from _histogram(family.name, sample)


def _histogram(name: str, sample: Distribution) -> Iterator[str]:
    ends = [*map(_number, sample.bounds), "+Inf"]
    for end, count in zip(ends, accumulate(sample.counts), strict=True):
        yield _line(f"{name}_bucket", {**sample.labels, "le": end}, count)
    yield _line(f"{name}_sum", sample.labels, sample.total)
    yield _line(f"{name}_count", sample.labels, sum(sample.counts))


def _line(name: str, labels: Labels, value: float) -> str:
    pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{pairs}}} {_number(value)}" if pairs else f"{name} {_number(value)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
