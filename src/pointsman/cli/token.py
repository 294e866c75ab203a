"""`pointsman token`: who may administer over TCP; and `pointsman audit`: what they did."""

import json
from itertools import islice
from typing import Annotated, Literal

import typer

from pointsman.api.pages import MOST_ITEMS
from pointsman.cli import options, output
from pointsman.cli.admin import Commands, administering, moment, seconds, show_secret, show_table
from pointsman.observe.lines import line


def issue(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who gets it, for the audit log.")],
    role: Annotated[
        Literal["viewer", "editor", "admin"], typer.Option("--role", help="What it allows.")
    ] = "viewer",
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="TIME", help="How long it is good: 90d, 24h. For ever."),
    ] = None,
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:
    """Issues a token for the administration over TCP, and shows it this once.

    A viewer reads, an editor changes consumers and credentials, an admin also has tokens.

    Examples:
      pointsman token issue pipeline --role editor --expires 30d
    """
    body = {"name": name, "role": role, "expiresIn": seconds("--expires", expires)}
    with administering(instance) as client:
        made = client.ask("POST", "tokens", json=body)
    if as_json:
        output.write_json(made)
        return
    color = options.wants_color(no_color)
    title = f"token of {name}"
    show_secret(title, made["token"]["id"], made["secret"], quiet=quiet, color=color)


def list_(
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Lists tokens of administrators.

    Examples:
      pointsman token list
    """
    with administering(instance) as client:
        found = list(client.every("tokens"))
    if as_json:
        output.write_json({"items": found})
        return
    rows = (
        (
            *(item["id"], item["name"], item["role"]),
            "revoked" if item["revokedAt"] else moment(item["expiresAt"]),
        )
        for item in found
    )
    show_table(("ID", "NAME", "ROLE", "ENDS"), rows, color=options.wants_color(no_color))


def revoke(
    token: Annotated[str, typer.Argument(metavar="ID", help="The token, by its id.")],
    instance: options.InstanceId = None,
) -> None:
    """Ends a token now.

    Examples:
      pointsman token revoke t_0AbCdEfGhIjK
    """
    with administering(instance) as client:
        found = client.ask("POST", "tokens", token, "revoke")
    output.write_lines([line(f"token {found['id']} of {found['name']} is revoked")], color=False)


COMMANDS: Commands = {"issue": issue, "list": list_, "revoke": revoke}


def audit(
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many changes.")] = 50,
    name: Annotated[
        str | None, typer.Option("--object", metavar="NAME", help="Only those of this object.")
    ] = None,
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Shows who changed consumers, credentials and tokens, the newest first.

    Examples:
      pointsman audit --object k_0AbCdEfGhIjK
    """
    with administering(instance) as client:
        query = {"object": name, "limit": min(limit, MOST_ITEMS)}
        found = list(islice(client.every("audit", query=query), limit))
    if as_json:
        output.write_json({"items": found})
        return
    rows = (
        (
            *(moment(item["at"]), item["actor"], item["action"], item["kind"], item["object"]),
            json.dumps({key: value for key, value in item["detail"].items() if value}),
        )
        for item in found
    )
    headings = ("AT", "WHO", "DID", "KIND", "OBJECT", "DETAIL")
    show_table(headings, rows, color=options.wants_color(no_color))
