"""What is wrong with what people wrote, as a value.

Layers return problems beside their results and never raise for bad input. A problem names its
object by key; `Store.locate` adds the file, line and column when it is shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath, Origin


class Severity(StrEnum):
    """How much a problem matters: an error is not served, a warning is, a note only informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for what matters most; the larger, the less it matters."""
        return tuple(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Code:
    """A stable, documented kind of problem (`docs/problems.md` is generated from these).

    Attributes:
        id: `PM` and three digits; never reused for something else.
        severity: the same for every problem of this code.
        title: one line, without the particulars.
        explanation: why it matters and what to do, for the documentation.
    """

    id: str
    severity: Severity
    title: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: what, where, and what to do about it.

    Attributes:
        code: the kind of problem.
        message: one sentence with the particulars.
        hint: what to write instead, or "".
        key: the object concerned, where one could be named.
        path: the field concerned, from the root of the object; () for the whole object.
        origin: where it was written, when `key` alone does not tell.
        at: line and column (from 1) in the source, when already known.
    """

    code: Code
    message: str
    hint: str = ""
    key: Key | None = None
    path: FieldPath = ()
    origin: Origin | None = None
    at: tuple[int, int] | None = None


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether any of the problems keeps something from being served."""
    return any(problem.code.severity is Severity.ERROR for problem in problems)
