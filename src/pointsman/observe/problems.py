"""Problems for people: where, what, the line itself, what to do, and a count at the end.

Machines get them by `resources.report.problem_json`; both need them located by the store.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from pointsman.observe.lines import SEVERITIES, Line, Piece, line
from pointsman.resources.origin import show_path
from pointsman.resources.problem import Problem, Severity
from pointsman.resources.words import counted


def problem_lines(problems: Iterable[Problem], *, notes: bool) -> Iterator[Line]:
    """Each problem with the line it stands in; notes only when they are asked for."""
    for problem in problems:
        if notes or problem.code.severity is not Severity.NOTE:
            yield from _problem(problem)


def _problem(problem: Problem) -> Iterator[Line]:
    severity = problem.code.severity
    role = SEVERITIES[severity]
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


def summary(problems: Sequence[Problem], *, notes: bool) -> Line:
    """`2 errors, 1 warning in 3 files`, or that there are no problems."""
    counts = Counter(problem.code.severity for problem in problems)
    hidden = 0 if notes else counts.pop(Severity.NOTE, 0)
    more = Piece(f" ({counted(hidden, 'note')} not shown: --notes)" if hidden else "", "faint")
    if not counts:
        return line(Piece("no problems", "good"), more)
    pieces: list[str | Piece] = []
    for severity in Severity:
        if counts[severity]:
            pieces += [", "] if pieces else []
            pieces.append(Piece(counted(counts[severity], severity.value), SEVERITIES[severity]))
    return line(*pieces, _in_files(problems, counts), more)


def _in_files(problems: Iterable[Problem], told: Counter[Severity]) -> str:
    files = {
        problem.origin.source
        for problem in problems
        if problem.origin is not None and problem.code.severity in told
    }
    return f" in {counted(len(files), 'file')}" if files else ""
