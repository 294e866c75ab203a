"""What `pointsman up` prints; on standard error, since access logs go to standard output."""

import shlex
import shutil
import signal
import sys
from collections.abc import Iterable, Iterator
from functools import partial

from pointsman.app.options import UpOptions
from pointsman.app.site import Published
from pointsman.cli import mesh_view
from pointsman.cli.output import write_lines
from pointsman.envoy.node_class import NodeClass
from pointsman.errors import PointsmanError
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.gateway import Gateway, GatewayRule, Listener
from pointsman.graph.model.match import PathKind
from pointsman.observe.lines import Line, Piece, line
from pointsman.observe.problems import problem_lines, summary
from pointsman.proxy.log_lines import LogLine
from pointsman.proxy.supervisor import EventKind, ProxyEvent
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem, Severity

SHOWN_LEVELS = ("error", "critical")


class UpView:
    """Prints for a person.

    Args:
        options: what was asked.
        color: whether to colour, on a terminal.
        notes: whether to show problems that only inform.
    """

    def __init__(self, options: UpOptions, *, color: bool, notes: bool) -> None:
        self._options = options
        self._color = color
        self._notes = notes
        self._shown: frozenset[Problem] = frozenset()
        self._ending = False
        self._nodes: dict[Key, mesh_view.Row] = {}

    def progress(self, what: str) -> None:
        """Something that may take a second has begun."""
        self._say(Piece(f"{what} …", "faint"))

    def serving(self, published: Published) -> None:
        """The first configuration is live."""
        self._problems(published.problems)
        gateways = list(_gateways(published))
        for node_class, gateway in gateways:
            self._gateway(gateway, node_class)
        if gateways and self._options.mesh:
            self._say()
        self._mesh(published)
        if not published.compiled.proxies:
            self._say(Piece("nothing to serve", "warning"), ": no VirtualGateway belongs to a mesh")
        self._hints(published)

    def _mesh(self, published: Published) -> None:
        """Nodes that are new, or whose addresses have changed, and those that are gone."""
        rows = mesh_view.rows(published, self._options)
        fresh = {key: row for key, row in rows.items() if self._nodes.get(key) != row}
        self._write(mesh_view.node_lines(fresh))
        for gone in self._nodes.keys() - rows.keys():
            self._say(f"the proxy of {gone.path} has ended")
        self._nodes = rows

    def _gateway(self, gateway: Gateway, node_class: NodeClass) -> None:
        where = "listens on" if gateway.listeners else "has no listeners, so nothing reaches it"
        self._say(Piece(f"gateway {gateway.key.path}", "good"), f" {where}")
        for listener in gateway.listeners:
            local = node_class.local_port(listener.port)
            rules = sum(1 for _ in listener.rules)
            moved = "" if local == listener.port else f", port {listener.port} in the manifest"
            self._say(
                "  ",
                Piece(f"{_scheme(listener)}://{self._host()}:{local}", "name"),
                f"  ({rules} gateway route{'' if rules == 1 else 's'}{moved})",
            )

    def _hints(self, published: Published) -> None:
        found = next(self._reachable(published), None)
        program, where = _program(), shlex.join(self._options.paths)
        self._say()
        if found is not None:
            address, listener, rule = found
            method, path = rule.match.method or "GET", rule.match.path.value
            self._say("try it:      ", Piece(_curl(address, listener, rule), "strong"))
            host = "localhost" if str(rule.domain) == "*" else _host_of(rule)
            url = f"{_url_scheme(listener)}://{host}:{listener.port}{path}"
            self._say(f"why there:   {program} explain {where} {method} {shlex.quote(url)}")
        self._write(mesh_view.call_lines(published, self._options))
        self._say(f"how it is:   {program} status")
        self._say(Piece("Edit the files: what you save is live. Ctrl-C ends.", "faint"))

    def _reachable(self, published: Published) -> Iterator[tuple[str, Listener, GatewayRule]]:
        """Rules that curl can reach, with the address to ask."""
        for node_class, gateway in _gateways(published):
            for listener in gateway.listeners:
                if listener.protocol == "grpc":
                    continue
                port = node_class.local_port(listener.port)
                for rule in listener.rules:
                    if rule.match.path.kind is not PathKind.REGEX:
                        yield f"{self._host()}:{port}", listener, rule

    def changed(self, published: Published) -> None:
        """A change is live, or was held back."""
        self._problems(published.problems)
        self._mesh(published)
        names = ", ".join(published.sources[:3])
        more = len(published.sources) - 3
        if published.rejected:
            state = Piece("partly rejected by Envoy; what worked keeps serving", "error")
        elif published.seconds is None:
            state = Piece("sent, but not every proxy has answered yet", "warning")
        elif any(map(partial(_is_error_in, published.sources), published.problems)):
            state = Piece("live except what has errors, which serves as before", "error")
        else:
            state = Piece(f"live after {published.seconds * 1000:.0f} ms", "good")
        self._say(f"{names}{f' and {more} more' if more > 0 else ''}: ", state)

    def failed(self, error: PointsmanError) -> None:
        """A change could not be made live, or not wholly."""
        self._say(Piece("the change is not live", "error"), f": {error}")
        if error.hint:
            self._say(Piece("  hint: ", "faint"), error.hint)

    def _problems(self, problems: Iterable[Problem]) -> None:
        visible = [
            problem
            for problem in problems
            if self._notes or problem.code.severity is not Severity.NOTE
        ]
        fresh = [problem for problem in visible if problem not in self._shown]
        self._write(problem_lines(fresh, notes=True))
        if fresh:
            self._write([summary(visible, notes=True)])
        elif self._shown and not visible:
            self._say(Piece("no problems any more", "good"))
        self._shown = frozenset(visible)

    def envoy_said(self, proxy: Key, entry: LogLine) -> None:
        """A line of an Envoy's log."""
        if entry.level in SHOWN_LEVELS and not self._ending:
            self._say(Piece(f"Envoy of {proxy.path}: {entry.text}", "faint"))

    def envoy_did(self, proxy: Key, event: ProxyEvent) -> None:
        """An Envoy started, crashed or stopped."""
        if event.kind not in (EventKind.CRASHED, EventKind.RESTART_FAILED):
            return
        again = "" if event.restart_in_s is None else f", starts again in {event.restart_in_s:g} s"
        self._say(Piece(f"Envoy of {proxy.path} {event.kind}{again}", "error"))
        if event.text:
            self._say(f"  {event.text}")

    def envoy_logged(self, proxy: Key, text: str) -> None:
        """A line of an Envoy's access log."""
        write_lines([line(Piece(f"{proxy.path} | ", "name"), text)], color=self._color)
        sys.stdout.flush()

    def application_said(self, node: Key, text: str) -> None:
        """A line that an application wrote."""
        self._say(Piece(f"{node.path}: ", "name"), text)

    def application_not_there(self, node: Key, addresses: tuple[Address, ...]) -> None:
        """An application does not listen where it was asked to."""
        where = ", ".join(map(str, addresses))
        self._say(
            Piece(f"the application of {node.path} does not listen on {where} yet", "warning")
        )
        hint = "the variable PORT tells it; where it listens elsewhere, say so by ports in --apps"
        self._say(Piece("  hint: ", "faint"), hint)

    def application_ended(self, node: Key, status: int) -> None:
        """An application ended by itself."""
        how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        self._say(Piece(f"the application of {node.path} has ended {how}", "error"))

    def draining(self) -> None:
        """The end has begun."""
        self._ending = True
        self._say()
        self._say("ending: nothing new is accepted, requests in flight may finish …")

    def stopped(self, unfinished: int) -> None:
        """Everything has ended."""
        if unfinished:
            self._say(Piece(f"{unfinished} requests were cut off", "warning"))
        self._say("ended")

    def _host(self) -> str:
        bind = self._options.bind
        if bind in ("0.0.0.0", "::"):
            return "localhost"
        return f"[{bind}]" if ":" in bind else bind

    def _say(self, *pieces: str | Piece) -> None:
        self._write([line(*pieces)])

    def _write(self, lines: Iterable[Line]) -> None:
        write_lines(lines, color=self._color, stream=sys.stderr)
        sys.stderr.flush()


