"""`pointsman intercept`: leads an app's connections through its Envoy, or no longer."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli import output
from pointsman.errors import UsageError
from pointsman.observe.lines import line

if TYPE_CHECKING:
    from pointsman.intercept.interception import Interception
    from pointsman.intercept.rules import Family, Rules


def intercept(
    app_port: Annotated[
        list[int],
        typer.Option(
            "--app-port",
            metavar="PORT",
            min=1,
            max=65535,
            help="Inbound connections to it go to Envoy. Repeatable.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    ingress_port: Annotated[
        int | None,
        typer.Option(
            "--ingress-port",
            metavar="PORT",
            min=1,
            max=65535,
            help="Where Envoy takes inbound connections, by default 15000.",
        ),
    ] = None,
    egress_port: Annotated[
        int | None,
        typer.Option(
            "--egress-port",
            metavar="PORT",
            min=1,
            max=65535,
            help="Where Envoy takes outbound connections, by default 15001.",
        ),
    ] = None,
    ignore_uid: Annotated[
        list[int],
        typer.Option(
            "--ignore-uid",
            metavar="UID",
            help="A user whose connections stay direct, as Envoy's must; by default 1337. "
            "Repeatable.",
        ),
    ] = [],  # noqa: B006
    ignore_gid: Annotated[
        list[int],
        typer.Option("--ignore-gid", metavar="GID", help="A group, likewise. Repeatable."),
    ] = [],  # noqa: B006
    ignore_port: Annotated[
        list[int],
        typer.Option(
            "--ignore-port",
            metavar="PORT",
            min=1,
            max=65535,
            help="Outbound connections to it stay direct, as those to 22 always do. Repeatable.",
        ),
    ] = [],  # noqa: B006
    ignore_address: Annotated[
        list[str],
        typer.Option(
            "--ignore-address",
            metavar="ADDR[/BITS]",
            help="Outbound connections there stay direct, as those to EC2's metadata always do. "
            "Repeatable.",
        ),
    ] = [],  # noqa: B006
    no_ipv6: Annotated[bool, typer.Option("--no-ipv6", help="Intercepts IPv4 only.")] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Takes away what this command installed.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Prints the input of iptables-restore; changes nothing."),
    ] = False,
) -> None:
    """Leads an app's TCP connections through its Envoy, by rules of iptables.

    Inbound connections to the app's ports go to Envoy's port 15000, outbound ones to 15001.
    Connections of this host to itself, and all of Envoy's own, stay direct. A second run
    replaces the rules of the first. The variables of App Mesh's proxyinit are defaults.

    Examples:
      pointsman intercept --app-port 8080
      pointsman intercept --app-port 8080 --ignore-port 5432 --ignore-address 10.8.0.0/16
      pointsman intercept --app-port 8080 --dry-run
      pointsman intercept --remove

    Exit status: 0 done; 1 the rules cannot be read or changed, and are as before;
    2 the command line or a variable is wrong.
    """
    from pointsman.intercept.environment import read_environment
    from pointsman.intercept.interception import parse_network
    from pointsman.intercept.rules import NOTHING, Family, rules_of

    if remove:
        lists = (app_port, ignore_uid, ignore_gid, ignore_port, ignore_address)
        if any(lists) or ingress_port is not None or egress_port is not None:
            raise UsageError(
                "--remove takes away everything, whatever it was installed with",
                hint="besides it there may be --no-ipv6 and --dry-run",
            )
        _carry_out(
            dict.fromkeys(Family, NOTHING),
            ["intercepts nothing any more"],
            no_ipv6=no_ipv6,
            dry_run=dry_run,
        )
        return
    environment = read_environment()
    wanted = environment.interception(
        app_ports=app_port,
        ingress_port=ingress_port,
        egress_port=egress_port,
        ignored_uids=ignore_uid,
        ignored_gids=ignore_gid,
        ignored_ports=ignore_port,
        ignored_addresses=tuple(map(parse_network, ignore_address)),
        ipv6=not no_ipv6,
    )
    if not environment.enabled:
        _say("APPMESH_START_ENABLED is 0: nothing was changed")
        return
    _carry_out(
        {family: rules_of(wanted, family) for family in Family},
        _summary(wanted),
        no_ipv6=not wanted.ipv6,
        dry_run=dry_run,
    )


def _carry_out(
    wanted: "Mapping[Family, Rules]", summary: Sequence[str], *, no_ipv6: bool, dry_run: bool
) -> None:
    from pointsman.intercept import tables
    from pointsman.intercept.rules import Family

    optional = (Family.IPV6,) if no_ipv6 else ()
    if not dry_run:
        tables.put(wanted, optional=optional)
        output.write_lines([line(text) for text in summary], color=False)
        return
    rehearsal = tables.rehearse(wanted, optional=optional)
    if rehearsal.unknown:
        _say(f"{rehearsal.unknown}; shown is what a first run does")
    for family, text in rehearsal.inputs.items():
        if text:
            typer.echo(f"# {' '.join(tables.RESTORE[family])}\n{text}", nl=False)


def _say(text: str) -> None:
    """A remark, away from results."""
    output.write_lines([line(text)], color=False, stream=typer.get_text_stream("stderr"))


def _summary(wanted: "Interception") -> list[str]:
    def some(what: str, values: Iterable[object]) -> list[str]:
        listed = ", ".join(map(str, dict.fromkeys(values)))
        return [f"{what} {listed}"] if listed else []

    addresses = [
        network.network_address if network.num_addresses == 1 else network
        for network in wanted.ignored_addresses
        if wanted.ipv6 or network.version == 4
    ]
    direct = [
        *some("user", wanted.ignored_uids),
        *some("group", wanted.ignored_gids),
        *some("port", wanted.ignored_ports),
        *some("to", addresses),
    ]
    ports = ", ".join(map(str, dict.fromkeys(wanted.app_ports)))
    inbound = f"port {ports} to {wanted.ingress_port}" if ports else "nothing, without --app-port"
    return [
        f"intercepts TCP over {'IPv4 and IPv6' if wanted.ipv6 else 'IPv4'}",
        f"  inbound   {inbound}",
        f"  outbound  to {wanted.egress_port}",
        f"  direct    {'; '.join(direct)}",
    ]
