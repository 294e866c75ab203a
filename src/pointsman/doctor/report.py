"""Findings for people and for machines.

People get them by severity, each with its place, what shows it, and what to do. Machines get plain
values, with patches that `kubectl patch --type json` takes, too.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypedDict

import yaml

from pointsman.doctor.finding import Fact, Finding, Operation, Patch, Place
from pointsman.observe.lines import SEVERITIES, Line, Piece, line
from pointsman.observe.told import Told
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Severity
from pointsman.resources.words import counted


class FactJson(TypedDict):
    """A fact for machines; what is not known is None."""

    text: str
    file: str | None
    line: int | None
    column: int | None
    object: str | None
    field: str | None


class FindingJson(TypedDict):
    """A finding for machines; what is not known is None."""

    check: str
    title: str
    severity: str
    symptoms: list[str]
    message: str
    advice: str | None
    problem: str | None
    file: str | None
    line: int | None
    column: int | None
    object: str | None
    field: str | None
    evidence: list[FactJson]
    patch: list[dict[str, Any]]


def finding_json(finding: Finding) -> FindingJson:
    """A finding as plain values."""
    file, at_line, column = _position(finding.place)
    key, path = finding.place.key, finding.place.path
    return {
        "check": finding.check.code,
        "title": finding.check.title,
        "severity": finding.severity.value,
        "symptoms": sorted(symptom.value for symptom in finding.check.symptoms),
        "message": finding.message,
        "advice": finding.advice or None,
        "problem": finding.problem or None,
        "file": file,
        "line": at_line,
        "column": column,
        "object": str(key) if key else None,
        "field": show_path(path) or None,
        "evidence": [_fact_json(fact) for fact in finding.facts],
        "patch": patch_json(finding.patch),
    }


def _fact_json(fact: Fact) -> FactJson:
    file, at_line, column = _position(fact.place)
    return {
        "text": fact.text,
        "file": file,
        "line": at_line,
        "column": column,
        "object": str(fact.place.key) if fact.place.key else None,
        "field": show_path(fact.place.path) or None,
    }


def _position(place: Place) -> tuple[str | None, int | None, int | None]:
    at_line, column = place.at or (None, None)
    return place.origin.source if place.origin else None, at_line, column


def patch_json(patch: Patch) -> list[dict[str, Any]]:
    """A patch as RFC 6902 has it."""
    return [_operation(step) for step in patch]


def _operation(step: Operation) -> dict[str, Any]:
    shown: dict[str, Any] = {"op": step.verb, "path": _pointer(step.path)}
    return shown if step.verb == "remove" else {**shown, "value": step.value}


def _pointer(path: FieldPath) -> str:
    """A path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def finding_lines(findings: Sequence[Finding]) -> Iterator[Line]:
    """Findings under a heading for each severity."""
    for severity in Severity:
        of_it = [finding for finding in findings if finding.severity is severity]
        if of_it:
            yield line(Piece(counted(len(of_it), severity.value), SEVERITIES[severity]))
            yield ()
            for finding in of_it:
                yield from _finding(finding)
                yield ()


def _finding(finding: Finding) -> Iterator[Line]:
    role = SEVERITIES[finding.severity]
    code = finding.check.code + (f" {finding.problem}" if finding.problem else "")
    yield line(
        "  ", Piece(_where(finding.place), "strong"), ": ", Piece(code, role), f" {finding.message}"
    )
    for fact in finding.facts:
        place = _written(fact.place)
        yield line(
            "    ", Piece("because ", "faint"), fact.text, Piece(place and f"  {place}", "faint")
        )
    if finding.advice:
        yield line("    ", Piece("advice  ", "faint"), finding.advice)
    if finding.patch:
        yield line("    ", Piece("patch   ", "faint"), f"of {finding.place.key}, as JSON Patch:")
        for text in patch_yaml(finding.patch).splitlines():
            yield line("            ", Piece(text, "good"))


def patch_yaml(patch: Patch) -> str:
    """A patch for people, and for `--patch-file`."""
    return yaml.safe_dump(patch_json(patch), sort_keys=False, allow_unicode=True)


def _where(place: Place) -> str:
    if place.key is None:
        return _written(place) or "pointsman"
    return _written(place) or f"{place.key} {show_path(place.path)}".rstrip()


def _written(place: Place) -> str:
    if place.origin is None or place.at is None:
        return ""
    return f"{place.origin.source}:{place.at[0]}:{place.at[1]}"


def told_findings(findings: Sequence[Finding]) -> Told:
    """Findings in both forms."""
    known: dict[str, Any] = {"findings": [finding_json(finding) for finding in findings]}
    return Told(known, [*finding_lines(findings), summary(findings)])


def summary(findings: Iterable[Finding]) -> Line:
    """`1 error, 2 warnings`, or that there is nothing to find."""
    counts = Counter(finding.severity for finding in findings)
    if not counts:
        return line(Piece("no findings", "good"))
    return line(", ".join(counted(counts[s], s.value) for s in Severity if counts[s]))
