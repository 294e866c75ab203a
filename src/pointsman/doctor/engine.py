"""From evidence to findings: every check is asked, and what is known as a problem is told once.

The engine is pure. The same evidence gives the same findings in the same order.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pointsman.doctor.check import Symptom
from pointsman.doctor.confirmed import confirmed
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Fact, Finding, Place
from pointsman.doctor.registry import FINDERS
from pointsman.doctor.told import told
from pointsman.resources.position import position


def diagnose(evidence: Evidence, symptom: Symptom | None = None) -> tuple[Finding, ...]:
    """Everything that is found: errors first, what most requests show, then by file and line.

    Causes of a symptom begin with those that requests have met.

    Args:
        evidence: what there is to go by.
        symptom: leaves out what cannot be the cause of it.
    """
    findings = {
        _located(evidence, finding): None
        for finding in confirmed(_findings(evidence))
        if symptom is None or symptom in finding.check.symptoms
    }
    return tuple(sorted(findings, key=_order if symptom is None else _likelihood))


def _findings(evidence: Evidence) -> Iterator[Finding]:
    yield from told(evidence.problems)
    for finder in FINDERS:
        yield from finder(evidence)


def _located(evidence: Evidence, finding: Finding) -> Finding:
    facts = tuple(Fact(fact.text, _placed(evidence, fact.place)) for fact in finding.facts)
    return replace(finding, place=_placed(evidence, finding.place), facts=facts)


def _placed(evidence: Evidence, place: Place) -> Place:
    if place.at is not None or place.key is None:
        return place
    resource = evidence.resources.get(place.key)
    origin = place.origin or (resource.origin if resource is not None else None)
    if origin is None:
        return place
    return replace(place, origin=origin, at=position(origin, place.path))


def _likelihood(finding: Finding) -> tuple[Any, ...]:
    """Of what somebody suffers from now, what was seen is likelier than what may come."""
    return not finding.affected, *_order(finding)


def _order(finding: Finding) -> tuple[int, int, str, tuple[int, int], str, str]:
    place = finding.place
    source = place.origin.source if place.origin is not None else ""
    rank = finding.severity.rank
    return rank, -finding.affected, source, place.at or (0, 0), finding.check.code, finding.message
