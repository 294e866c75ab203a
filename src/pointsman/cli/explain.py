"""`pointsman explain`: where a request would go, and why not elsewhere."""

from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli import options, output
from pointsman.errors import UsageError

if TYPE_CHECKING:
    from pointsman.app.offline import Offline
    from pointsman.cli.request import Asked
    from pointsman.graph.intent import Intent
    from pointsman.resources.key import Key
    from pointsman.resources.problem import Problem

ROUTE = "GatewayRoute"


def explain(
    paths: options.Paths,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST, ...")],
    url: Annotated[
        str, typer.Argument(metavar="URL", help="http://host:port/path, or /path of localhost.")
    ],
    *,
    header: Annotated[
        list[str],
        typer.Option("-H", "--header", metavar="'NAME: VALUE'", help="A header. Repeatable."),
    ] = [],  # noqa: B006 - typer copies it
    gateway: Annotated[
        str | None, typer.Option("--gateway", metavar="NAME", help="The virtual gateway asked.")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="PORT", help="The gateway's listener asked.")
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="NODE", help="The virtual node whose application sends the request."
        ),
    ] = None,
    var: options.Variables = [],  # noqa: B006
    resolve: options.Resolves = [],  # noqa: B006
    certificate: options.Certificates = [],  # noqa: B006
    authority: options.Authorities = [],  # noqa: B006
    certificates: options.CertificateFile = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Tells where a request would go, and why not elsewhere.

    Decides as Envoy would, from the manifests alone. The URL's port chooses the listener, or
    --port does; its host chooses the virtual host.

    With several targets, percent is each one's part of all such requests. status is there when
    Envoy itself would answer: for gRPC (-H 'content-type: application/grpc') that is HTTP 200
    with the error in grpcStatus. Times are in seconds, and 0 means no limit.

    Examples:
      pointsman explain mesh.yaml GET http://localhost:8088/paths/red
      pointsman explain manifests/ POST /orders?v=2 -H 'tenant: a' -H 'Host: shop.example.com'
      pointsman explain mesh.yaml GET / --json
      pointsman explain mesh/ GET http://color.shop.svc.cluster.local:8080/ --from front

    Exit status: 0 the request was decided, whatever the decision; 2 the command or a path is
    wrong, or there is no gateway to ask.
    """
    from pointsman.app import offline
    from pointsman.app.certificates import read_certificates
    from pointsman.cli.request import choose_listener, parse_request
    from pointsman.graph.intent import decide
    from pointsman.observe.access import reader
    from pointsman.observe.explain import explain_json
    from pointsman.observe.explain_text import explain_lines
    from pointsman.resources.report import problem_json

    asked = parse_request(method, url, header)
    loaded = offline.load(
        paths,
        options.parse_variables(var),
        options.parse_resolves(resolve),
        read_certificates(certificates, certificate, authority),
    )
    if sender is not None:
        _explain_call(loaded, sender, asked, port, url, as_json=as_json, no_color=no_color)
        return
    chosen = offline.find_gateway(loaded.gateways, gateway, "--gateway")
    listener = choose_listener(chosen, port, asked)
    request = asked.at(listener)
    intent = decide(chosen, listener, request)
    problems = _concerned(loaded, intent)
    recognise = reader(loaded.linked.graph)
    if as_json:
        decision = explain_json(intent, request, recognise, loaded.store.place)
        output.write_json({**decision, "problems": [problem_json(item) for item in problems]})
        return
    color = options.wants_color(no_color)
    told = explain_lines(intent, request, url, recognise, loaded.store.place)
    output.write_lines(told, color=color)
    _print_problems(problems, color=color)


def _explain_call(
    loaded: "Offline",
    sender: str,
    asked: "Asked",
    port: int | None,
    url: str,
    *,
    as_json: bool,
    no_color: bool,
) -> None:
    from pointsman.app.offline import find_sidecar
    from pointsman.graph.call import decide_call
    from pointsman.observe.explain_call import call_json, call_keys, call_lines
    from pointsman.resources.report import problem_json

    called = port or asked.port
    if called is None:
        raise UsageError(
            "which port does the application call?", hint="give the whole URL, or --port"
        )
    call = decide_call(find_sidecar(loaded.sidecars, sender), called, asked.request)
    keys = call_keys(call)
    problems = tuple(item for item in loaded.problems if item.key in keys)
    if as_json:
        decision = call_json(call, asked.request)
        output.write_json({**decision, "problems": [problem_json(item) for item in problems]})
        return
    color = options.wants_color(no_color)
    output.write_lines(call_lines(call, asked.request, url), color=color)
    _print_problems(problems, color=color)


def _concerned(loaded: "Offline", intent: "Intent") -> "tuple[Problem, ...]":
    """Problems of the objects on the path, and errors that keep a nearer route from being there."""
    from pointsman.observe.explain import path_keys
    from pointsman.resources.problem import Severity

    keys = path_keys(intent)
    served = _served(loaded)

    def matters(problem: "Problem") -> bool:
        if problem.key in keys:
            return True
        if problem.code.severity is not Severity.ERROR:
            return False
        key = problem.key
        return key is None or intent.rule is None or (key.kind == ROUTE and key not in served)

    return tuple(filter(matters, loaded.problems))


def _served(loaded: "Offline") -> "set[Key]":
    """The gateway routes that requests can meet."""
    return {
        rule.key
        for gateway in loaded.gateways
        for listener in gateway.listeners
        for host in listener.hosts
        for rule in host.rules
    }


def _print_problems(problems: "tuple[Problem, ...]", *, color: bool) -> None:
    from pointsman.observe.lines import line
    from pointsman.observe.problems import problem_lines

    told = list(problem_lines(problems, notes=False))
    if told:
        output.write_lines([line(), *told], color=color)
