"""Every golden case: what is said, what is meant, and what Envoy is told."""

from pathlib import Path

import pytest

from tests.conftest import Golden
from tests.support.golden import OUTPUTS, ROOT, case_name, cases, load

FILES = [case / name for case in cases() for name in OUTPUTS if (case / name).exists()]
MAX_LINES = 200
"""What is longer is not read."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_output(file: Path, golden: Golden) -> None:
    actual = OUTPUTS[file.name](load(file.parent), file.read_text(encoding="utf-8"))
    golden.check(file, actual)


@pytest.mark.parametrize("case", cases(), ids=case_name)
def test_case_can_be_read(case: Path) -> None:
    assert any((case / name).exists() for name in OUTPUTS), "a case without outputs claims nothing"
    for file in case.iterdir():
        assert len(file.read_text(encoding="utf-8").splitlines()) <= MAX_LINES, file.name


def test_every_folder_is_a_case() -> None:
    known = {file.parent for file in FILES}
    stray = [f for f in ROOT.glob("*/*/problems.txt") if f.parent.parent.name != "decode"]
    assert {file.parent for file in stray} <= known
