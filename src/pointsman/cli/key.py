"""`pointsman key`: what consumers prove themselves with."""

import sys
from typing import Annotated, Any, Literal

import typer

from pointsman.cli import options, output
from pointsman.cli.admin import (
    Commands,
    administering,
    consumer_path,
    moment,
    seconds,
    show_secret,
    show_table,
)
from pointsman.cli.consumer import Consumer
from pointsman.observe.lines import Piece, line

Kind = Annotated[
    Literal["key", "password", "client"],
    typer.Option("--kind", help="An API key, a password, or an OAuth client."),
]
Id = Annotated[str, typer.Argument(metavar="ID", help="The credential, by its id.")]
Expires = Annotated[
    str | None,
    typer.Option("--expires", metavar="TIME", help="How long it is good: 90d, 24h. For ever."),
]


def issue(
    consumer: Consumer,
    kind: Kind = "key",
    label: Annotated[str, typer.Option("--label", metavar="TEXT", help="What it is for.")] = "",
    expires: Expires = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Takes a key that was made elsewhere from there.")
    ] = False,
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:
    """Issues a credential to a consumer, and shows it this once.

    Examples:
      pointsman key issue shop/acme --label 'orders app' --expires 90d
      pointsman key issue acme --kind password
      pointsman key issue acme --stdin < old-key

    Exit status: 0 it is issued; 2 it cannot be; 4 there is no running instance.
    """
    namespace, name = consumer_path(consumer)
    body = {
        "kind": kind,
        "label": label,
        "expiresIn": seconds("--expires", expires),
        "secret": sys.stdin.readline().rstrip("\r\n") if stdin else None,
    }
    with administering(instance) as client:
        made = client.ask("POST", "consumers", namespace, name, "credentials", json=body)
    if as_json:
        output.write_json(made)
        return
    color = options.wants_color(no_color)
    _show(made, quiet=quiet, color=color)


def list_(
    consumer: Annotated[
        str | None, typer.Argument(metavar="[NAMESPACE/NAME]", help="Only its credentials.")
    ] = None,
    kind: Annotated[
        Literal["key", "password", "client"] | None, typer.Option("--kind", help="Only these.")
    ] = None,
    state: Annotated[
        Literal["active", "expired", "revoked"] | None,
        typer.Option("--state", help="Only those in this state."),
    ] = None,
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Lists credentials; never their secrets.

    Examples:
      pointsman key list shop/acme --state active
    """
    owner = None if consumer is None else "/".join(consumer_path(consumer))
    query = {"consumer": owner, "kind": kind, "state": state}
    with administering(instance) as client:
        found = list(client.every("credentials", query=query))
    if as_json:
        output.write_json({"items": found})
        return
    headings = ("ID", "KIND", "CONSUMER", "BEGINS", "STATE", "ENDS", "LABEL")
    rows = (
        (
            *(item["id"], item["kind"], item["consumer"], item["prefix"] + "…", item["state"]),
            moment(item["revokedAt"] or item["expiresAt"]),
            item["label"] or "-",
        )
        for item in found
    )
    show_table(headings, rows, color=options.wants_color(no_color))


def rotate(
    credential: Id,
    overlap: Annotated[
        str, typer.Option("--overlap", metavar="TIME", help="How long the old one stays good.")
    ] = "24h",
    expires: Expires = None,
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:
    """Issues a credential in place of one, which stays good for a while.

    Examples:
      pointsman key rotate k_0AbCdEfGhIjK --overlap 7d
    """
    body = {
        "overlap": seconds("--overlap", overlap),
        "expiresIn": seconds("--expires", expires),
    }
    with administering(instance) as client:
        made = client.ask("POST", "credentials", credential, "rotate", json=body)
    if as_json:
        output.write_json(made)
        return
    color = options.wants_color(no_color)
    _show(made, quiet=quiet, color=color)


def revoke(credential: Id, instance: options.InstanceId = None) -> None:
    """Ends a credential now, at all proxies.

    Examples:
      pointsman key revoke k_0AbCdEfGhIjK
    """
    with administering(instance) as client:
        found = client.ask("POST", "credentials", credential, "revoke")
    text = f"{found['kind']} {found['id']} of {found['consumer']} is revoked"
    output.write_lines([line(text)], color=False)


def rewrap(instance: options.InstanceId = None, as_json: options.AsJson = False) -> None:
    """Closes all secrets by the first line of the master key's file.

    Afterwards older lines are needed for OAuth clients' secrets and for tokens alone, which
    nobody can read: those that are still good must be issued anew before such a line goes.

    Examples:
      pointsman key rewrap
    """
    with administering(instance) as client:
        found = client.ask("POST", "master-key", "rewrap")
    if as_json:
        output.write_json(found)
        return
    text = (
        f"{found['credentials']} credentials and {found['keys']} keys of authorization servers "
        f"are closed by master key {found['masterKey']} now"
    )
    output.write_lines([line(text)], color=False)


def _show(made: dict[str, Any], *, quiet: bool, color: bool) -> None:
    found = made["credential"]
    show_secret(found["kind"], found["id"], made["secret"], quiet=quiet, color=color)
    if found["kind"] == "client" and not quiet:
        told = line("Its client id is ", Piece(found["consumer"], "name"), ".")
        output.write_lines([told], color=color)


COMMANDS: Commands = {
    "issue": issue,
    "list": list_,
    "rotate": rotate,
    "revoke": revoke,
    "rewrap": rewrap,
}
