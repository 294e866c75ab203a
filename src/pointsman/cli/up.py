"""`pointsman up`: runs the gateways here, and follows the files."""

from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli.addresses import parse_ip
from pointsman.cli.options import (
    AdminAddress,
    Authorities,
    CertificateFile,
    Certificates,
    CloudMapEndpoint,
    CloudMapRegion,
    EnvoyPath,
    IdentityFolder,
    MasterKeyFile,
    NoColor,
    Paths,
    QuotaStoreUrl,
    Registries,
    Resolves,
    StateUrl,
    Variables,
    parse_resolves,
    parse_variables,
    wants_color,
)
from pointsman.cli.runs import run, run_until_signal
from pointsman.cli.state_options import admin_address, state_options
from pointsman.errors import UsageError
from pointsman.settings import read_settings

if TYPE_CHECKING:
    from pointsman.echo.behaviour import EchoBehaviour


def up(
    paths: Paths,
    variables: Variables = [],  # noqa: B006 - typer reads it, nobody writes it
    echo: Annotated[
        bool,
        typer.Option("--echo", help="Runs a demo backend for each virtual node that has none."),
    ] = False,
    echo_flag: Annotated[
        list[str],
        typer.Option(
            "--echo-flag",
            metavar="[NODE:]NAME=VALUE,...",
            help="How demo backends answer: delay_ms, status, fail_percent, body_bytes.",
        ),
    ] = [],  # noqa: B006
    mesh: Annotated[
        bool, typer.Option("--mesh", help="Runs a proxy beside each virtual node's application.")
    ] = False,
    app: Annotated[
        list[str],
        typer.Option(
            "--app",
            metavar="NODE=COMMAND|ADDR:PORT",
            help="The application of a virtual node, with --mesh. Repeatable.",
        ),
    ] = [],  # noqa: B006
    apps: Annotated[
        str | None,
        typer.Option("--apps", metavar="FILE", help="YAML file with applications, for --mesh."),
    ] = None,
    resolves: Resolves = [],  # noqa: B006
    certificate: Certificates = [],  # noqa: B006
    authority: Authorities = [],  # noqa: B006
    certificates: CertificateFile = None,
    mount: Annotated[
        list[str],
        typer.Option(
            "--mount",
            metavar="FOLDER=HERE",
            help="Where certificates are that manifests have in a folder of pods. Repeatable.",
        ),
    ] = [],  # noqa: B006
    registry: Registries = [],  # noqa: B006
    cloud_map: CloudMapRegion = None,
    cloud_map_endpoint: CloudMapEndpoint = None,
    identity: IdentityFolder = None,
    state: StateUrl = None,
    master_key: MasterKeyFile = None,
    quota_store: QuotaStoreUrl = None,
    admin: AdminAddress = None,
    listen: Annotated[
        list[str],
        typer.Option(
            "--listen",
            metavar="[GATEWAY:]PORT=LOCALPORT",
            help="Moves a listener to another local port; 0 lets the system choose. Repeatable.",
        ),
    ] = [],  # noqa: B006
    bind: Annotated[
        str, typer.Option("--bind", metavar="ADDR", help="IP address listeners bind to.")
    ] = "127.0.0.1",
    envoy: EnvoyPath = None,
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, help="Worker threads of each gateway's Envoy.")
    ] = 2,
    drain: Annotated[
        float,
        typer.Option(
            "--drain", min=0, metavar="SECONDS", help="What requests in flight get at the end."
        ),
    ] = 5.0,
    notes: Annotated[bool, typer.Option("--notes", help="Shows notes, too.")] = False,
    no_color: NoColor = False,
) -> None:
    """Runs the gateways and their control plane here; edits of the files apply live.

    With --mesh, runs the proxies of all virtual nodes, too, so that requests between
    applications cross both proxies.

    Examples:
      pointsman up examples/quickstart --echo
      pointsman up mesh/ --var APP_NAMESPACE=shop --listen 80=8080
      pointsman up mesh/ --resolve web.shop.svc.cluster.local:8080=127.0.0.1:3000
      pointsman up mesh/ --echo --echo-flag blue:fail_percent=50
      pointsman up examples/mesh --mesh --echo
      pointsman up mesh/ --mesh --echo --app front='python front.py' --app db=127.0.0.1:5432
    """
    import logging
    from dataclasses import replace

    import structlog

    from pointsman.app.certificates import read_certificates
    from pointsman.app.discovery import DiscoveryOptions
    from pointsman.app.instance import Instance
    from pointsman.app.options import UpOptions, parse_mounts, parse_move
    from pointsman.app.own import read_applications
    from pointsman.cli.up_view import UpView
    from pointsman.graph.model.cluster import Address

    if (app or apps) and not mesh:
        what = "--app" if app else "--apps"
        raise UsageError(f"{what} is for virtual nodes with a proxy", hint="add --mesh")
    # The view tells what matters; the log is for what it does not foresee.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    settings = read_settings()
    options = UpOptions(
        paths=tuple(paths),
        variables=parse_variables(variables),
        echo=echo,
        behaviours=_behaviours(echo_flag),
        resolves={name: Address(*where) for name, where in parse_resolves(resolves).items()},
        certificates=replace(
            read_certificates(certificates, certificate, authority), mounts=parse_mounts(mount)
        ),
        discovery=DiscoveryOptions(tuple(registry), cloud_map, cloud_map_endpoint),
        identity=identity,
        state=state_options(state, master_key, quota_store, settings),
        admin=admin_address(admin),
        moves=tuple(map(parse_move, listen)),
        bind=parse_ip("--bind", bind),
        envoy=envoy,
        concurrency=concurrency,
        drain_s=drain,
        mesh=mesh,
        applications=read_applications(app, apps),
    )
    view = UpView(options, color=wants_color(no_color), notes=notes)
    run(run_until_signal(Instance(options, settings, view)))


def _behaviours(flags: list[str]) -> "dict[str, EchoBehaviour]":
    from pointsman.echo.behaviour import EchoBehaviour

    behaviours = {}
    for flag in flags:
        node, _, text = flag.rpartition(":")
        behaviours[node] = EchoBehaviour.parse(text)
    return behaviours
