"""`pointsman status`: how a running instance is doing."""

from typing import Annotated

import typer

from pointsman.cli import options, output
from pointsman.cli.admin import administering


def status(
    instance: Annotated[
        int | None,
        typer.Option("--instance", metavar="PID", help="The instance, when several run."),
    ] = None,
    objects: Annotated[
        bool, typer.Option("--objects", help="How far each object is, instead of each proxy.")
    ] = False,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Shows how a running instance is doing.

    Its proxies with the version each of them has, what they accepted (ACKS) and rejected
    (NACKS), and the problems of its manifests. With --objects, every object: whether it is in
    force as it was written, and how many of the proxies it concerns have accepted it.

    Examples:
      pointsman status
      pointsman status --instance 4711 --json
      pointsman status --objects

    Exit status: 0 it answered; 2 the command is wrong; 4 there is no running instance,
    or it does not answer.
    """
    if objects:
        _objects(instance, as_json=as_json, color=options.wants_color(no_color))
        return
    from pointsman.api.client import Client
    from pointsman.api.instances import find_instance
    from pointsman.observe.status import status_json, status_lines
    from pointsman.settings import read_settings

    path = find_instance(read_settings().runtime_folder, instance)
    with Client(path) as client:
        answer = client.status()
    if as_json:
        output.write_json(status_json(answer))
    else:
        output.write_lines(status_lines(answer), color=options.wants_color(no_color))


def _objects(instance: int | None, *, as_json: bool, color: bool) -> None:
    from pointsman.observe.objects import object_lines

    with administering(instance) as client:
        found = list(client.every("objects"))
    if as_json:
        output.write_json({"items": found})
        return
    output.write_lines(object_lines(found), color=color)
