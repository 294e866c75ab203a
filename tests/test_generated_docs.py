"""docs/problems.md, docs/manifests.md and the table of docs/doctor.md say what the code says, and
dashboards/ what its script says.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pointsman.doctor.catalogue import CHECKS
from pointsman.resources.codes import CODES

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("script", ["generate_docs.py", "generate_dashboards.py"])
def test_what_is_generated_is_current(script: str) -> None:
    ended = subprocess.run(
        [sys.executable, ROOT / "scripts" / script, "--check"],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.returncode == 0


def test_every_problem_has_an_anchor() -> None:
    page = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    assert set(re.findall(r'<a id="(PM\d+)"></a>', page)) == set(CODES)


def test_every_check_of_doctor_is_in_its_table() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| ([RLUDC]\d\d) \|", page, re.MULTILINE) == list(CHECKS)


def test_no_link_of_the_manifest_reference_leads_nowhere() -> None:
    page = (ROOT / "docs" / "manifests.md").read_text(encoding="utf-8")
    anchors = re.findall(r'<a id="([^"]+)"></a>', page)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= set(anchors)
    assert "| matchExpressions" in page.replace("`", "")
