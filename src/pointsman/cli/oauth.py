"""`pointsman oauth`: authorization servers, their clients and keys, and what was granted."""

from typing import Annotated, Any

import typer

from pointsman.cli import options, output
from pointsman.cli.admin import Commands, administering, consumer_path, moment, show_table
from pointsman.errors import UsageError
from pointsman.observe.lines import line

Server = Annotated[str, typer.Argument(metavar="[NAMESPACE/]NAME", help="The AuthorizationServer.")]
Of = Annotated[
    str | None,
    typer.Option("--consumer", metavar="[NAMESPACE/]NAME", help="Who acts, or is acted for."),
]


def servers(
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Lists authorization servers.

    Examples:
      pointsman oauth servers
    """
    found = _servers(instance)
    if as_json:
        output.write_json({"items": found})
        return
    rows = (
        (_path(item), item["issuer"], item["algorithm"], str(len(item["clients"])))
        for item in found
    )
    headings = ("SERVER", "ISSUER", "ALGORITHM", "CLIENTS")
    show_table(headings, rows, color=options.wants_color(no_color))


def clients(
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Lists who gets tokens, by client id.

    Examples:
      pointsman oauth clients
    """
    found = _servers(instance)
    every = [{"server": _path(item), **client} for item in found for client in item["clients"]]
    if as_json:
        output.write_json({"items": every})
        return
    rows = (
        (
            *(item["id"], item["server"], ", ".join(item["grants"]) or "-"),
            " ".join(item["scopes"]) or "-",
            "public" if item["public"] else "secret",
        )
        for item in every
    )
    headings = ("CLIENT ID", "SERVER", "GRANTS", "SCOPES", "PROVES BY")
    show_table(headings, rows, color=options.wants_color(no_color))


def keys(
    server: Server,
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Lists the keys of an authorization server, the newest first.

    A key is announced, then signs, then checks what it has signed, then is over.

    Examples:
      pointsman oauth keys shop/login
    """
    with administering(instance) as client:
        path = ("authorization-servers", *consumer_path(server), "keys")
        found = client.ask("GET", *path)["items"]
    if as_json:
        output.write_json({"items": found})
        return
    rows = (
        (
            *(item["id"], item["algorithm"], item["state"]),
            *(moment(item["signsAt"]), moment(item["endsAt"])),
        )
        for item in found
    )
    headings = ("KEY", "ALGORITHM", "STATE", "SIGNS FROM", "CHECKS UNTIL")
    show_table(headings, rows, color=options.wants_color(no_color))


def rotate(
    server: Server,
    compromised: Annotated[
        bool,
        typer.Option("--compromised", help="All other keys, and the tokens they signed, end now."),
    ] = False,
    instance: options.InstanceId = None,
) -> None:
    """Makes another key for an authorization server, which signs in ten minutes.

    Until then it is announced, so that whoever keeps a key set knows it in time.

    Examples:
      pointsman oauth rotate shop/login
      pointsman oauth rotate shop/login --compromised
    """
    with administering(instance) as client:
        path = ("authorization-servers", *consumer_path(server), "keys", "rotate")
        made = client.ask("POST", *path, json={"compromised": compromised})
    when = "signs now, alone" if compromised else "signs in ten minutes"
    output.write_lines([line(f"key {made['id']} {when}")], color=False)


def grants(
    consumer: Of = None,
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Lists what people have granted to clients.

    Examples:
      pointsman oauth grants --consumer shop/alice
    """
    query = {"consumer": None if consumer is None else "/".join(consumer_path(consumer))}
    with administering(instance) as client:
        found = list(client.every("grants", query=query))
    if as_json:
        output.write_json({"items": found})
        return
    rows = (
        (
            *(item["id"], item["client"], item["subject"], item["scope"] or "-"),
            *(item["audience"], moment(item["expiresAt"])),
        )
        for item in found
    )
    headings = ("GRANT", "CLIENT", "FOR", "SCOPES", "AUDIENCE", "ENDS")
    show_table(headings, rows, color=options.wants_color(no_color))


def revoke(
    grant: Annotated[
        str | None, typer.Argument(metavar="[GRANT]", help="The grant, by its id.")
    ] = None,
    consumer: Of = None,
    instance: options.InstanceId = None,
) -> None:
    """Ends a grant and all tokens of it, or all grants of a consumer.

    Access tokens go on to be good until their end where their signature alone is looked at.

    Examples:
      pointsman oauth revoke g_0AbCdEfGhIjK
      pointsman oauth revoke --consumer shop/alice
    """
    if (grant is None) == (consumer is None):
        raise UsageError("name a grant, or a consumer by --consumer")
    with administering(instance) as client:
        if grant is not None:
            found = client.ask("POST", "grants", grant, "revoke")
            text = f"grant {found['id']} of {found['client']} for {found['subject']} is revoked"
        else:
            path = ("consumers", *consumer_path(consumer or ""), "grants", "revoke")
            text = f"{client.ask('POST', *path)['grants']} grants are revoked"
    output.write_lines([line(text)], color=False)


def _servers(instance: int | None) -> list[dict[str, Any]]:
    with administering(instance) as client:
        return list(client.every("authorization-servers"))


def _path(item: dict[str, Any]) -> str:
    return f"{item['namespace']}/{item['name']}"


COMMANDS: Commands = {
    "servers": servers,
    "clients": clients,
    "keys": keys,
    "rotate": rotate,
    "grants": grants,
    "revoke": revoke,
}
