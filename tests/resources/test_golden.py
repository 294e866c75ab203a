"""Manifests with mistakes, and exactly what is said about them (tests/golden/decode)."""

from pathlib import Path

import pytest

from pointsman.resources.store import Store
from tests.conftest import Golden
from tests.support.problems import problem_line

CASES = sorted((Path(__file__).parents[1] / "golden" / "decode").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_problems(case: Path, golden: Golden) -> None:
    store = Store({"NAME": "shop"})
    store.replace("in.yaml", (case / "in.yaml").read_text(encoding="utf-8"))
    located = sorted(map(store.locate, store.problems()), key=lambda problem: problem.at or (0, 0))
    objects = store.resources().by_kind.values()
    lines = [problem_line(problem) for problem in located]
    lines += [f"in force: {key}" for key in sorted(key for kind in objects for key in kind)]
    golden.check(case / "problems.txt", "\n".join(lines) + "\n")
