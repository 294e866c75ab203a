"""`pointsman proxy`: one proxy of a mesh, on a machine or in a container."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli import proxy_options as shared
from pointsman.cli import runs
from pointsman.cli.options import EnvoyPath
from pointsman.cli.serve_access import health_address
from pointsman.errors import UsageError
from pointsman.settings import read_settings

if TYPE_CHECKING:
    from pointsman.app.proxy import ProxyRun

LOG_LEVELS = ("trace", "debug", "info", "warning", "error", "critical", "off")


def proxy(
    node: shared.Node,
    xds: shared.XdsOption,
    tls_ca: shared.TlsCa = None,
    tls_name: shared.TlsName = None,
    tls_cert: shared.TlsCert = None,
    tls_key: shared.TlsKey = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="Proves which node it is by a token."),
    ] = None,
    zone: shared.Zone = "",
    dialect: shared.DialectOption = "delta",
    health: Annotated[
        str,
        typer.Option(
            "--health",
            metavar="ADDR:PORT|off",
            help="Answers GET /live and GET /ready there; 503 while it drains.",
        ),
    ] = "127.0.0.1:9902",
    admin_socket: Annotated[
        Path | None,
        typer.Option(
            "--admin-socket", metavar="PATH", help="Leads to Envoy's administration socket."
        ),
    ] = None,
    prometheus: shared.Prometheus = None,
    sds_socket: shared.SdsSocket = None,
    envoy: EnvoyPath = None,
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, help="Worker threads of Envoy.")
    ] = 2,
    log_level: Annotated[
        str, typer.Option("--log-level", metavar="LEVEL", help="Envoy's own log level.")
    ] = "warning",
    drain: Annotated[
        int,
        typer.Option(
            "--drain",
            min=0,
            metavar="SECONDS",
            help="What requests in flight get at the end, and at a hot restart.",
        ),
    ] = 20,
    no_restart: Annotated[
        bool,
        typer.Option("--no-restart", help="Ends with Envoy instead of starting it again."),
    ] = False,
) -> None:
    """Runs one proxy of a mesh, on a machine or in a container: an Envoy, looked after.

    Examples:
      pointsman proxy --node mesh/shop/virtualNode/cart_shop --xds unix:/run/pointsman/xds.sock
      pointsman proxy --node mesh/shop/virtualGateway/edge_shop --xds mesh.internal:18000
        --tls-ca ca.pem --tls-cert edge.pem --tls-key edge.key

    Signals: SIGTERM and SIGINT drain and end; SIGHUP puts a new Envoy in the place of the one
    that runs, without a gap. A proxy beside an application whose connections are redirected to it
    has to run as a user of its own, by custom 1337, so that its own are not.

    Exit status: that of Envoy, if it ends by itself and properly, or with --no-restart.
    """
    from pointsman.app.proxy import ProxyOptions, ProxyRun
    from pointsman.cli.proxy_news import JsonProxyNews
    from pointsman.cli.serve_news import log_json
    from pointsman.envoy.config_source import SDS_SOCKET

    if log_level not in LOG_LEVELS:
        raise UsageError(f"--log-level {log_level}: none of {', '.join(LOG_LEVELS)}")
    if token_file is not None and tls_ca is None:
        raise UsageError("--token-file needs --tls-ca: a token must not travel in the clear")
    options = ProxyOptions(
        node_id=shared.parse_node(node),
        xds=shared.parse_xds(xds, tls_ca, tls_name, tls_cert, tls_key),
        token=token_file,
        zone=zone,
        dialect=shared.parse_dialect(dialect),
        health=None if health == "off" else health_address(health),
        admin_socket=admin_socket,
        prometheus=shared.parse_prometheus(prometheus),
        sds_socket=sds_socket or Path(SDS_SOCKET),
        envoy=envoy,
        concurrency=concurrency,
        log_level=log_level,
        drain_s=drain,
        restarts=not no_restart,
    )
    log_json()
    status = runs.run(_run(ProxyRun(options, read_settings(), JsonProxyNews(node))))
    if status:
        raise typer.Exit(status)


async def _run(run: "ProxyRun") -> int:
    import asyncio

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, run.upgrade)
    await runs.run_until_signal(run)
    return run.status
