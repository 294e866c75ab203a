"""`pointsman bootstrap`: the bootstrap of an Envoy that runs without Pointsman beside it."""

from pathlib import Path
from typing import Annotated

import typer

from pointsman.cli import options, output
from pointsman.cli import proxy_options as shared
from pointsman.errors import UsageError

ADMIN_PORT = 9901
"""Where the agent of an App Mesh image looks after its Envoy."""


def bootstrap(
    node: shared.Node,
    xds: shared.XdsOption,
    tls_ca: shared.TlsCa = None,
    tls_name: shared.TlsName = None,
    tls_cert: shared.TlsCert = None,
    tls_key: shared.TlsKey = None,
    zone: shared.Zone = "",
    dialect: shared.DialectOption = "delta",
    made_for: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="envoy|app-mesh",
            help="Envoy 1.34 or newer, or the Envoy of an App Mesh image, 1.24 or newer.",
        ),
    ] = "envoy",
    admin: Annotated[
        str | None,
        typer.Option(
            "--admin",
            metavar="PORT|PATH",
            help="Envoy's administration: a port on loopback, or a Unix socket. 9901.",
        ),
    ] = None,
    prometheus: shared.Prometheus = None,
    sds_socket: shared.SdsSocket = None,
    metrics: Annotated[
        bool,
        typer.Option(
            "--metrics", help="Reports what it counts to the control plane; Envoy 1.40 or newer."
        ),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Prints the bootstrap of an Envoy that runs without Pointsman beside it.

    Examples:
      pointsman bootstrap --node mesh/shop/virtualNode/cart_shop --xds mesh.internal:18000
      pointsman bootstrap --for app-mesh --node mesh/shop/virtualNode/cart_shop
        --xds unix:/run/pointsman/xds.sock > bootstrap.yaml

    An App Mesh image takes the file as it is by ENVOY_CONFIG_FILE. Certificates are read once:
    an Envoy that is to follow renewed ones is run by pointsman proxy.
    """
    from pointsman.envoy.config_source import SDS_SOCKET
    from pointsman.proxy.bootstrap import bootstrap as make

    if made_for not in ("envoy", "app-mesh"):
        raise UsageError(f"--for {made_for}: neither envoy nor app-mesh")
    if metrics and made_for == "app-mesh":
        raise UsageError("--metrics: the Envoy of an App Mesh image cannot report")
    node_id = shared.parse_node(node)
    made = make(
        node_id=node_id,
        node_cluster=node_id,
        xds=shared.parse_xds(xds, tls_ca, tls_name, tls_cert, tls_key),
        admin=_admin(admin),
        zone=zone,
        dialect=shared.parse_dialect(dialect),
        envoy="app-mesh" if made_for == "app-mesh" else "current",
        patient=True,
        sds_socket=sds_socket or Path(SDS_SOCKET),
        metrics=metrics,
        prometheus=shared.parse_prometheus(prometheus),
    )
    if as_json:
        output.write_json(made)
    else:
        output.write_yaml(made)


def _admin(text: str | None) -> Path | int:
    if text is None:
        return ADMIN_PORT
    if text.isascii() and text.isdigit():
        if not 0 < int(text) <= 65535:
            raise UsageError(f"--admin {text}: not a port")
        return int(text)
    return Path(text)
