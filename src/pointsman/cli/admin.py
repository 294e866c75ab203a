"""What the commands about consumers, keys and tokens share."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pointsman.cli import output
from pointsman.errors import UsageError
from pointsman.observe.lines import Piece, line, table

if TYPE_CHECKING:
    from pointsman.api.admin_client import AdminClient

Commands = Mapping[str, Callable[..., None]]
"""The commands of a family, by name."""

_LENGTH = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[smhdwy])\Z")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}


@contextmanager
def administering(instance: int | None) -> "Iterator[AdminClient]":
    """A client of the running instance.

    Raises:
        InstanceError: there is none, or it cannot be told which.
    """
    from pointsman.api.admin_client import AdminClient
    from pointsman.api.instances import find_instance
    from pointsman.settings import read_settings

    with AdminClient(find_instance(read_settings().runtime_folder, instance)) as client:
        yield client


def consumer_path(name: str) -> tuple[str, str]:
    """Namespace and name of `[NAMESPACE/]NAME`.

    Raises:
        UsageError: there is more than one slash, or nothing on one side of it.
    """
    namespace, slash, rest = name.rpartition("/")
    if "/" in namespace or not rest or (slash and not namespace):
        raise UsageError(f"{name} is no consumer", hint="write NAMESPACE/NAME, or NAME of default")
    return namespace or "default", rest


def seconds(option: str, text: str | None) -> int | None:
    """A length of time such as `90s`, `24h`, `30d`.

    Raises:
        UsageError: the text is none.
    """
    if text is None:
        return None
    found = _LENGTH.match(text)
    if found is None:
        raise UsageError(f"{option} {text}: not a length of time", hint="for example 24h or 30d")
    return int(found["number"]) * _SECONDS[found["unit"]]


def moment(text: str | None) -> str:
    """A moment as tables show it; `never` for none."""
    if text is None:
        return "never"
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}Z"


def show_table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, color: bool) -> None:
    """Columns, or a word that there is nothing."""
    found = list(rows)
    lines = table(headings, found, indent=0) if found else [line("none")]
    output.write_lines(lines, color=color)


def show_secret(kind: str, name: str, secret: str, *, quiet: bool, color: bool) -> None:
    """A secret that was just made; `quiet` shows it alone."""
    if quiet:
        output.write_lines([line(secret)], color=False)
        return
    lines = [
        line(f"{kind} ", Piece(name, "name")),
        line("  ", Piece(secret, "strong")),
        line(Piece("It is shown this once: keep it where nobody else can read it.", "faint")),
    ]
    output.write_lines(lines, color=color)


def pairs(option: str, texts: Iterable[str]) -> dict[str, Any]:
    """`NAME=VALUE` texts.

    Raises:
        UsageError: one has no equals sign.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{option} {text}: write NAME=VALUE")
        found[name] = value
    return found