def _gateways(published: Published) -> Iterator[tuple[NodeClass, Gateway]]:
    for node_class, proxy in published.compiled.proxies.items():
        if isinstance(proxy, Gateway):
            yield node_class, proxy


def _is_error_in(sources: tuple[str, ...], problem: Problem) -> bool:
    origin = problem.origin
    is_error = problem.code.severity is Severity.ERROR
    return is_error and origin is not None and origin.source in sources


def _scheme(listener: Listener) -> str:
    return _url_scheme(listener) if listener.protocol == "http" else listener.protocol


def _url_scheme(listener: Listener) -> str:
    """The scheme that certainly works: a PERMISSIVE listener takes http, too."""
    return "https" if listener.tls is not None and listener.tls.mode == "STRICT" else "http"


def _curl(address: str, listener: Listener, rule: GatewayRule) -> str:
    words = ["curl"]
    scheme = _url_scheme(listener)
    if scheme == "https":
        words.append("--insecure")
    elif listener.protocol == "http2":
        words.append("--http2-prior-knowledge")
    if str(rule.domain) != "*":
        words.append(f"-H {shlex.quote(f'host: {_host_of(rule)}')}")
    if rule.match.method not in (None, "GET"):
        words.append(f"-X {rule.match.method}")
    url = f"{scheme}://{address}{rule.match.path.value}"
    return " ".join([*words, shlex.quote(url)])


def _host_of(rule: GatewayRule) -> str:
    """A host the rule serves."""
    return str(rule.domain).replace("*", "any")


def _program() -> str:
    """How this command was called, so that what is shown can be pasted."""
    return "pointsman" if shutil.which("pointsman") else sys.argv[0]
