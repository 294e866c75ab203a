"""`pointsman why`: what became of a request, and why."""

from typing import Annotated, Final

import typer

from pointsman.cli import options, output

NOT_KEPT: Final = 1
_HINT: Final = (
    "its id is in the response header x-request-id, and in pointsman logs; of requests that went "
    "well only a sample is kept, and of all only the latest"
)


def why(
    request_id: Annotated[
        str, typer.Argument(metavar="REQUEST_ID", help="The request's x-request-id.")
    ],
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Tells what became of a request, and why.

    For each proxy on its way: the configuration it had, the route it took and why no nearer one,
    what policies made of it, its last try and endpoint, what Envoy's response flags mean, and
    where the time went.

    Examples:
      pointsman why 48d52573-d7ce-4fae-9755-9d3398edb259
      pointsman why 48d52573-d7ce-4fae-9755-9d3398edb259 --json

    Exit status: 0 it was told; 1 the request is not kept; 2 the command is wrong; 4 there is no
    running instance, or it does not answer.
    """
    from pointsman.api.client import Client
    from pointsman.api.instances import find_instance
    from pointsman.settings import read_settings

    with Client(find_instance(read_settings().runtime_folder, instance)) as client:
        told = client.why(request_id)
    if told is None:
        output.write_error(f"request {request_id} is not kept", _HINT)
        raise typer.Exit(NOT_KEPT)
    if as_json:
        output.write_json(told.known)
    else:
        output.write_lines(told.lines, color=options.wants_color(no_color))
