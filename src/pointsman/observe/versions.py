"""Versions of APIs, and who still calls them: what `/v1/versions` carries and people read."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic.dataclasses import dataclass

from pointsman.graph.model.version import ApiVersion
from pointsman.observe.lines import Line, Piece, line, table
from pointsman.observe.numbers import rate
from pointsman.observe.travel import TRAVELS, Form
from pointsman.resources.words import span


@dataclass(frozen=True, slots=True, kw_only=True, config=TRAVELS)
class CallerUse:
    """Somebody who calls a version.

    Attributes:
        caller: the consumer as `namespace/name`, or the address of a client nobody knows.
        requests: how many there were since the instance started.
        last: when the latest one came, in seconds since 1970.
    """

    caller: str
    requests: int
    last: float


@dataclass(frozen=True, slots=True, kw_only=True, config=TRAVELS)
class VersionUse:
    """A version and its use.

    Attributes:
        policy: the VersionPolicy, as `namespace/name`.
        version: its name.
        stage: `current`, `deprecated` or `retired`.
        routes: the gateway routes that serve it.
        deprecated: since when, in seconds since 1970.
        sunset: from when on it may be gone, likewise.
        requests: how many there were in the time that was asked for, by what proxies counted.
        callers: who called, those with most requests first; of versions that are neither
            deprecated nor retired nobody keeps that.
    """

    policy: str
    version: str
    stage: str
    routes: tuple[str, ...]
    deprecated: int | None = None
    sunset: int | None = None
    requests: int = 0
    callers: tuple[CallerUse, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=TRAVELS)
class VersionReport:
    """All versions; `over` is the seconds their requests are of."""

    over: float
    versions: tuple[VersionUse, ...] = ()


_FORM = Form(VersionReport)
report_json = _FORM.json
parse_report = _FORM.parse


def version_json(version: ApiVersion | None) -> Mapping[str, Any] | None:
    """What `explain` tells of a version."""
    if version is None:
        return None
    return {
        "name": version.name,
        "policy": version.policy.path,
        "stage": version.stage.value,
        "deprecated": _moment(version.deprecated_s),
        "sunset": _moment(version.sunset_s),
    }


def version_words(version: ApiVersion) -> str:
    """The same in words: `version v1 of shop/orders-v1, deprecated since 2026-01-01`."""
    words = [f"version {version.name} of {version.policy.path}"]
    return ", ".join([*words, *_life(version.deprecated_s, version.sunset_s, version.retired)])


def _life(deprecated: int | None, sunset: int | None, retired: bool) -> Iterator[str]:
    if retired:
        yield "retired"
    if deprecated is not None:
        yield f"deprecated from {_day(deprecated)}"
    if sunset is not None:
        yield f"may be gone from {_day(sunset)}"


def report_lines(report: VersionReport, now: float) -> Iterator[Line]:
    """The report for people, at a moment in seconds since 1970."""
    if not report.versions:
        yield line("  no gateway route says which version it serves")
        return
    head = ("VERSION", "POLICY", "STAGE", "REQ/S", "SUNSET", "CALLED BY")
    yield from table(head, [_cells(item, report.over, now) for item in report.versions])


def _cells(item: VersionUse, over: float, now: float) -> tuple[str, ...]:
    due = item.sunset is not None and item.sunset <= now and item.stage != "retired"
    sunset = "-" if item.sunset is None else _day(item.sunset) + (" (past)" if due else "")
    return (
        item.version,
        item.policy,
        item.stage,
        rate(item.requests / over),
        sunset,
        _callers(item.callers, now) if item.stage != "current" else "not kept",
    )


def _callers(callers: Iterable[CallerUse], now: float) -> str:
    found = [f"{item.caller} {item.requests} ({span(now - item.last)} ago)" for item in callers]
    return ", ".join(found) or "nobody"


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _moment(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def version_line(version: ApiVersion) -> Line:
    """A line of `explain`."""
    return line("  ", Piece(version_words(version), "name"))
