"""The command `pointsman`: its commands, and how each of them may end.

0    done; for `check`: no errors
1    errors were found in manifests; for `doctor`: errors or warnings
2    the command line or a path is wrong
3    there is no usable Envoy, or it does not start
4    there is no running instance, or it does not answer
5    the database of consumers and credentials cannot be used
70   a fault of Pointsman itself
130  interrupted
"""

import inspect
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import typer

from pointsman import __version__
from pointsman.aio import garbage
from pointsman.cli.bootstrap import bootstrap
from pointsman.cli.check import check
from pointsman.cli.consumer import COMMANDS as CONSUMER
from pointsman.cli.doctor import doctor
from pointsman.cli.explain import explain
from pointsman.cli.graph import graph
from pointsman.cli.history import history, rollback
from pointsman.cli.identity import COMMANDS as IDENTITY
from pointsman.cli.intercept import intercept
from pointsman.cli.key import COMMANDS as KEY
from pointsman.cli.logs import logs
from pointsman.cli.oauth import COMMANDS as OAUTH
from pointsman.cli.output import write_error
from pointsman.cli.proxy import proxy
from pointsman.cli.quota import COMMANDS as QUOTA
from pointsman.cli.render import render
from pointsman.cli.rollout import COMMANDS as ROLLOUT
from pointsman.cli.serve import serve
from pointsman.cli.status import status
from pointsman.cli.token import COMMANDS as TOKEN
from pointsman.cli.token import audit
from pointsman.cli.top import top
from pointsman.cli.up import up
from pointsman.cli.versions import versions
from pointsman.cli.why import why
from pointsman.errors import PointsmanError, UsageError

EXIT_FAULT = 70
EXIT_INTERRUPTED = 130
LONGEST_FAULT = 300
"""Characters of an unexpected error's own words that are worth a line."""

app = typer.Typer(
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _help(command: Callable[..., None]) -> str:
    """A docstring as help text: paragraphs with indented lines, such as examples, stay as is."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join("\b\n" + text if "\n  " in text else text for text in paragraphs)


_COMMANDS = (
    up,
    check,
    doctor,
    explain,
    render,
    serve,
    proxy,
    bootstrap,
    status,
    top,
    graph,
    versions,
    logs,
    why,
    history,
    rollback,
    intercept,
    audit,
)
for command in _COMMANDS:
    app.command(help=_help(command))(command)

_FAMILIES: tuple[tuple[str, Mapping[str, Callable[..., None]], str], ...] = (
    ("identity", IDENTITY, "Makes and shows the certificates by which proxies prove who they are."),
    ("consumer", CONSUMER, "Makes, lists and removes consumers: applications that call."),
    ("key", KEY, "Issues, rotates and revokes what consumers prove themselves with."),
    ("quota", QUOTA, "Shows how much of shared limits is used, and has quotas begin anew."),
    ("rollout", ROLLOUT, "Shows how rollouts are doing; pauses, promotes and aborts them."),
    ("oauth", OAUTH, "Shows who gets tokens of the gateway, rotates keys, ends what was granted."),
    ("token", TOKEN, "Issues and revokes tokens for the administration over TCP."),
)
for family, below, about in _FAMILIES:
    group = typer.Typer(
        context_settings={"help_option_names": ["-h", "--help"]},
        help=about,
        rich_markup_mode=None,
    )
    for name, each in below.items():
        group.command(name, help=_help(each))(each)
    app.add_typer(group, name=family)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"pointsman {__version__}\n")
        raise typer.Exit


def pointsman(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Prints the version."),
    ] = False,
) -> None:
    """Pointsman reads App Mesh manifests and drives Envoy with them.

    Examples:
      pointsman up examples/quickstart --echo
      pointsman check mesh.yaml
      pointsman explain mesh.yaml GET http://localhost:8088/paths/red
      pointsman render mesh.yaml > envoy.yaml
      pointsman serve mesh/ --xds unix:/run/pointsman/xds.sock
      pointsman proxy --node mesh/shop/virtualNode/cart_shop --xds unix:/run/pointsman/xds.sock
      pointsman status
      pointsman top
      pointsman identity init ./identity

    Exit status: 0 done; 1 errors in manifests; 2 the command or a path is wrong; 3 no usable
    Envoy; 4 no running instance; 70 a fault of Pointsman, --debug anywhere shows the traceback.
    """


app.callback(help=_help(pointsman))(pointsman)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and gives the exit status; the arguments are sys.argv's by default."""
    garbage.patient()
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Manifests that are not UTF-8 are quoted in problems all the same.
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run([argument for argument in given if argument != "--debug"])
    except PointsmanError as error:
        write_error(str(error), error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has gone; Python must not complain while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if debug:
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())
        write_error(
            f"a fault of Pointsman itself: {what[:LONGEST_FAULT]}",
            "please report it, with what the same command prints when --debug is added",
        )
        return EXIT_FAULT


def _run(arguments: list[str]) -> int:
    try:
        result = app(arguments or ["--help"], prog_name="pointsman", standalone_mode=False)
    except typer.Abort:
        return EXIT_INTERRUPTED
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "pointsman"
        message = " ".join(error.format_message().split())
        raise UsageError(message, hint=f"{command} --help shows what it takes") from None
    sys.stdout.flush()
    return result if isinstance(result, int) else 0
