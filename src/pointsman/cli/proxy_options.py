"""Options that `pointsman proxy` and `pointsman bootstrap` share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli.addresses import parse_host_port, parse_listening
from pointsman.errors import UsageError

if TYPE_CHECKING:
    from pointsman.proxy.bootstrap import Dialect
    from pointsman.proxy.xds_cluster import Xds, XdsAddress

Node = Annotated[
    str,
    typer.Option(
        "--node",
        metavar="ID",
        help="Which node it is: mesh/MESH/virtualNode/NAME, mesh/MESH/virtualGateway/NAME, "
        "or the ARN of one.",
    ),
]
XdsOption = Annotated[
    list[str],
    typer.Option(
        "--xds",
        metavar="HOST:PORT|unix:PATH",
        help="The control plane. Repeatable for equal servers.",
    ),
]
TlsCa = Annotated[
    Path | None,
    typer.Option(
        "--tls-ca", metavar="FILE", help="Authorities of the control plane's certificate: TLS."
    ),
]
TlsName = Annotated[
    str | None,
    typer.Option(
        "--tls-name", metavar="NAME", help="The name in its certificate, if not the host's."
    ),
]
TlsCert = Annotated[
    Path | None,
    typer.Option("--tls-cert", metavar="FILE", help="The proxy's own certificates, PEM."),
]
TlsKey = Annotated[
    Path | None, typer.Option("--tls-key", metavar="FILE", help="The key of them, PEM.")
]
Zone = Annotated[
    str, typer.Option("--zone", metavar="NAME", help="The availability zone it runs in.")
]
DialectOption = Annotated[
    str, typer.Option("--dialect", metavar="delta|sotw", help="The variant of xDS to speak.")
]
Prometheus = Annotated[
    str | None,
    typer.Option(
        "--prometheus",
        metavar="PORT|ADDR:PORT",
        help="Answers GET /stats/prometheus there: what this proxy counts. A port alone is on "
        "loopback.",
    ),
]
SdsSocket = Annotated[
    Path | None,
    typer.Option(
        "--sds-socket", metavar="PATH", help="The socket of a local SDS server, such as SPIRE's."
    ),
]


def parse_node(text: str) -> str:
    """A node id as it is.

    Raises:
        UsageError: it has no form of one.
    """
    from pointsman.xds.node_id import FORMS, parse_node_id

    if parse_node_id(text) is None:
        raise UsageError(f"--node {text}: not a node id", hint=f"write {FORMS}")
    return text


def parse_prometheus(text: str | None) -> tuple[str, int] | None:
    """Where the proxy's own statistics are read; None for nowhere.

    Raises:
        UsageError: that is no address.
    """
    return None if text is None else parse_listening("--prometheus", text)


def parse_dialect(text: str) -> "Dialect":
    """The variant of xDS.

    Raises:
        UsageError: there is none of that name.
    """
    dialects: dict[str, Dialect] = {"delta": "delta", "sotw": "sotw"}
    if text not in dialects:
        raise UsageError(f"--dialect {text}: neither delta nor sotw")
    return dialects[text]


def parse_xds(
    addresses: list[str],
    ca: Path | None,
    name: str | None,
    certificate: Path | None,
    key: Path | None,
) -> "Xds":
    """The control plane, as a proxy reaches it.

    Raises:
        UsageError: the options do not fit together.
    """
    from pointsman.proxy.xds_cluster import Xds, XdsTls

    parsed = tuple(map(_address, addresses))
    if len(parsed) > 1 and any(item.path is not None for item in parsed):
        raise UsageError("--xds: a Unix socket cannot be one of several")
    if (certificate is None) != (key is None):
        raise UsageError("--tls-cert and --tls-key belong together")
    if ca is None:
        if certificate is not None or name is not None:
            raise UsageError(
                "TLS needs --tls-ca: whoever answers in the control plane's place has to be told"
                " from it"
            )
        return Xds(parsed)
    if any(item.path is not None for item in parsed):
        raise UsageError("--tls-ca is for TCP", hint="a Unix socket has permissions instead")
    return Xds(parsed, XdsTls(ca, name, certificate, key))


def _address(text: str) -> "XdsAddress":
    from pointsman.proxy.xds_cluster import XdsAddress

    if text.startswith("unix:"):
        return XdsAddress(path=Path(text.removeprefix("unix:")).absolute())
    host, port = parse_host_port("--xds", text)
    return XdsAddress(host, port)
