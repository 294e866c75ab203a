"""What `pointsman up` prints; on standard error, since access logs go to standard output."""

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape

from pointsman.app.instance import Published
from pointsman.app.options import UpOptions
from pointsman.graph.model.gateway import Gateway, GatewayRule, Listener
from pointsman.graph.model.match import PathKind
from pointsman.observe.problems import count_line, problem_lines
from pointsman.proxy.log_lines import LogLine
from pointsman.proxy.supervisor import EventKind, ProxyEvent
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem, Severity

SHOWN_LEVELS = ("warning", "error", "critical")
QUIET = ("Admin", "main")


class UpView:
    """Prints for a person.

    Args:
        options: what was asked.
        color: whether to colour.
        notes: whether to show problems that only inform.
    """

    def __init__(self, options: UpOptions, *, color: bool, notes: bool) -> None:
        self._options = options
        self._notes = notes
        self._console = Console(
            stderr=True, no_color=not color, highlight=False, soft_wrap=True, emoji=False
        )
        self._shown: frozenset[Problem] = frozenset()
        self._ending = False

    def progress(self, what: str) -> None:
        """Something that may take a second has begun."""
        self._console.print(f"[dim]{what} …[/dim]")

    def serving(self, published: Published) -> None:
        """The first configuration is live."""
        self._problems(published.problems)
        for node_class, gateway in published.gateways.items():
            self._gateway(gateway, dict(node_class.ports))
        if not published.gateways:
            self._say("[yellow]nothing to serve:[/yellow] there is no VirtualGateway in a mesh")
        self._hints(published)

    def _gateway(self, gateway: Gateway, ports: dict[int, int]) -> None:
        self._say(f"[bold green]gateway {escape(gateway.key.path)}[/bold green] serves")
        for listener in gateway.listeners:
            local = ports.get(listener.port, listener.port)
            rules = sum(len(host.rules) for host in listener.hosts)
            moved = "" if local == listener.port else f" (port {listener.port} in the manifest)"
            self._say(
                f"  [cyan]{_scheme(listener)}://{self._host()}:{local}[/cyan]{moved}, "
                f"{rules} gateway route{'s' * (rules != 1)}"
            )

    def _hints(self, published: Published) -> None:
        tried = next(
            (
                (node_class, listener, rule)
                for node_class, gateway in published.gateways.items()
                for listener in gateway.listeners
                for host in listener.hosts
                for rule in host.rules
                if rule.match.path.kind is not PathKind.REGEX and listener.protocol == "http"
            ),
            None,
        )
        if tried is not None:
            node_class, listener, rule = tried
            port = node_class.local_port(listener.port)
            self._say(f"\ntry   [bold]{escape(_curl(self._host(), port, rule))}[/bold]")
        where = " ".join(self._options.paths)
        self._say(f"why   pointsman explain {escape(where)} GET /PATH")
        self._say("state pointsman status")
        self._say("[dim]edit the files and save: changes apply live. Ctrl-C ends.[/dim]")

    def changed(self, published: Published) -> None:
        """A change is live, or was held back."""
        self._problems(published.problems)
        names = ", ".join(published.sources[:3])
        more = len(published.sources) - 3
        names += f" and {more} more" if more > 0 else ""
        if published.rejected:
            what = "[red]partly rejected by Envoy; what worked keeps serving[/red]"
        elif published.seconds is None:
            what = "[yellow]sent; not every proxy has answered yet[/yellow]"
        else:
            what = f"[green]live after {published.seconds * 1000:.0f} ms[/green]"
        self._say(f"{escape(names)}: {what}")

    def _problems(self, problems: Iterable[Problem]) -> None:
        visible = [
            problem
            for problem in problems
            if self._notes or problem.code.severity is not Severity.NOTE
        ]
        fresh = [problem for problem in visible if problem not in self._shown]
        for problem in fresh:
            for line in problem_lines(problem):
                self._console.print(line)
        mended = len(self._shown - frozenset(visible))
        if mended:
            self._say(f"[green]{mended} problem{'s' * (mended != 1)} mended[/green]")
        if fresh:
            self._console.print(count_line(visible))
        self._shown = frozenset(visible)

    def envoy_said(self, gateway: Key, line: LogLine) -> None:
        """A line of an Envoy's log."""
        if line.level in SHOWN_LEVELS and line.logger not in QUIET and not self._ending:
            self._say(f"[dim]envoy {escape(gateway.path)}: {escape(line.text)}[/dim]")

    def envoy_did(self, gateway: Key, event: ProxyEvent) -> None:
        """An Envoy started, crashed or stopped."""
        if event.kind in (EventKind.CRASHED, EventKind.RESTART_FAILED):
            again = (
                "" if event.restart_in_s is None else f"; starting again in {event.restart_in_s:g} s"
            )
            self._say(f"[red]Envoy of {escape(gateway.path)} {event.kind}{again}[/red]")
            if event.text:
                self._say(f"  {escape(event.text)}")

    def draining(self) -> None:
        """The end has begun."""
        self._ending = True
        self._say("\nending: no new connections; requests in flight may finish …")

    def stopped(self, unfinished: int) -> None:
        """Everything has ended."""
        if unfinished:
            self._say(f"[yellow]{unfinished} requests were cut off[/yellow]")
        self._say("ended")

    def _host(self) -> str:
        bind = self._options.bind
        if bind in ("0.0.0.0", "::"):
            return "localhost"
        return f"[{bind}]" if ":" in bind else bind

    def _say(self, text: str) -> None:
        self._console.print(text)


def _scheme(listener: Listener) -> str:
    return {"grpc": "grpc", "http2": "http2"}.get(listener.protocol, "http")


def _curl(host: str, port: int, rule: GatewayRule) -> str:
    path = rule.match.path.value
    words = ["curl"]
    if str(rule.domain) != "*":
        words += ["-H", f"'host: {str(rule.domain).replace('*', 'any')}'"]
    if rule.match.method not in (None, "GET"):
        words += ["-X", str(rule.match.method)]
    return " ".join([*words, f"http://{host}:{port}{path}"])
