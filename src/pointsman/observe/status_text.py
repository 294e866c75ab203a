"""The status of a running instance, as `pointsman status` shows it to people."""

from collections.abc import Iterator
from datetime import UTC, datetime

from pointsman.observe.lines import Line, Piece, Role, line, table
from pointsman.observe.status import GatewayStatus, ProblemStatus, ProxyStatus, Status


def status_lines(status: Status) -> Iterator[Line]:
    """What runs, how far its proxies are, and what is wrong."""
    yield line(
        Piece(f"pointsman {status.version}", "strong"),
        f" (process {status.pid}, since {_moment(status.since)}) serves {' '.join(status.paths)}",
    )
    for gateway in status.gateways:
        yield line()
        yield from _gateway(gateway)
    if not status.gateways:
        yield line("  there is no virtual gateway to serve")
    yield line()
    yield from _problems(status.problems)


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _gateway(gateway: GatewayStatus) -> Iterator[Line]:
    where = ", ".join(listener.address for listener in gateway.listeners) or "nothing"
    envoy = "no Envoy runs" if gateway.pid is None else f"Envoy is process {gateway.pid}"
    yield line("virtual gateway ", Piece(gateway.gateway, "name"), f" listens on {where}; {envoy}")
    counted = ", ".join(f"{count} {kind}" for kind, count in gateway.resources.items())
    yield line(f"  version {gateway.version or 'none yet'} ({counted or 'no resources'})")
    if not gateway.proxies:
        yield line("  ", Piece("no proxy is connected", "warning"))
        return
    rows = [_row(proxy) for proxy in gateway.proxies]
    yield from table(("PROXY", "STATE", "SENT", "ACKED", "NACKED", "SINCE"), rows)
    for proxy in gateway.proxies:
        for item in proxy.types:
            if item.error:
                yield line(
                    "  ", Piece(f"{proxy.node} rejects {item.type}", "error"), ": ", item.error
                )


def _row(proxy: ProxyStatus) -> tuple[str, ...]:
    """Types of resources that were sent, that are accepted, and that are rejected."""
    sent = [item for item in proxy.types if item.sent]
    acked = sum(item.sent == item.acked for item in sent)
    nacked = sum(bool(item.error) for item in sent)
    counts = (f"{len(sent)} types", str(acked), str(nacked))
    return proxy.node, proxy.state, *counts, _moment(proxy.since)


_ROLES: dict[str, Role] = {"error": "error", "warning": "warning", "note": "note"}


def _problems(problems: tuple[ProblemStatus, ...]) -> Iterator[Line]:
    told = [problem for problem in problems if problem.severity != "note"]
    if not told:
        yield line(Piece("no problems", "good"))
    for problem in told:
        name = Piece(f"{problem.severity} {problem.code}", _ROLES.get(problem.severity, ""))
        yield line(Piece(_where(problem), "strong"), ": ", name, f": {problem.message}")


def _where(problem: ProblemStatus) -> str:
    if problem.file is None:
        return problem.object or "pointsman"
    place = (problem.file, problem.line, problem.column)
    return ":".join(str(part) for part in place if part is not None)
