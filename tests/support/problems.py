"""Problems as one line each, for golden files and messages of tests."""

from pointsman.resources.problem import Problem
from pointsman.resources.report import problem_json


def problem_line(problem: Problem) -> str:
    """`file:line:column: error PM201: message (hint) [Kind namespace/name]`."""
    shown = problem_json(problem)
    place = ":".join(str(part) for part in (shown["file"], shown["line"], shown["column"]) if part)
    line = f"{shown['severity']} {shown['code']}: {shown['message']}"
    line += f" ({shown['hint']})" if shown["hint"] else ""
    line += f" [{shown['object']}]" if shown["object"] else ""
    return f"{place}: {line}" if place else line
