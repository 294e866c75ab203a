"""`--over TIME`: how far back numbers of traffic go."""

import re
from typing import Annotated, Final

import typer

from pointsman.errors import UsageError

_PERIOD: Final = re.compile(r"([0-9]+)(s|m)")
_SECONDS: Final = {"s": 1, "m": 60}
LONGEST_S: Final = 1800
SHORTEST_S: Final = 5

Over = Annotated[
    str, typer.Option("--over", metavar="TIME", help="The time before now, 5s to 30m.")
]


def parse_over(text: str, option: str = "--over") -> int:
    """`90s` or `5m` in seconds.

    Raises:
        UsageError: it is neither, or not within what is kept.
    """
    found = _PERIOD.fullmatch(text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise UsageError(
            f"{option} {text}: not a time from {SHORTEST_S}s to {LONGEST_S // 60}m",
            hint=f"for example {option} 30s, or {option} 5m",
        )
    return seconds
