"""`pointsman explain`: where a request would go, and why not elsewhere."""

from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli import options, output
from pointsman.errors import UsageError

if TYPE_CHECKING:
    from pointsman.app.explained import Question
    from pointsman.observe.told import Told


def explain(
    *,
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Files or folders of manifests; not with --live."),
    ] = [],  # noqa: B006 - typer copies it
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST, ...")],
    url: Annotated[
        str, typer.Argument(metavar="URL", help="http://host:port/path, or /path of localhost.")
    ],
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
    live: Annotated[
        bool, typer.Option("--live", help="Asks the running instance instead of files.")
    ] = False,
    instance: options.InstanceId = None,
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
      pointsman explain --live GET http://localhost:8088/paths/red
      pointsman explain mesh/ GET http://color.shop.svc.cluster.local:8080/ --from front

    Exit status: 0 the request was decided, whatever the decision; 2 the command or a path is
    wrong, or there is no gateway to ask; 4 there is no running instance, or it does not answer.
    """
    from pointsman.app.explained import Manifests, Question, explained
    from pointsman.cli.request import parse_request

    if not paths and not live:
        raise UsageError(
            "there are no manifests to ask",
            hint="pointsman explain PATH... METHOD URL, or --live to ask the running instance",
        )
    question = Question(parse_request(method, url, header), url, gateway, port, sender)
    if live:
        told = _asked_live(paths, question, instance)
    else:
        from pointsman.app import offline
        from pointsman.app.certificates import read_certificates

        loaded = offline.load(
            paths,
            options.parse_variables(var),
            options.parse_resolves(resolve),
            read_certificates(certificates, certificate, authority),
        )
        told = explained(Manifests(loaded.linked.graph, loaded.store, loaded.problems), question)
    if as_json:
        output.write_json(told.known)
    else:
        output.write_lines(told.lines, color=options.wants_color(no_color))


def _asked_live(paths: list[str], question: "Question", instance: int | None) -> "Told":
    from pointsman.api.client import Client
    from pointsman.api.instances import find_instance
    from pointsman.settings import read_settings

    if paths:
        raise UsageError(
            "--live asks the running instance, which has its own manifests", hint="leave out PATH"
        )
    with Client(find_instance(read_settings().runtime_folder, instance)) as client:
        return client.explain(question.json())
