"""The catalogue of problems is the truth: every code can happen, and says what to do."""

import re

import pytest

from pointsman.resources.codes import CODES
from pointsman.resources.problem import Code
from tests.support.golden import ROOT

ELSEWHERE = {
    "PM007": "only a running control plane says it: tests/rollout",
    "PM008": "only a running control plane says it: tests/rollout",
    "PM009": "only a running control plane says it: tests/rollout",
    "PM060": "only a running control plane says it: tests/telemetry/test_told.py",
    "PM063": "only a running control plane says it: tests/telemetry/test_told.py",
    "PM104": "bytes, not text: tests/sources/test_files.py",
    "PM310": "decoding refuses it before linking could: tests/graph/test_link_problems.py",
    "PM404": "decoding refuses it before linking could: tests/graph/test_link_problems.py",
    "PM411": "decoding refuses it before linking could: tests/graph/test_link_problems.py",
    "PM111": "only a running instance says it: tests/up/test_history.py",
    "PM601": "only Envoy says it: tests/cli",
    "PM602": "only a running Envoy says it: tests of up",
    "PM604": "only a running Envoy says it: tests/envoy/test_tls_rotation.py",
    "PM603": "only a machine with a taken port says it: tests of up",
    "PM605": "only `up --mesh` says it: tests/up/test_mesh.py",
    "PM606": "only `up --mesh` says it: tests/up/test_mesh.py",
    "PM701": "registry files are no manifests: tests/registry",
    "PM702": "only a registry says it: tests/registry",
    "PM801": "only a running control plane says it: tests/serve",
    "PM802": "only a running control plane says it: tests/identity",
    "PM803": "only a running control plane says it: tests/serve",
    "PM904": "only a running control plane says it: tests/up/test_state_away.py",
    "PM905": "only a running control plane says it: tests/up/test_state_away.py",
    "PM906": "only a running control plane says it: tests/serve/test_quotas.py",
    "PM933": "only a running control plane says it: tests/oauth",
    "PM703": "only a registry that fails says it: tests/registry",
}
"""Codes that no golden case can show, and where they are shown instead."""


def _shown() -> set[str]:
    texts = (file.read_text(encoding="utf-8") for file in ROOT.glob("*/*/problems.txt"))
    return {code for text in texts for code in re.findall(r"^\S*? \w+ (PM\d{3}):", text, re.M)}


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_code_is_explained(code: Code) -> None:
    assert re.fullmatch(r"PM\d{3}", code.id)
    assert code.title
    assert not code.title.endswith(".")
    assert "\n" not in code.title
    assert len(code.explanation) > len(code.title) / 2
    assert code.explanation.endswith(".")


def test_every_code_is_shown_by_a_golden_case() -> None:
    assert set(CODES) - _shown() == set(ELSEWHERE)


def test_golden_cases_show_no_other_codes() -> None:
    assert _shown() <= set(CODES)
