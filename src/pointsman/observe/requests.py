"""A recorded request as one line for people."""

from datetime import datetime, tzinfo

from pointsman.observe.lines import Line, Piece, Role, line
from pointsman.telemetry.requests import Request


def request_line(request: Request, zone: tzinfo | None = None) -> Line:
    """When, how it ended, what was asked, where it went, how long it took, who, and its id.

    Args:
        request: the record.
        zone: of the time; the machine's own when None.
    """
    moment = datetime.fromtimestamp(request.start, zone)
    asked = f"{request.method or '?'} {request.authority}{request.path}"
    return line(
        Piece(f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}", "faint"),
        "  ",
        Piece(f"{request.status or '-':<3}", _role(request)),
        f" {','.join(request.flags) or '-':<5} ",
        Piece(request.proxy, "name"),
        f"  {asked}  ",
        f"{_way(request)}  {milliseconds(request.duration)}",
        f"  {request.consumer}" if request.consumer else "",
        "  ",
        Piece(request.id or "-", "faint"),
    )


def milliseconds(value: float) -> str:
    """A length of time, as exact as it matters."""
    if value >= 10_000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def status_piece(request: Request) -> Piece:
    """The status with the response flags."""
    flags = f" {','.join(request.flags)}" if request.flags else ""
    return Piece(f"{request.status or 'not at all'}{flags}", _role(request))


def _role(request: Request) -> Role:
    if request.status >= 500 or request.status == 0:
        return "error"
    return "warning" if request.is_notable else "good"


def _way(request: Request) -> str:
    route = request.route or "no route"
    if not request.target:
        return route
    tries = f" in {request.tries} tries" if request.tries > 1 else ""
    return f"{route} → {request.target}{tries}"
