"""`pointsman serve`: the control plane alone, for proxies wherever they run."""

import os
from pathlib import Path
from typing import Annotated

import typer

from pointsman.cli.addresses import parse_host_port, parse_ip
from pointsman.cli.options import (
    AdminAddress,
    Authorities,
    CertificateFile,
    Certificates,
    CloudMapEndpoint,
    CloudMapRegion,
    IdentityFolder,
    MasterKeyFile,
    Paths,
    QuotaStoreUrl,
    Registries,
    Resolves,
    StateUrl,
    Variables,
    parse_resolves,
    parse_variables,
)
from pointsman.cli.runs import run, run_until_signal
from pointsman.cli.serve_access import (
    admission,
    health_address,
    server_tls,
    socket_permissions,
)
from pointsman.cli.state_options import admin_address, state_options
from pointsman.settings import read_settings

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
    state: StateUrl = None,
    master_key: MasterKeyFile = None,
    quota_store: QuotaStoreUrl = None,
    admin: AdminAddress = None,
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
        str | None,
        typer.Option(
            "--trust-domain",
            metavar="NAME",
            help="Trust domain of the names in certificates: pointsman.local, or the authority's.",
        ),
    ] = None,
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
    from pointsman.app.certificates import read_certificates
    from pointsman.app.discovery import DiscoveryOptions
    from pointsman.app.serve import ServeOptions, Service
    from pointsman.cli.serve_news import JsonNews, log_json
    from pointsman.graph.model.cluster import Address
    from pointsman.xds.address import UNIX, ListenOptions

    unix = xds.startswith(UNIX)
    if not unix:
        parse_host_port("--xds", xds)
    tls = server_tls(tls_cert, tls_key, client_ca, unix=unix)
    age_s = max_stream_age if max_stream_age is not None else (0.0 if unix else DEFAULT_AGE_S)
    settings = read_settings()
    options = ServeOptions(
        paths=tuple(paths),
        xds=ListenOptions(xds, tls, insecure, socket_permissions(socket_mode)),
        variables=parse_variables(variables),
        resolves={name: Address(*where) for name, where in parse_resolves(resolves).items()},
        certificates=read_certificates(certificates, certificate, authority),
        discovery=DiscoveryOptions(tuple(registry), cloud_map, cloud_map_endpoint),
        identity=identity,
        state=state_options(state, master_key, quota_store, settings),
        admin=admin_address(admin),
        trust_domain=trust_domain,
        bind=parse_ip("--bind", bind),
        admission=admission(tls, identity, trust_domain, any_node=any_node),
        age_s=age_s or None,
        grace_s=grace,
        health=None if health is None else health_address(health),
    )
    log_json()
    if tls is not None:
        # Before gRPC is first used: only its own log says why a handshake failed.
        os.environ.setdefault("GRPC_VERBOSITY", "INFO")
    run(run_until_signal(Service(options, settings, JsonNews())))
