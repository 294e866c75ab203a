"""`pointsman consumer`: who may call."""

from typing import Annotated, Any

import typer

from pointsman.cli import options, output
from pointsman.cli.admin import Commands, administering, consumer_path, pairs, show_table
from pointsman.observe.lines import line

Consumer = Annotated[
    str, typer.Argument(metavar="[NAMESPACE/]NAME", help="The consumer; namespace default.")
]


def create(
    consumer: Consumer,
    group: Annotated[
        list[str], typer.Option("--group", metavar="NAME", help="A group it is in. Repeatable.")
    ] = [],  # noqa: B006 - typer copies it
    attribute: Annotated[
        list[str],
        typer.Option("--attribute", metavar="NAME=VALUE", help="A note about it. Repeatable."),
    ] = [],  # noqa: B006
    certificate: Annotated[
        list[str],
        typer.Option(
            "--certificate", metavar="NAME", help="A name in its certificates. Repeatable."
        ),
    ] = [],  # noqa: B006
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
) -> None:
    """Makes a consumer that no file declares.

    Examples:
      pointsman consumer create acme --group gold
      pointsman consumer create shop/acme --certificate spiffe://acme.example/app

    Exit status: 0 it is there; 2 it cannot be made; 4 there is no running instance.
    """
    namespace, name = consumer_path(consumer)
    spec = {
        "groups": group,
        "attributes": pairs("--attribute", attribute),
        "certificates": certificate,
    }
    body = {"namespace": namespace, "name": name, "spec": spec}
    with administering(instance) as client:
        made = client.ask("POST", "consumers", json=body)
    if as_json:
        output.write_json(made)
    else:
        output.write_lines([line(f"consumer {namespace}/{name} is made")], color=False)


def list_(
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", metavar="NAME", help="Only those in it.")
    ] = None,
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Lists consumers, and where each of them is declared.

    Examples:
      pointsman consumer list -n shop
    """
    with administering(instance) as client:
        found = list(client.every("consumers", query={"namespace": namespace}))
    if as_json:
        output.write_json({"items": found})
        return
    rows = (
        (
            f"{item['namespace']}/{item['name']}",
            ", ".join(item["spec"].get("groups", ())) or "-",
            item["origin"],
        )
        for item in found
    )
    color = options.wants_color(no_color)
    show_table(("CONSUMER", "GROUPS", "DECLARED"), rows, color=color)


def delete(consumer: Consumer, instance: options.InstanceId = None) -> None:
    """Removes a consumer and revokes its credentials.

    Examples:
      pointsman consumer delete shop/acme
    """
    namespace, name = consumer_path(consumer)
    with administering(instance) as client:
        client.ask("DELETE", "consumers", namespace, name)
    output.write_lines([line(f"consumer {namespace}/{name} is gone")], color=False)


def revoke(consumer: Consumer, instance: options.InstanceId = None) -> None:
    """Revokes all credentials of a consumer, which stays.

    Examples:
      pointsman consumer revoke shop/acme
    """
    namespace, name = consumer_path(consumer)
    query = {"consumer": f"{namespace}/{name}", "state": "active"}
    with administering(instance) as client:
        found: list[dict[str, Any]] = list(client.every("credentials", query=query))
        for item in found:
            client.ask("POST", "credentials", item["id"], "revoke")
    text = f"{len(found)} credentials of {namespace}/{name} are revoked"
    output.write_lines([line(text)], color=False)


COMMANDS: Commands = {"create": create, "list": list_, "delete": delete, "revoke": revoke}
