"""Where the time of a request went, as text bars."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pointsman.observe.lines import Line, Piece, line
from pointsman.observe.requests import milliseconds
from pointsman.telemetry.requests import Request

WIDTH: Final = 32
"""Characters of the whole time."""
_NAME: Final = 27


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a request's time, in ms since its first byte."""

    name: str
    start: float
    end: float


def spans(request: Request) -> tuple[Span, ...]:
    """What is known of a request's time; parts of it may overlap."""
    return tuple(span for span in _spans(request) if span.end >= span.start)


def _spans(request: Request) -> Iterator[Span]:
    at = request.phases
    if at.request is not None:
        yield Span("request comes in", 0.0, at.request)
    if at.sent is not None:
        connect = min(at.connect or 0.0, at.sent)
        before = "filters, route" if request.tries < 2 else "filters, route, other tries"
        yield Span(before, 0.0, at.sent - connect)
        if connect:
            yield Span("connect to endpoint", at.sent - connect, at.sent)
    if at.sent is not None and at.sent_whole is not None:
        yield Span("request goes on", at.sent, at.sent_whole)
    worked = at.sent_whole if at.sent_whole is not None else at.sent
    if worked is not None:
        end = at.answered if at.answered is not None else request.duration
        yield Span("endpoint works" if at.answered is not None else "no answer", worked, end)
    if at.answered is not None and at.answered_whole is not None:
        yield Span("response comes in", at.answered, at.answered_whole)
    if at.returned is not None and at.returned_whole is not None:
        yield Span("response goes back", at.returned, at.returned_whole)


def spans_json(request: Request) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {"name": item.name, "startMs": round(item.start, 3), "endMs": round(item.end, 3)}
        for item in spans(request)
    ]


def waterfall(request: Request) -> Iterator[Line]:
    """One bar a part."""
    for item in spans(request):
        bar = _bar(item, max(request.duration, item.end))
        length = milliseconds(item.end - item.start)
        yield line(f"  {item.name:<{_NAME}} ", Piece(bar, "note"), f" {length:>9}")


def _bar(item: Span, whole: float) -> str:
    if not whole:
        return " " * WIDTH
    first = min(int(WIDTH * item.start / whole), WIDTH - 1)
    last = max(first + 1, round(WIDTH * item.end / whole))
    return (" " * first + "█" * (last - first)).ljust(WIDTH)[:WIDTH]
