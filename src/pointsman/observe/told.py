"""An answer in both forms, as it travels between an instance and the command line."""

from dataclasses import dataclass
from typing import Any

from pointsman.observe.lines import Line


@dataclass(frozen=True, slots=True)
class Told:
    """An answer.

    Attributes:
        known: for machines.
        lines: for people.
    """

    known: dict[str, Any]
    lines: list[Line]
