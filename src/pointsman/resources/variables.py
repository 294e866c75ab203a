"""Fills `${NAME}` in manifests, as envsubst does.

Only this form is a variable: regular expressions and log formats contain bare dollars.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Unset:
    """A variable without a value, where it is used first: line and column from 1."""

    name: str
    line: int
    column: int


def fill(text: str, values: Mapping[str, str]) -> tuple[str, tuple[Unset, ...]]:
    """The text with variables replaced, and those without a value, which became empty.

    A text without variables is returned as the same object.
    """
    if "${" not in text:
        return text, ()
    unset: dict[str, Unset] = {}

    def value(match: re.Match[str]) -> str:
        name, start = match.group(1), match.start()
        if name not in values and name not in unset:
            column = start - text.rfind("\n", 0, start)
            unset[name] = Unset(name, text.count("\n", 0, start) + 1, column)
        return values.get(name, "")

    return _VARIABLE.sub(value, text), tuple(unset.values())
