"""How a running instance is doing: what `/v1/status` carries and `pointsman status` shows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from pydantic.dataclasses import dataclass

from pointsman.observe.lines import SEVERITIES, Line, Piece, line, table
from pointsman.observe.travel import TRAVELS, Form
from pointsman.resources.codes.delivery import FOLLOWS, HOLDS

_SAID: Final = {HOLDS.id: "held", FOLLOWS.id: "elsewhere"}
"""Notes that are told after everything else, for they explain what is in force."""


@dataclass(frozen=True, slots=True, kw_only=True, config=TRAVELS)
class TypeStatus:
    """How far a proxy is with one type of resource.

    Attributes:
        type: short name of the type, such as `cluster`.
        resources: how many resources of the type are meant for the proxy.
        acks: answers it has accepted.
        nacks: answers it has rejected.
        synced: whether it has accepted the newest answer.
        error: Envoy's words on the newest rejection; "" once it accepts again.
    """

    type: str
    resources: int = 0
    acks: int = 0
    nacks: int = 0
    synced: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, config=TRAVELS)
class ProxyStatus:
    """A connected proxy.

    Attributes:
        node: its node id.
        gateway: the virtual gateway, or the virtual node, as `namespace/name`.
        version: version of the snapshot meant for it.
        envoy: version of its Envoy; "" when it does not tell.
        wire: `delta` or `sotw`.
        since: when it connected, in seconds since the epoch.
        addresses: what it listens on, as `host:port`.
        types: progress by type.
    """

    node: str
    gateway: str
    version: str = ""
    envoy: str = ""
    wire: str = ""
    since: float = 0.0
    addresses: tuple[str, ...] = ()
    types: tuple[TypeStatus, ...] = ()

    @property
    def acks(self) -> int:
        """Answers accepted, over all types."""
        return sum(item.acks for item in self.types)

    @property
    def nacks(self) -> int:
        """Answers rejected, over all types."""
        return sum(item.nacks for item in self.types)

    @property
    def state(self) -> str:
        """`rejecting`, `synced` or `waiting`."""
        if any(item.error for item in self.types):
            return "rejecting"
        return "synced" if self.types and all(item.synced for item in self.types) else "waiting"


@dataclass(frozen=True, slots=True, kw_only=True, config=TRAVELS)
class ProblemStatus:
    """A problem as `resources.report.problem_json` gives it."""

    code: str
    severity: str
    message: str
    hint: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    object: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=TRAVELS)
class Status:
    """A running instance.

    Attributes:
        pid: its process.
        version: of Pointsman.
        since: when it started, in seconds since the epoch.
        paths: the manifests it serves.
        proxies: connected proxies.
        problems: what is wrong with the manifests now, and what proxies reject.
    """

    pid: int
    version: str
    since: float = 0.0
    paths: tuple[str, ...] = ()
    proxies: tuple[ProxyStatus, ...] = ()
    problems: tuple[ProblemStatus, ...] = ()


_FORM = Form(Status)
status_json = _FORM.json
parse_status = _FORM.parse


def status_lines(status: Status) -> Iterator[Line]:
    """The status for people."""
    yield line(
        Piece(f"pointsman {status.version}", "strong"),
        f", process {status.pid}{_since(status.since)}, serves {', '.join(status.paths)}",
    )
    yield line()
    if status.proxies:
        yield from table(
            ("PROXY", "STATE", "VERSION", "ACKS", "NACKS", "ENVOY", "ADDRESSES"),
            [_row(proxy) for proxy in status.proxies],
        )
    else:
        yield line("  no proxy is connected")
    for proxy in status.proxies:
        yield from _rejections(proxy)
    yield line()
    yield from _problems(status.problems)
    for problem in status.problems:
        if problem.code in _SAID:
            yield line(Piece(_SAID[problem.code], "note"), f": {problem.message}")


def _since(moment: float) -> str:
    if not moment:
        return ""
    return f", up since {datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _row(proxy: ProxyStatus) -> tuple[str, ...]:
    return (
        proxy.node,
        proxy.state,
        proxy.version or "-",
        str(proxy.acks),
        str(proxy.nacks),
        proxy.envoy or "-",
        ", ".join(proxy.addresses) or "-",
    )


def _rejections(proxy: ProxyStatus) -> Iterator[Line]:
    for item in proxy.types:
        if item.error:
            yield line("  ", Piece(f"{proxy.node} rejects {item.type}", "error"), f": {item.error}")


def _problems(problems: tuple[ProblemStatus, ...]) -> Iterator[Line]:
    told = [problem for problem in problems if problem.severity != "note"]
    if not told:
        yield line(Piece("no problems", "good"))
    for problem in told:
        role = SEVERITIES.get(problem.severity, "")
        name = Piece(f"{problem.severity} {problem.code}", role)
        yield line(Piece(_where(problem), "strong"), ": ", name, f": {problem.message}")


def _where(problem: ProblemStatus) -> str:
    if problem.file is None:
        return problem.object or "pointsman"
    place = (problem.file, problem.line, problem.column)
    return ":".join(str(part) for part in place if part is not None)
