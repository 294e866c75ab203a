"""`pointsman versions`: which versions of APIs there are, and who still calls the old ones."""

import time

from pointsman.cli import options, output
from pointsman.cli.over import Over, parse_over


def versions(
    over: Over = "30m",
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
    instance: options.InstanceId = None,
) -> None:
    """Shows which versions of APIs there are, and who still calls those on their way out.

    REQ/S is what proxies counted. CALLED BY is of versions that are deprecated or retired: each
    consumer, or the address of a client nobody knows, with its requests since the instance
    started and the time since the latest of them.

    Examples:
      pointsman versions
      pointsman versions --json

    Exit status: 0 it was shown; 2 the command is wrong; 4 there is no running instance, or it does
    not answer.
    """
    from pointsman.api.client import Client
    from pointsman.api.instances import find_instance
    from pointsman.observe.versions import report_json, report_lines
    from pointsman.settings import read_settings

    seconds = parse_over(over)
    with Client(find_instance(read_settings().runtime_folder, instance)) as client:
        report = client.versions(seconds)
    if as_json:
        output.write_json(report_json(report))
    else:
        output.write_lines(report_lines(report, time.time()), color=options.wants_color(no_color))
