"""`pointsman top`: the traffic of a running instance, as it goes."""

import sys
import time
from typing import Annotated, Final

import typer

from pointsman.cli import options, output
from pointsman.cli.over import Over, parse_over
from pointsman.errors import UsageError

REFRESH_S: Final = 2.0


def top(
    by: Annotated[
        str,
        typer.Option("--by", metavar="gateway|node|route|service|consumer", help="What has a row."),
    ] = "gateway",
    over: Over = "1m",
    once: Annotated[bool, typer.Option("--once", help="Prints it once and ends.")] = False,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
    instance: options.InstanceId = None,
) -> None:
    """Shows who has how much traffic, and how it fares.

    By gateway: requests that proxies take, those of sidecars included. By node: what proxies send
    to each virtual node. By route and by service: what they send on by each route. By consumer:
    what each consumer asks for, where a TelemetryPolicy has them counted.

    4XX and 5XX are shares of the requests. P50 is the time within which half of them were done.
    OPEN is the number of connections that are open now. Proxies report every five seconds, and
    thirty minutes are kept. On a terminal it is shown anew every two seconds, until Ctrl-C.

    Examples:
      pointsman top
      pointsman top --by node --over 5m
      pointsman top --by route --once --json

    Exit status: 0 it answered; 2 the command is wrong; 4 there is no running instance,
    or it does not answer.
    """
    from pointsman.api.client import Client
    from pointsman.api.instances import find_instance
    from pointsman.observe.traffic import WAYS, By, traffic_json, traffic_lines
    from pointsman.settings import read_settings

    ways: dict[str, By] = {way: way for way in WAYS}
    if by not in ways:
        raise UsageError(f"--by {by}: not one of {', '.join(ways)}")
    seconds = parse_over(over)
    with Client(find_instance(read_settings().runtime_folder, instance)) as client:
        if as_json:
            output.write_json(traffic_json(client.traffic(ways[by], seconds)))
            return
        color = options.wants_color(no_color)
        if once or not sys.stdout.isatty():
            output.write_lines(traffic_lines(client.traffic(ways[by], seconds)), color=color)
            return
        with output.Screen(color=color) as screen:
            while True:
                screen.show(traffic_lines(client.traffic(ways[by], seconds)))
                time.sleep(REFRESH_S)
