"""`pointsman logs`: the latest requests, as proxies tell of them."""

import json
import re
import sys
import time
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pointsman.cli import options, output
from pointsman.errors import UsageError

if TYPE_CHECKING:
    from pointsman.telemetry.requests_wanted import Wanted

_LENGTH: Final = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)(?P<unit>ms|s|m|h)")
_UNITS_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


def logs(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Goes on with what comes, until interrupted.")
    ] = False,
    route: Annotated[
        str, typer.Option("--route", metavar="TEXT", help="Only routes with this in their name.")
    ] = "",
    node: Annotated[
        str,
        typer.Option(
            "--node", metavar="NAME", help="Only what this gateway or node sent or answered."
        ),
    ] = "",
    status: Annotated[
        str, typer.Option("--status", metavar="CODE", help="Only these: 404, or 5xx.")
    ] = "",
    consumer: Annotated[
        str, typer.Option("--consumer", metavar="NAME", help="Only what this consumer sent.")
    ] = "",
    slow: Annotated[
        str, typer.Option("--slow", metavar="TIME", help="Only what took so long: 500ms, 2s.")
    ] = "",
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Only what began in the last: 30s, 5m.")
    ] = "",
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Shows the latest requests of a running instance, as its proxies tell of them.

    A line has when a request came, its status and response flags, the proxy, what was asked for,
    the route and the virtual node it took, how long it took, who called, and its id. With --json
    each line is a JSON object. Failed, refused and slow requests are all there, of the rest a
    sample; see docs/requests.md.

    Examples:
      pointsman logs --status 5xx --since 5m
      pointsman logs -f --route shop/books --slow 500ms
      pointsman logs --json --consumer shop/acme | jq .path

    Exit status: 0 they were shown; 2 the command is wrong; 4 there is no running instance, or it
    does not answer; 130 interrupted.
    """
    from pointsman.api.client import Client
    from pointsman.api.instances import find_instance
    from pointsman.observe.requests import request_line
    from pointsman.settings import read_settings
    from pointsman.telemetry.requests import request_json

    wanted = _wanted(route, node, status, consumer, slow, since)
    color = options.wants_color(no_color)
    with Client(find_instance(read_settings().runtime_folder, instance)) as client:
        for request in client.requests(wanted, follow=follow):
            if as_json:
                sys.stdout.write(json.dumps(request_json(request), ensure_ascii=False) + "\n")
            else:
                output.write_lines([request_line(request)], color=color)
            if follow:
                sys.stdout.flush()


def _wanted(route: str, node: str, status: str, consumer: str, slow: str, since: str) -> "Wanted":
    from pointsman.telemetry.requests_wanted import Wanted, is_status

    if status and not is_status(status):
        raise UsageError(f"--status {status}: not a status", hint="for example 404, or 5xx")
    return Wanted(
        route=route,
        node=node,
        status=status,
        consumer=consumer,
        slow_ms=_length_ms("--slow", slow) if slow else 0.0,
        since=time.time() - _length_ms("--since", since) / 1000 if since else 0.0,
    )


def _length_ms(option: str, text: str) -> float:
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{option} {text}: not a length of time", hint="for example 500ms, 30s, 5m"
        )
    return float(found["number"]) * _UNITS_MS[found["unit"]]
