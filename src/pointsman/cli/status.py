"""`pointsman status`: how a running instance is doing."""

from typing import Annotated

import typer

from pointsman.cli import options, output


def status(
    instance: Annotated[
        int | None,
        typer.Option("--instance", metavar="PID", help="The instance, when several run."),
    ] = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Shows how a running instance is doing.

    Its proxies with the version each of them has, what they accepted (ACKS) and rejected
    (NACKS), and the problems of its manifests.

    Examples:
      pointsman status
      pointsman status --instance 4711 --json

    Exit status: 0 it answered; 2 the command is wrong; 4 there is no running instance,
    or it does not answer.
    """
    from pointsman.api.client import Client, find_instance
    from pointsman.observe.status import status_json, status_lines
    from pointsman.settings import read_settings

    path = find_instance(read_settings().runtime_folder, instance)
    with Client(path) as client:
        answer = client.status()
    if as_json:
        output.write_json(status_json(answer))
    else:
        output.write_lines(status_lines(answer), color=options.wants_color(no_color))
