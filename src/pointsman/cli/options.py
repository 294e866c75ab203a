"""Options that several commands share, and the values they stand for."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from pointsman.errors import UsageError
from pointsman.settings import read_settings

Paths = Annotated[
    list[str],
    typer.Argument(metavar="PATH", help="Files or folders of manifests; - reads standard input."),
]
PathsInstead = Annotated[
    list[str],
    typer.Argument(
        metavar="[PATH]...", help="Files or folders of manifests, instead of an instance."
    ),
]
Variables = Annotated[
    list[str],
    typer.Option("--var", metavar="NAME=VALUE", help="Fills ${NAME} in manifests. Repeatable."),
]
Resolves = Annotated[
    list[str],
    typer.Option(
        "--resolve",
        metavar="HOST:PORT=ADDR:PORT",
        help="Where a virtual node found as HOST:PORT really is. Repeatable.",
    ),
]
Certificates = Annotated[
    list[str],
    typer.Option(
        "--certificate",
        metavar="ARN=CHAIN,KEY",
        help="Files that stand for a certificate of AWS. Repeatable.",
    ),
]
Authorities = Annotated[
    list[str],
    typer.Option(
        "--authority",
        metavar="ARN=FILE",
        help="File that stands for a certificate authority of AWS. Repeatable.",
    ),
]
CertificateFile = Annotated[
    str | None,
    typer.Option(
        "--certificates", metavar="FILE", help="YAML file with what stands for ARNs of AWS."
    ),
]
Registries = Annotated[
    list[str],
    typer.Option(
        "--registry",
        metavar="FILE|URL|rest",
        help="Instances of Cloud Map services: a file, a URL, or by REST. Repeatable.",
    ),
]
CloudMapRegion = Annotated[
    str | None,
    typer.Option("--cloud-map", metavar="REGION", help="Instances come from AWS Cloud Map."),
]
CloudMapEndpoint = Annotated[
    str | None,
    typer.Option("--cloud-map-endpoint", metavar="URL", help="Where Cloud Map is, if not in AWS."),
]
IdentityFolder = Annotated[
    Path | None,
    typer.Option(
        "--identity",
        metavar="FOLDER",
        help="Keeps the mesh's certificate authority there; without it one is made for this run.",
    ),
]
StateUrl = Annotated[
    str | None,
    typer.Option(
        "--state",
        metavar="URL|FILE",
        help="Keeps consumers and keys there: a file, sqlite:///FILE or postgresql://…. "
        "$XDG_STATE_HOME/pointsman/state.db by default.",
    ),
]
MasterKeyFile = Annotated[
    Path | None,
    typer.Option(
        "--master-key",
        metavar="FILE",
        help="The key that secrets are closed with; $XDG_STATE_HOME/pointsman/master.key by "
        "default. It is made when it is not there.",
    ),
]
QuotaStoreUrl = Annotated[
    str | None,
    typer.Option(
        "--quota-store",
        metavar="URL",
        help="Counts quotas there instead of in the database: redis://HOST:PORT, for several "
        "control planes; also POINTSMAN_QUOTA_STORE.",
    ),
]
AdminAddress = Annotated[
    str | None,
    typer.Option(
        "--admin",
        metavar="ADDR:PORT",
        help="Answers for the administration there, too, to those who have a token.",
    ),
]
MetricsAddress = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="PORT|ADDR:PORT",
        help="Answers GET /metrics for Prometheus there; a port alone is on loopback.",
    ),
]
InstanceId = Annotated[
    int | None,
    typer.Option("--instance", metavar="PID", help="The instance, when several run."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Prints JSON for machines.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Prints the secret alone, for scripts.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colour; so does NO_COLOR.")]
EnvoyPath = Annotated[
    str | None,
    typer.Option("--envoy", metavar="PATH", help="The Envoy to use; also POINTSMAN_ENVOY."),
]

_PORT = re.compile(r"[1-9][0-9]{0,4}\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


def wants_color(no_color: bool) -> bool:
    """Whether colour is welcome, terminal or not."""
    return not no_color and not read_settings().no_color


def parse_variables(given: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` entries; of two with one name the last counts, as on any command line."""
    values: dict[str, str] = {}
    for entry in given:
        name, equals, value = entry.partition("=")
        if not equals or not _NAME.match(name):
            raise UsageError(
                f"--var {entry}: not NAME=VALUE", hint="for example --var NAMESPACE=colors"
            )
        values[name] = value
    return values


def parse_resolves(given: Iterable[str]) -> dict[tuple[str, int], tuple[str, int]]:
    """`HOST:PORT=ADDR:PORT` entries as (host, port) -> (host, port)."""
    values: dict[tuple[str, int], tuple[str, int]] = {}
    for entry in given:
        left, _, right = entry.partition("=")
        name, address = _host_port(left), _host_port(right)
        if name is None or address is None:
            raise UsageError(
                f"--resolve {entry}: not HOST:PORT=ADDR:PORT",
                hint="for example --resolve red.colors.svc.cluster.local:8080=127.0.0.1:9001",
            )
        values[name] = address
    return values


def parse_headers(given: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """`name: value` entries with lower-case names; as in curl the value may be empty."""
    headers: list[tuple[str, str]] = []
    for entry in given:
        name, colon, value = entry.partition(":")
        if not colon or not _HEADER.match(name.strip()):
            raise UsageError(f"-H {entry!r}: not a header", hint="for example -H 'color: red'")
        headers.append((name.strip().lower(), value.strip()))
    return tuple(headers)


def _host_port(text: str) -> tuple[str, int] | None:
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or _PORT.match(port) is None or int(port) > 65535:
        return None
    return host, int(port)
