"""What manifests foretell and requests have met: one finding, at the mistake.

A finding by manifests says what is wrong, and one by requests that it hurts. Where both are about
the same object and one explains the other, the first one is told with what was seen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Final

from pointsman.doctor.catalogue import availability, latency, routes
from pointsman.doctor.check import Check
from pointsman.doctor.finding import Fact, Finding
from pointsman.resources.key import Key

_CAUSES: Final[Mapping[Check, tuple[Check, ...]]] = {
    availability.NO_ENDPOINT: (
        availability.NO_SUCH_NAME,
        availability.CHECK_FAILS,
        availability.EJECTS_ALL,
    ),
    availability.NO_CONNECTION: (availability.ONE_SIDED_TLS, availability.PORT_CLASH),
    availability.CUT_OFF: (availability.ONE_SIDED_TLS,),
    availability.TOO_LATE: (latency.CUT_BY_NODE, latency.STREAM_CUT),
    routes.NO_TARGET: (
        routes.NO_WEIGHT,
        routes.OUTSIDE,
        routes.PORTS_DIFFER,
        routes.PROTOCOLS_DIFFER,
        routes.NOT_ATTACHED,
    ),
}
"""By which mistakes in manifests a kind of trouble is explained, beside those of its own code."""


def confirmed(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The same findings, those that explain each other as one."""
    every = list(findings)
    for seen in [item for item in every if item.affected]:
        cause = next((item for item in every if _explains(item, seen)), None)
        if cause is not None:
            every[every.index(cause)] = _told_as(cause, seen)
            every.remove(seen)
    return tuple(every)


def _explains(cause: Finding, seen: Finding) -> bool:
    if cause.affected or cause.check not in (seen.check, *_CAUSES.get(seen.check, ())):
        return False
    return seen.place.key is not None and seen.place.key in _objects(cause)


def _objects(finding: Finding) -> set[Key | None]:
    return {finding.place.key, *(fact.place.key for fact in finding.facts)}


def _told_as(cause: Finding, seen: Finding) -> Finding:
    return replace(
        cause,
        severity=min(cause.severity, seen.severity, key=attrgetter("rank")),
        facts=(*cause.facts, Fact(seen.message), *seen.facts),
        advice=cause.advice or seen.advice,
        affected=seen.affected,
    )
