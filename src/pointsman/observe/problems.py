"""Problems for people: where, what, the line itself, what to do, and a count at the end.

Machines get them by `resources.report.problem_json`; both need them located by the store.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from pointsman.observe.lines import Line, Piece, Role, line
from pointsman.resources.origin import show_path
from pointsman.resources.problem import Problem, Severity

_ROLES: dict[Severity, Role] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "note",
}


def problem_lines(problem: Problem) -> Iterator[Line]:
    """A problem, the line it stands in, and what to do about it."""
    severity = problem.code.severity
    role = _ROLES[severity]
    yield line(
        Piece(_where(problem), "strong"),
        ": ",
        Piece(f"{severity} {problem.code.id}", role),
        f": {problem.message}",
    )
    text = _written(problem)
    if problem.at is not None and text.strip():
        yield line("    ", text)
        yield line("    ", " " * (problem.at[1] - 1), Piece("^", role))
    if problem.hint:
        yield line("  ", Piece("hint: ", "faint"), problem.hint)


def _where(problem: Problem) -> str:
    if problem.origin is not None and problem.at is not None:
        return f"{problem.origin.source}:{problem.at[0]}:{problem.at[1]}"
    if problem.key is not None:
        return f"{problem.key} {show_path(problem.path)}".rstrip()
    return "pointsman"


def _written(problem: Problem) -> str:
    """The line a problem stands in, with its variables filled in; "" when it is not at hand."""
    if problem.origin is None or problem.at is None:
        return ""
    lines = problem.origin.text.split("\n")
    index = problem.at[0] - problem.origin.line
    return lines[index].rstrip().replace("\t", " ") if 0 <= index < len(lines) else ""


def count_line(problems: Sequence[Problem], hidden_notes: int = 0) -> Line:
    """`2 errors, 1 warning in 3 files`, or that there are no problems.

    Args:
        problems: those shown.
        hidden_notes: how many more there are that only inform.
    """
    more = f" ({_count(hidden_notes, 'note')} not shown: --notes)" if hidden_notes else ""
    if not problems:
        return line(Piece("no problems", "good"), Piece(more, "faint"))
    counts = Counter(problem.code.severity for problem in problems)
    pieces: list[str | Piece] = []
    for severity in Severity:
        if counts[severity]:
            pieces += [", "] if pieces else []
            pieces.append(Piece(_count(counts[severity], severity.value), _ROLES[severity]))
    files = {problem.origin.source for problem in problems if problem.origin is not None}
    where = f" in {_count(len(files), 'file')}" if files else ""
    return line(*pieces, where, Piece(more, "faint"))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
