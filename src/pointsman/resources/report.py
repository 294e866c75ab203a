"""How a located problem is shown to machines."""

from typing import TypedDict

from pointsman.resources.origin import show_path
from pointsman.resources.problem import Problem


class ProblemJson(TypedDict):
    """A problem for machines; what is not known is None."""

    code: str
    severity: str
    message: str
    hint: str | None
    file: str | None
    line: int | None
    column: int | None
    object: str | None
    field: str | None


def problem_json(problem: Problem) -> ProblemJson:
    """A problem, located by `Store.locate`, as plain values."""
    line, column = problem.at or (None, None)
    return {
        "code": problem.code.id,
        "severity": problem.code.severity.value,
        "message": problem.message,
        "hint": problem.hint or None,
        "file": problem.origin.source if problem.origin else None,
        "line": line,
        "column": column,
        "object": str(problem.key) if problem.key else None,
        "field": show_path(problem.path) or None,
    }
