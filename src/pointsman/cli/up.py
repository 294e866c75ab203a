"""`pointsman up`: run the gateways here, and follow the files."""

import asyncio
import signal
from typing import Annotated

import typer

EXAMPLES = """
Examples:

  pointsman up examples/quickstart --echo
      serve every VirtualGateway of a folder, with a demo backend for each virtual node

  pointsman up mesh/ --var APP_NAMESPACE=shop --listen 80=8080
      fill ${APP_NAMESPACE} in the files, and bind the gateway's port 80 to local port 8080

  pointsman up mesh/ --resolve web.shop.svc.cluster.local:8080=127.0.0.1:3000
      send what is meant for a name of the cluster to an application here
"""


def up(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files and folders.")],
    echo: Annotated[
        bool, typer.Option("--echo", help="Run a demo backend for each virtual node without one.")
    ] = False,
    echo_flag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NODE:]NAME=VALUE,...",
            help="How demo backends answer: delay_ms, status, fail_percent, body_bytes.",
        ),
    ] = None,
    resolve: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST:PORT=ADDR:PORT", help="Where a name of the manifests is here."),
    ] = None,
    listen: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[GATEWAY:]PORT=LOCALPORT",
            help="Bind a listener to another local port; 0 lets the system choose.",
        ),
    ] = None,
    bind: Annotated[str, typer.Option(help="IP address listeners bind to.")] = "127.0.0.1",
    var: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Value of ${NAME}.")
    ] = None,
    envoy: Annotated[str | None, typer.Option(help="Envoy binary to run.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Worker threads of each Envoy.")] = 2,
    drain: Annotated[
        float, typer.Option(min=0, help="Seconds that requests in flight get at the end.")
    ] = 5.0,
    notes: Annotated[bool, typer.Option("--notes", help="Show notes, too.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Print without colour.")] = False,
) -> None:
    """Run the gateways and their control plane here; edits of the files apply live."""
    from pointsman.app.instance import Instance
    from pointsman.app.options import UpOptions, parse_move, parse_resolve
    from pointsman.cli.options import read_settings, variables
    from pointsman.cli.up_view import UpView

    settings = read_settings()
    options = UpOptions(
        paths=tuple(paths),
        variables=variables(var or []),
        echo=echo,
        behaviours=_behaviours(echo_flag or []),
        resolves=dict(parse_resolve(item) for item in resolve or []),
        moves=tuple(parse_move(item) for item in listen or []),
        bind=_address(bind),
        envoy=envoy,
        concurrency=concurrency,
        drain_s=drain,
    )
    view = UpView(options, color=not no_color and settings.color, notes=notes)
    asyncio.run(_run(Instance(options, settings, view)))


def _address(text: str) -> str:
    import ipaddress

    from pointsman.errors import UsageError

    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise UsageError(
            f"--bind {text}: not an IP address", hint="127.0.0.1 is the default, 0.0.0.0 is all"
        ) from None


def _behaviours(flags: list[str]) -> dict[str, object]:
    from pointsman.echo.behaviour import EchoBehaviour

    behaviours: dict[str, object] = {}
    for flag in flags:
        node, colon, text = flag.rpartition(":")
        behaviours[node if colon else ""] = EchoBehaviour.parse(text)
    return behaviours


async def _run(instance: object) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    running = asyncio.current_task()

    def end() -> None:
        if stop.is_set() and running is not None:
            running.cancel()  # the second Ctrl-C does not wait for requests
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    await instance.run(stop)  # type: ignore[attr-defined]
