import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.doctor.case import BASE, CART, gateway_route, node, service

GREEDY = gateway_route("any", "{path: {regex: '.*'}}") + gateway_route("v1", "{prefix: /v1}")
NOTE = node(
    "cart",
    "outlierDetection: {maxServerErrors: 5, interval: {unit: s, value: 10}, "
    "baseEjectionDuration: {unit: s, value: 30}, maxEjectionPercent: 50}",
) + service("cart")
TEXT = """\
1 warning

  mesh.yaml:30:20: R11 GatewayRoute shop/any takes every request before 1 route behind it
    because GatewayRoute shop/any matches regex .*  mesh.yaml:30:20
    because GatewayRoute shop/v1 matches prefix /v1  mesh.yaml:35:20
    advice  write `prefix: /`, which is tried last
    patch   of GatewayRoute shop/any, as JSON Patch:
            - op: remove
              path: /spec/httpRoute/match/path
            - op: add
              path: /spec/httpRoute/match/prefix
              value: /

1 warning
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_to_find(run: Run, folder: Path) -> None:
    (folder / "mesh.yaml").write_text(BASE + CART + gateway_route("all", "{prefix: /}"))
    ended = run("doctor", "mesh.yaml")
    assert (ended.status, ended.out, ended.err) == (0, "no findings\n", "")


def test_a_finding_with_its_place_evidence_advice_and_patch(run: Run, folder: Path) -> None:
    (folder / "mesh.yaml").write_text(BASE + CART + GREEDY)
    ended = run("doctor", "mesh.yaml")
    assert (ended.status, ended.err) == (1, "")
    assert ended.out == TEXT


def test_machines_get_the_same(run: Run, folder: Path) -> None:
    (folder / "mesh.yaml").write_text(BASE + CART + GREEDY)
    ended = run("doctor", "mesh.yaml", "--json")
    (finding,) = json.loads(ended.out)["findings"]
    assert ended.status == 1
    assert finding == {
        "check": "R11",
        "title": "a regular expression takes every path, or none",
        "severity": "warning",
        "symptoms": ["misroute"],
        "message": "GatewayRoute shop/any takes every request before 1 route behind it",
        "advice": "write `prefix: /`, which is tried last",
        "problem": None,
        "file": "mesh.yaml",
        "line": 30,
        "column": 20,
        "object": "GatewayRoute shop/any",
        "field": "spec.httpRoute.match",
        "evidence": [
            {
                "text": "GatewayRoute shop/any matches regex .*",
                "file": "mesh.yaml",
                "line": 30,
                "column": 20,
                "object": "GatewayRoute shop/any",
                "field": "spec.httpRoute.match",
            },
            {
                "text": "GatewayRoute shop/v1 matches prefix /v1",
                "file": "mesh.yaml",
                "line": 35,
                "column": 20,
                "object": "GatewayRoute shop/v1",
                "field": "spec.httpRoute.match",
            },
        ],
        "patch": [
            {"op": "remove", "path": "/spec/httpRoute/match/path"},
            {"op": "add", "path": "/spec/httpRoute/match/prefix", "value": "/"},
        ],
    }


@pytest.mark.parametrize(("symptom", "status"), [("misroute", 1), ("slow", 0), ("down", 0)])
def test_only_what_may_be_the_cause(run: Run, folder: Path, symptom: str, status: int) -> None:
    (folder / "mesh.yaml").write_text(BASE + CART + GREEDY)
    ended = run("doctor", "mesh.yaml", "--symptom", symptom)
    assert ended.status == status
    assert ("R11" in ended.out) == (status == 1)


def test_notes_are_shown_and_harmless(run: Run, folder: Path) -> None:
    (folder / "mesh.yaml").write_text(BASE + NOTE + gateway_route("all", "{prefix: /}"))
    ended = run("doctor", "mesh.yaml")
    assert ended.status == 0
    assert "U08" in ended.out
    assert ended.out.endswith("1 note\n")


def test_text_that_is_no_yaml_is_told_with_its_place(run: Run, folder: Path) -> None:
    (folder / "mesh.yaml").write_text("a: [")
    ended = run("doctor", "mesh.yaml")
    assert ended.status == 1
    assert "mesh.yaml:2:1:" in ended.out
    assert "C02 PM101" in ended.out


def test_variables_are_filled_in(run: Run, folder: Path) -> None:
    text = BASE + CART + gateway_route("all", "{prefix: '${WHERE}'}")
    (folder / "mesh.yaml").write_text(text)
    assert run("doctor", "mesh.yaml", "--var", "WHERE=/a").status == 0
    assert run("doctor", "mesh.yaml").status == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere.yaml",),
        ("mesh.yaml", "--since", "5m"),
        ("mesh.yaml", "--symptom", "sad"),
        ("mesh.yaml", "--var", "1"),
    ],
    ids=str,
)
def test_what_is_asked_wrongly(run: Run, folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / "mesh.yaml").write_text(BASE)
    ended = run("doctor", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("pointsman: ")
