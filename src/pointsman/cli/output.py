"""Where results go: JSON or text to standard output, everything else to standard error."""

import json
import re
import sys
from collections.abc import Iterable
from typing import IO, Any, Self

from pointsman.observe.lines import Line, Piece, Role, line, plain

_STYLES: dict[Role, str] = {
    "": "",
    "name": "cyan",
    "strong": "bold",
    "faint": "dim",
    "good": "green",
    "error": "bold red",
    "warning": "yellow",
    "note": "blue",
}


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What could steer a terminal; manifests and Envoy's log are quoted, and may hold anything."""


def write_json(value: Any) -> None:
    """A result for machines."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_text(text: str) -> None:
    """A result for other programs, as it is."""
    sys.stdout.write(text)


def write_yaml(value: Any) -> None:
    """A result for machines that people read."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    # By way of JSON: what occurs twice is written twice, and every mapping is a plain one.
    plain_value = json.loads(json.dumps(value))
    yaml.dump(plain_value, sys.stdout, dumper, sort_keys=False, allow_unicode=True, width=10_000)


def write_lines(lines: Iterable[Line], *, color: bool, stream: IO[str] | None = None) -> None:
    """A result for people; coloured only on a terminal, and never wrapped."""
    target = sys.stdout if stream is None else stream
    lines = [tuple(Piece(_shown(piece.text), piece.role) for piece in item) for item in lines]
    if not color or not target.isatty():
        target.write(plain(lines))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=target, highlight=False, soft_wrap=True)
    for item in lines:
        console.print(Text.assemble(*((piece.text, _STYLES[piece.role]) for piece in item)))


class Screen:
    """A result that changes, on a terminal: each state is drawn over the one before.

    Args:
        color: whether to colour.
    """

    def __init__(self, *, color: bool) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(highlight=False, no_color=not color)
        self._live = Live(console=console, auto_refresh=False, screen=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, lines: Iterable[Line]) -> None:
        """Draws a state; lines that are too long are cut, and those for which there is no room."""
        from rich.text import Text

        drawn = (
            Text.assemble(*((_shown(piece.text), _STYLES[piece.role]) for piece in item))
            for item in lines
        )
        whole = Text("\n", no_wrap=True, overflow="ellipsis").join(drawn)
        whole.no_wrap, whole.overflow = True, "ellipsis"
        self._live.update(whole, refresh=True)


def _shown(text: str) -> str:
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def write_error(message: str, hint: str = "", *, color: bool = False) -> None:
    """One line that says what went wrong, and one that says what to do about it."""
    lines = [line(Piece("pointsman: ", "error"), message)]
    if hint:
        lines.append(line(Piece("hint: ", "faint"), hint))
    write_lines(lines, color=color, stream=sys.stderr)
