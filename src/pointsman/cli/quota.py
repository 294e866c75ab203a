"""`pointsman quota`: how much of shared limits is used."""

from typing import Annotated

import typer

from pointsman.cli import options, output
from pointsman.cli.admin import (
    Commands,
    administering,
    consumer_path,
    moment,
    pairs,
    show_table,
)
from pointsman.observe.lines import line


def show(
    limit: Annotated[
        str, typer.Argument(metavar="[NAMESPACE/POLICY/LIMIT]", help="Those that begin so.")
    ] = "",
    consumer: Annotated[
        str | None,
        typer.Option("--consumer", metavar="[NAMESPACE/]NAME", help="Only what counts for it."),
    ] = None,
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Shows how shared limits stand: what is used, and what proxies may admit by their leases.

    Proxies tell every five seconds. Of a rate it is what passed of late, in its unit of time.

    Examples:
      pointsman quota show
      pointsman quota show shop/plans/month --consumer shop/acme
    """
    who = None if consumer is None else "/".join(consumer_path(consumer))
    with administering(instance) as client:
        found = list(client.every("quotas", query={"of": limit or None, "consumer": who}))
    if as_json:
        output.write_json({"items": found})
        return
    rows = (
        (
            *(item["limit"], item["kind"], item["allowance"], _who(item["who"])),
            *(str(item[name]) for name in ("used", "held", "most")),
            "-" if item["resetsAt"] is None else moment(item["resetsAt"]),
        )
        for item in found
    )
    headings = ("LIMIT", "KIND", "ALLOWANCE", "WHO", "USED", "HELD", "OF", "RESETS")
    show_table(headings, rows, color=options.wants_color(no_color))


def reset(
    limit: Annotated[str, typer.Argument(metavar="NAMESPACE/POLICY/LIMIT", help="The quota.")],
    who: Annotated[
        list[str],
        typer.Option(
            "--who", metavar="NAME=VALUE", help="Whose, as `quota show` tells it. Repeatable."
        ),
    ] = [],  # noqa: B006
    instance: options.InstanceId = None,
) -> None:
    """Has a quota begin anew, for all or for some; what proxies hold by leases goes on to count.

    Examples:
      pointsman quota reset shop/plans/month --who consumer=shop/acme

    Exit status: 0 it begins anew; 2 nothing is counted of it; 4 there is no running instance.
    """
    body = {"limit": limit, "who": pairs("--who", who)}
    with administering(instance) as client:
        made = client.ask("POST", "quotas", "reset", json=body)
    number = made["count"]
    text = f"{limit} begins anew ({number} {'count' if number == 1 else 'counts'})"
    output.write_lines([line(text)], color=False)


def _who(found: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in found.items()) or "all"


COMMANDS: Commands = {"show": show, "reset": reset}
