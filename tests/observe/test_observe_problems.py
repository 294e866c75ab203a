import pytest

from pointsman.observe.lines import plain
from pointsman.observe.problems import problem_lines, summary
from pointsman.resources.key import Key
from pointsman.resources.origin import Origin
from pointsman.resources.problem import Code, Problem, Severity

ERROR = Code("PM999", Severity.ERROR, "title", "why")
WARNING = Code("PM998", Severity.WARNING, "title", "why")
NOTE = Code("PM997", Severity.NOTE, "title", "why")


def at(code: Code, source: str) -> Problem:
    return Problem(code, "m", origin=Origin(source, 1, "x: 1"), at=(1, 1))


def test_the_caret_points_at_the_column_of_the_line_in_its_document() -> None:
    origin = Origin("a.yaml", 10, "kind: X\n  port:\there\n")
    problem = Problem(ERROR, "wrong", "mend it", origin=origin, at=(11, 9))
    assert plain(problem_lines([problem], notes=False)) == (
        "a.yaml:11:9: error PM999: wrong\n      port: here\n            ^\n  hint: mend it\n"
    )


def test_a_place_behind_the_document_shows_no_line() -> None:
    problem = Problem(ERROR, "wrong", origin=Origin("a.yaml", 10, "kind: X"), at=(20, 1))
    assert plain(problem_lines([problem], notes=False)) == "a.yaml:20:1: error PM999: wrong\n"


def test_without_place_the_object_and_field_are_named() -> None:
    key = Key("Mesh", "", "m")
    problem = Problem(WARNING, "odd", key=key, path=("spec", "listeners", 0))
    assert plain(problem_lines([problem], notes=False)) == (
        "Mesh m spec.listeners[0]: warning PM998: odd\n"
    )
    nowhere = Problem(WARNING, "odd")
    assert plain(problem_lines([nowhere], notes=False)) == "pointsman: warning PM998: odd\n"


@pytest.mark.parametrize(
    ("problems", "notes", "expected"),
    [
        ([], False, "no problems"),
        ([at(NOTE, "a")], False, "no problems (1 note not shown: --notes)"),
        ([at(NOTE, "a")], True, "1 note in 1 file"),
        (
            [at(ERROR, "a"), at(ERROR, "b"), at(WARNING, "c")],
            False,
            "2 errors, 1 warning in 3 files",
        ),
        (
            [at(WARNING, "a"), at(NOTE, "b"), at(NOTE, "c")],
            False,
            "1 warning in 1 file (2 notes not shown: --notes)",
        ),
        ([Problem(ERROR, "m")], False, "1 error"),
    ],
)
def test_summary_counts_what_is_shown(problems: list[Problem], notes: bool, expected: str) -> None:
    assert plain([summary(problems, notes=notes)]) == expected + "\n"
