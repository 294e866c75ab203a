"""`pointsman identity`: the certificate authority's folder, and what comes out of it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pointsman.cli import options, output
from pointsman.cli.admin import Commands
from pointsman.errors import UsageError
from pointsman.observe.lines import Line, Piece, line

if TYPE_CHECKING:
    from pointsman.identity.describe import CertificateJson

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The authority's folder.")]
Node = Annotated[
    str,
    typer.Argument(metavar="NODE", help="mesh/MESH/virtualNode/NODE, or …/virtualGateway/…."),
]

_LIFETIME = re.compile(r"(?P<number>[1-9][0-9]{0,5})(?P<unit>[smhd])\Z")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def init(
    folder: Folder,
    trust_domain: Annotated[
        str | None,
        typer.Option(
            "--trust-domain", metavar="NAME", help="Of its SPIFFE ids; pointsman.local by default."
        ),
    ] = None,
) -> None:
    """Makes a certificate authority in a folder, unless there is one already.

    Examples:
      pointsman identity init /var/lib/pointsman/identity
      pointsman identity init ./identity --trust-domain mesh.example.com

    Exit status: 0 it is there; 2 the folder cannot be used.
    """
    from pointsman.identity.folder import open_authority

    authority = open_authority(folder, datetime.now(UTC), trust_domain)
    text = f"{folder}: authority of trust domain {authority.trust_domain}"
    output.write_lines([line(text)], color=False)


def issue(
    folder: Folder,
    node: Node,
    dns: Annotated[
        list[str],
        typer.Option("--dns", metavar="NAME", help="A name others call it by. Repeatable."),
    ] = [],  # noqa: B006 - typer copies it
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Where the files go.")
    ] = Path(),
    lifetime: Annotated[
        str, typer.Option("--lifetime", metavar="TIME", help="How long it is valid: 90s, 5m, 1h.")
    ] = "1h",
) -> None:
    """Issues a certificate for a node: tls.crt, tls.key (mode 0600) and ca.crt.

    Examples:
      pointsman identity issue ./identity mesh/shop/virtualNode/cart_shop --dns cart.shop.local

    Exit status: 0 it is written; 2 the folder, the node or a name is wrong.
    """
    from pointsman.identity.folder import open_authority, write_private, write_public

    now = datetime.now(UTC)
    authority = open_authority(folder, now, create=False)
    if out.resolve() == folder.resolve():
        raise UsageError(f"{out} is the authority's own folder", hint="name another one by --out")
    issued = authority.issue(node, dns, now, parse_lifetime(lifetime))
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_private(out / "tls.key", issued.key.pem())
        write_public(out / "tls.crt", issued.chain)
        write_public(out / "ca.crt", authority.trust)
    except OSError as error:
        raise UsageError(f"{out} cannot be written to: {error.strerror}") from None
    text = f"{issued.uri}, valid until {issued.end:%Y-%m-%d %H:%M:%S} UTC"
    output.write_lines([line(text)], color=False)


def token(
    folder: Folder,
    node: Node,
    lifetime: Annotated[
        str, typer.Option("--lifetime", metavar="TIME", help="How long it is valid: 90s, 5m, 1h.")
    ] = "1h",
) -> None:
    """Prints a join token, by which a proxy without a certificate says which node it is.

    Whoever has it can be that node: hand it over like a password.

    Examples:
      pointsman identity token ./identity mesh/shop/virtualNode/cart_shop --lifetime 10m

    Exit status: 0 it is printed; 2 the folder or the node is wrong.
    """
    from pointsman.identity.folder import open_authority
    from pointsman.identity.tokens import Tokens

    now = datetime.now(UTC)
    authority = open_authority(folder, now, create=False)
    made = Tokens(authority.token_key).make(node, now, parse_lifetime(lifetime))
    output.write_lines([line(made)], color=False)


def show(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="An authority's folder, or a file in PEM.")
    ],
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Shows what certificates say; keys are never shown.

    Examples:
      pointsman identity show ./identity
      pointsman identity show tls.crt --json

    Exit status: 0 shown; 2 there are none, or they cannot be read.
    """
    from pointsman.identity.describe import describe

    found = describe(path, datetime.now(UTC))
    if as_json:
        output.write_json({"certificates": found})
    else:
        lines = [one for item in found for one in _lines(item)]
        output.write_lines(lines, color=options.wants_color(no_color))


COMMANDS: Commands = {"init": init, "issue": issue, "token": token, "show": show}
"""The commands of the group."""


def parse_lifetime(text: str) -> timedelta:
    """`90s`, `5m`, `1h` or `30d`.

    Raises:
        UsageError: it is none of these.
    """
    found = _LIFETIME.match(text)
    if found is None:
        raise UsageError(f"--lifetime {text}: not a time", hint="for example 90s, 5m, 1h or 30d")
    return timedelta(**{_UNITS[found["unit"]]: int(found["number"])})


def _lines(item: "CertificateJson") -> Iterator[Line]:
    what = "authority" if item["authority"] else "certificate"
    yield line(Piece(item["file"], "name"), f": {what} ", Piece(item["serial"], "faint"))
    if item["subject"]:
        yield line(f"  subject  {item['subject']}")
    yield line(f"  issuer   {item['issuer']}")
    for uri in item["uris"]:
        yield line(f"  uri      {uri}")
    for name in item["names"]:
        yield line(f"  name     {name}")
    state = Piece(item["state"], "good" if item["state"] == "valid" else "error")
    yield line(f"  validity {item['begin']} to {item['end']}, ", state)
