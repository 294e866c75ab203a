"""The traffic of a running instance: what `/v1/traffic` carries and `pointsman top` shows."""

from collections.abc import Iterator
from typing import Final, Literal

from pydantic.dataclasses import dataclass

from pointsman.envoy.stats import Scope
from pointsman.observe.lines import Line, Piece, line, table
from pointsman.observe.numbers import rate, share, time
from pointsman.observe.travel import TRAVELS, Form
from pointsman.telemetry.connections import Connections
from pointsman.telemetry.traffic import Traffic, add_up
from pointsman.telemetry.window import WINDOW_S, Selector, Subject, Window

By = Literal["gateway", "node", "route", "service", "consumer"]
"""What there is a row for; `gateway` is every proxy."""
WAYS: Final[tuple[By, ...]] = ("gateway", "node", "route", "service", "consumer")
_CONNECTED: Final[tuple[By, ...]] = ("gateway", "node")
"""Those of which open connections are known."""
REST: Final = "(others)"
"""The row of those for which there was no room, or whose service cannot be told."""
_SCOPES: Final[dict[By, Scope]] = {
    "gateway": Scope.PROXY,
    "node": Scope.NODE,
    "route": Scope.ROUTE,
    "service": Scope.ROUTE,
    "consumer": Scope.CONSUMER,
}


@dataclass(frozen=True, slots=True, kw_only=True, config=TRAVELS)
class TrafficRow:
    """The traffic of one thing.

    Attributes:
        name: of the thing.
        proxy: who counted, as `namespace/name`; "" for several.
        requests: answered meanwhile.
        classes: the same by class of status: 1xx, 2xx, 3xx, 4xx, 5xx.
        causes: why requests failed, or what was done about it; only what happened.
        p50: time in ms within which half of them were done; None without any.
        p90: the same of nine in ten.
        p99: the same of 99 in a hundred.
        connections: open now; None where that is not known.
    """

    name: str
    proxy: str = ""
    requests: int = 0
    classes: tuple[int, ...] = ()
    causes: dict[str, int]
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    connections: int | None = None

    @property
    def failures(self) -> int:
        """Requests answered 5xx."""
        return self.classes[4] if len(self.classes) > 4 else 0


@dataclass(frozen=True, slots=True, kw_only=True, config=TRAVELS)
class TrafficReport:
    """The traffic of an instance.

    Attributes:
        by: what there is a row for.
        over: seconds the numbers are of.
        rows: those with most requests first; without any only what has open connections.
    """

    by: By
    over: float
    rows: tuple[TrafficRow, ...] = ()


_FORM = Form(TrafficReport)
traffic_json = _FORM.json
parse_traffic = _FORM.parse


def traffic_report(
    window: Window, connections: Connections, by: By, over: float, now: float
) -> TrafficReport:
    """The traffic of the seconds before `now`, at most those the window has."""
    over = min(over, WINDOW_S)
    groups: dict[tuple[str, str], tuple[list[Subject], list[tuple[int, ...]]]] = {}
    for subject, traffic in window.rows(Selector(_SCOPES[by]), now - over, now):
        subjects, numbers = groups.setdefault(_name(by, subject), ([], []))
        subjects.append(subject)
        numbers.append(traffic.numbers)
    open_now = connections.by_subject(now) if by in _CONNECTED else {}
    rows = []
    for (name, proxy), (subjects, numbers) in groups.items():
        count = sum(open_now.get(subject, 0) for subject in subjects)
        traffic = add_up(numbers)
        if any(traffic.numbers) or count:
            known = count if by in _CONNECTED else None
            rows.append(_row(name, proxy, traffic, known))
    rows.sort(key=lambda row: (-row.requests, row.name, row.proxy))
    return TrafficReport(by=by, over=over, rows=tuple(rows))


def _name(by: By, subject: Subject) -> tuple[str, str]:
    """The row's name, and the proxy where rows are of one each."""
    proxy = "" if subject.proxy is None else subject.proxy.path
    match by:
        case "gateway":
            return proxy or REST, ""
        case "node":
            return (REST if subject.node is None else subject.node.path), ""
        case "route":
            return subject.route or REST, proxy
        case "service":
            return (REST if subject.service is None else subject.service.path), ""
        case "consumer":
            return subject.consumer or REST, ""


def _row(name: str, proxy: str, traffic: Traffic, connections: int | None) -> TrafficRow:
    latency = traffic.latency
    return TrafficRow(
        name=name,
        proxy=proxy,
        requests=traffic.requests,
        classes=traffic.classes,
        causes={cause.name.lower(): count for cause, count in traffic.causes.items()},
        p50=latency.quantile(0.5),
        p90=latency.quantile(0.9),
        p99=latency.quantile(0.99),
        connections=connections,
    )


def traffic_lines(report: TrafficReport) -> Iterator[Line]:
    """The report for people: rates over its time, and what went wrong in it."""
    if not report.rows:
        yield line("  no requests in the last ", f"{report.over:g} s")
        if report.by == "consumer":
            yield line("  consumers are counted where a TelemetryPolicy has `consumers: true`")
        return
    head = (report.by.upper(), "REQ/S", "4XX", "5XX", "P50", "P90", "P99", "OPEN", "WHAT HAPPENED")
    cells = [_cells(row, report.over) for row in report.rows]
    lines = table(head, cells)
    yield lines[0]
    for row, drawn in zip(report.rows, lines[1:], strict=True):
        bad = row.failures > 0
        yield (drawn[0], Piece(drawn[1].text, "error")) if bad else drawn


def _cells(row: TrafficRow, over: float) -> tuple[str, ...]:
    return (
        f"{row.name} by {row.proxy}" if row.proxy else row.name,
        rate(row.requests / over),
        share(row.classes[3], row.requests) if row.classes else "-",
        share(row.failures, row.requests),
        *(time(value) for value in (row.p50, row.p90, row.p99)),
        "-" if row.connections is None else str(row.connections),
        ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in row.causes.items()) or "-",
    )
