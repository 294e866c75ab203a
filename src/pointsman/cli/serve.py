"""`pointsman serve`: the control plane alone, for proxies wherever they run."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli.addresses import parse_host_port, parse_ip
from pointsman.cli.options import (
    Authorities,
    CertificateFile,
    Certificates,
    CloudMapEndpoint,
    CloudMapRegion,
    IdentityFolder,
    Paths,
    Registries,
    Resolves,
    Variables,
    parse_resolves,
    parse_variables,
)
from pointsman.cli.runs import run_until_signal
from pointsman.errors import UsageError
from pointsman.settings import read_settings

if TYPE_CHECKING:
    from pointsman.xds.admission import Admission
    from pointsman.xds.server_tls import ServerTls

DEFAULT_XDS = "127.0.0.1:18000"
DEFAULT_AGE_S = 1800.0


def serve(
    paths: Paths,
    variables: Variables = [],  # noqa: B006 - typer reads it, nobody writes it
    resolves: Resolves = [],  # noqa: B006
    certificate: Certificates = [],  # noqa: B006
    authority: Authorities = [],  # noqa: B006
    certificates: CertificateFile = None,
    registry: Registries = [],  # noqa: B006
    cloud_map: CloudMapRegion = None,
    cloud_map_endpoint: CloudMapEndpoint = None,
    identity: IdentityFolder = None,
    xds: Annotated[
        str,
        typer.Option("--xds", metavar="HOST:PORT|unix:PATH", help="Where proxies connect to."),
    ] = DEFAULT_XDS,
    tls_cert: Annotated[
        Path | None,
        typer.Option("--tls-cert", metavar="FILE", help="The server's certificates, PEM."),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="Its private key, PEM.")
    ] = None,
    client_ca: Annotated[
        Path | None,
        typer.Option(
            "--client-ca",
            metavar="FILE",
            help="Authorities of proxies' certificates. Each proxy gets only the node that its "
            "certificate names.",
        ),
    ] = None,
    trust_domain: Annotated[
        str,
        typer.Option(
            "--trust-domain", metavar="NAME", help="Trust domain of the names in certificates."
        ),
    ] = "pointsman.local",
    any_node: Annotated[
        bool,
        typer.Option(
            "--any-node", help="TLS without identity: whoever connects may have any node."
        ),
    ] = False,
    insecure: Annotated[
        bool,
        typer.Option("--insecure", help="Allows plaintext on an address others can reach."),
    ] = False,
    socket_mode: Annotated[
        str,
        typer.Option("--socket-mode", metavar="OCTAL", help="Permissions of a Unix socket."),
    ] = "0600",
    bind: Annotated[
        str,
        typer.Option("--bind", metavar="ADDR", help="IP address the proxies' listeners bind to."),
    ] = "0.0.0.0",
    health: Annotated[
        str | None,
        typer.Option(
            "--health", metavar="ADDR:PORT", help="Answers GET /live and GET /ready there."
        ),
    ] = None,
    grace: Annotated[
        float,
        typer.Option(
            "--grace", min=0, metavar="SECONDS", help="Time over which streams end at the end."
        ),
    ] = 5.0,
    max_stream_age: Annotated[
        float | None,
        typer.Option(
            "--max-stream-age",
            min=0,
            metavar="SECONDS",
            help="Has proxies connect anew after about this time, to spread over several servers; "
            "0 never does. 1800 over TCP, 0 over a Unix socket.",
        ),
    ] = None,
) -> None:
    """Serves proxies wherever they run: the control plane alone; edits of the files apply live.

    Examples:
      pointsman serve mesh/ --xds unix:/run/pointsman/xds.sock
      pointsman serve mesh/ --xds 0.0.0.0:18000 --tls-cert c.pem --tls-key k.pem --client-ca ca.pem
      pointsman serve mesh/ --xds 10.0.0.5:18000 --insecure --health 0.0.0.0:8080

    Signals: SIGTERM and SIGINT end streams one after the other; proxies keep what they have.
    """
    from pointsman.api.health import HealthAddress
    from pointsman.app.certificates import read_certificates
    from pointsman.app.discovery import DiscoveryOptions
    from pointsman.app.serve import ServeOptions, Service
    from pointsman.cli.serve_news import JsonNews, log_json
    from pointsman.graph.model.cluster import Address
    from pointsman.xds.address import UNIX, ListenOptions

    unix = xds.startswith(UNIX)
    if not unix:
        parse_host_port("--xds", xds)
    tls = _tls(tls_cert, tls_key, client_ca, unix=unix)
    age_s = max_stream_age if max_stream_age is not None else (0.0 if unix else DEFAULT_AGE_S)
    options = ServeOptions(
        paths=tuple(paths),
        xds=ListenOptions(xds, tls, insecure, _mode(socket_mode)),
        variables=parse_variables(variables),
        resolves={name: Address(*where) for name, where in parse_resolves(resolves).items()},
        certificates=read_certificates(certificates, certificate, authority),
        discovery=DiscoveryOptions(tuple(registry), cloud_map, cloud_map_endpoint),
        identity=identity,
        bind=parse_ip("--bind", bind),
        admission=_admission(tls, trust_domain, any_node=any_node),
        age_s=age_s or None,
        grace_s=grace,
        health=HealthAddress(*_health(health)) if health is not None else None,
    )
    log_json()
    if tls is not None:
        # Before gRPC is loaded: only its own log says why a handshake failed.
        os.environ.setdefault("GRPC_VERBOSITY", "INFO")
    try:
        asyncio.run(run_until_signal(Service(options, read_settings(), JsonNews())))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _tls(
    certificate: Path | None, key: Path | None, client_ca: Path | None, *, unix: bool
) -> "ServerTls | None":
    from pointsman.xds.server_tls import ServerTls

    given = [
        name
        for name, value in (
            ("--tls-cert", certificate),
            ("--tls-key", key),
            ("--client-ca", client_ca),
        )
        if value is not None
    ]
    if not given:
        return None
    if unix:
        raise UsageError(f"{given[0]} is for TCP", hint="a Unix socket has permissions instead")
    if certificate is None or key is None:
        raise UsageError("TLS needs both --tls-cert and --tls-key")
    return ServerTls(certificate, key, client_ca)


def _admission(tls: "ServerTls | None", trust_domain: str, *, any_node: bool) -> "Admission":
    from functools import partial

    from pointsman.xds.admission import Anyone, Proven, node_of_spiffe_id

    if tls is None or any_node:
        if tls is not None and tls.client_ca is not None:
            raise UsageError("--any-node and --client-ca contradict each other")
        return Anyone()
    if tls.client_ca is None:
        raise UsageError(
            "TLS without --client-ca: nothing tells which node a proxy is",
            hint="name the authority of their certificates, or say --any-node",
        )
    return Proven(node_of_uri=partial(node_of_spiffe_id, trust_domain=trust_domain))


def _mode(text: str) -> int:
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise UsageError(f"--socket-mode {text}: not permissions", hint="for example 0660")
    return mode


def _health(text: str) -> tuple[str, int]:
    host, port = parse_host_port("--health", text)
    return parse_ip("--health", host), port
