"""Healthy manifests have no findings: the examples and the walkthroughs."""

from pathlib import Path

import pytest

from pointsman.app import offline
from pointsman.doctor.engine import diagnose
from pointsman.doctor.evidence import Evidence
from tests.support.corpus import WALKTHROUGHS, needed

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(folder.name for folder in (ROOT / "examples").iterdir() if folder.is_dir())


def found(paths: list[str], variables: dict[str, str]) -> list[str]:
    loaded = offline.load(paths, variables, {})
    evidence = Evidence(loaded.store.resources(), loaded.linked.graph, loaded.problems)
    return [f"{finding.check.code} {finding.message}" for finding in diagnose(evidence)]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 5


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_healthy(name: str) -> None:
    assert found([str(ROOT / "examples" / name)], {}) == []


@pytest.mark.corpus
@needed
@pytest.mark.parametrize("name", WALKTHROUGHS)
def test_a_walkthrough_is_healthy(name: str) -> None:
    walkthrough = WALKTHROUGHS[name]
    assert found([str(file) for file in walkthrough.files], dict(walkthrough.variables)) == []
