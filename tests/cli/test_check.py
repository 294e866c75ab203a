import io
import json
import sys
from pathlib import Path

import pytest

from pointsman.app import offline
from pointsman.envoy.static import static_bootstrap
from pointsman.errors import EnvoyError
from pointsman.proxy import binary
from tests.cli.conftest import Run

GOOD = """\
apiVersion: appmesh.k8s.aws/v1beta2
kind: Mesh
metadata: {name: m}
spec: {namespaceSelector: {}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualGateway
metadata: {name: front, namespace: a}
spec:
  namespaceSelector: {}
  listeners:
    - portMapping: {port: 8088, protocol: http}
"""
NODE = """\
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualNode
metadata: {name: red, namespace: a}
spec:
  listeners:
    - portMapping: {port: eighty, protocol: http}
  serviceDiscovery: {dns: {hostname: red.local}}
"""
ROUTE = """\
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: GatewayRoute
metadata: {name: r, namespace: a}
spec:
  httpRoute:
    match: {prefix: /}
    action:
      target: {virtualService: {virtualServiceRef: {name: nobody}}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.envoy
def test_nothing_wrong(run: Run, folder: Path) -> None:
    (folder / "mesh.yaml").write_text(GOOD)
    ended = run("check", "mesh.yaml")
    assert (ended.status, ended.out, ended.err) == (0, "no problems\n", "")


def test_problems_of_all_files_are_placed_grouped_and_counted(run: Run, folder: Path) -> None:
    (folder / "b.yaml").write_text(GOOD + ROUTE)
    (folder / "a.yaml").write_text(NODE)
    ended = run("check", ".")
    assert ended.status == 1
    lines = ended.out.splitlines()
    assert lines[0] == (
        "a.yaml:6:21: error PM202: spec.listeners[0].portMapping.port must be a whole number, "
        'not "eighty"'
    )
    assert lines[1] == "        - portMapping: {port: eighty, protocol: http}"
    assert lines[2].index("^") == lines[1].index("port: eighty")
    assert "b.yaml:21:33: error PM307: there is no VirtualService a/nobody" in lines
    assert lines[-1] == "2 errors in 2 files"


def test_json_has_every_field_the_issue_names(run: Run, folder: Path) -> None:
    (folder / "a.yaml").write_text(GOOD + "---\n" + NODE)
    ended = run("check", "a.yaml", "--json")
    assert ended.status == 1
    (problem,) = json.loads(ended.out)["problems"]
    assert problem == {
        "code": "PM202",
        "severity": "error",
        "message": 'spec.listeners[0].portMapping.port must be a whole number, not "eighty"',
        "hint": None,
        "file": "a.yaml",
        "line": 19,
        "column": 21,
        "object": "VirtualNode a/red",
        "field": "spec.listeners[0].portMapping.port",
    }


def test_notes_are_shown_on_request_and_always_in_json(run: Run, folder: Path) -> None:
    text = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n"
    (folder / "a.yaml").write_text(text)
    assert run("check", "a.yaml").out == "no problems (1 note not shown: --notes)\n"
    shown = run("check", "a.yaml", "--notes")
    assert "a.yaml:2:1: note PM501:" in shown.out
    assert shown.out.endswith("1 note in 1 file\n")
    assert [p["code"] for p in json.loads(run("check", "a.yaml", "--json").out)["problems"]] == [
        "PM501"
    ]


def test_variables_fill_and_missing_ones_are_named(run: Run, folder: Path) -> None:
    (folder / "a.yaml").write_text(GOOD.replace("name: front", "name: ${NAME}"))
    assert run("check", "a.yaml", "--var", "NAME=front").status == 0
    missing = run("check", "a.yaml")
    assert "warning PM105: ${NAME} has no value and becomes empty" in missing.out
    assert "hint: give it one with --var NAME=VALUE" in missing.out


def test_reads_standard_input(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del capsys
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(NODE.encode())))
    ended = run("check", "-")
    assert ended.status == 1
    assert ended.out.startswith("-:6:21: error PM202:")


def test_text_that_is_not_utf8_can_be_quoted(run: Run, folder: Path) -> None:
    (folder / "a.yaml").write_bytes(b"kind: caf\xe9\n")
    ended = run("check", "a.yaml")
    assert ended.status == 1
    assert "a.yaml:1:10: error PM104: byte 0xE9 is not UTF-8" in ended.out


@pytest.mark.envoy
def test_what_only_envoy_refuses_becomes_a_problem_of_the_proxy(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.yaml").write_text(GOOD)

    def broken(*arguments: object) -> dict[str, object]:
        bootstrap = static_bootstrap(*arguments)  # type: ignore[arg-type]
        bootstrap["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] = (
            70_000
        )
        return bootstrap

    monkeypatch.setattr(offline, "static_bootstrap", broken)
    ended = run("check", "a.yaml", "--json")
    assert ended.status == 1
    problems = json.loads(ended.out)["problems"]
    assert {problem["code"] for problem in problems} == {"PM601"}
    mesh = Path(__file__).parents[1] / "golden" / "explain" / "mesh.yaml"
    found = json.loads(run("check", mesh, "--json").out)["problems"]
    refused = {problem["object"] for problem in found if problem["code"] == "PM601"}
    assert refused == {f"VirtualNode shop/{name}" for name in ("prices", "base", "front")}
    assert {problem["message"].partition(":")[0].split()[0] for problem in found} >= {"listener"}
    assert "port" in problems[0]["message"].lower()
    assert problems[0]["object"] == "VirtualGateway a/front"
    assert (problems[0]["file"], problems[0]["line"]) == ("a.yaml", 6)


def test_without_any_envoy_the_rest_is_said_and_then_that(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_: object) -> None:
        raise EnvoyError("no Envoy found", hint="install one")

    monkeypatch.setattr(binary, "find_envoy", nowhere)
    (folder / "a.yaml").write_text(NODE)
    ended = run("check", "a.yaml")
    assert ended.status == 3
    assert ended.out.endswith("1 error in 1 file\n")
    assert ended.err == "pointsman: no Envoy found\nhint: install one\n"


def test_an_envoy_that_was_named_must_be_usable(run: Run, folder: Path) -> None:
    (folder / "a.yaml").write_text(GOOD)
    ended = run("check", "a.yaml", "--envoy", folder / "none")
    assert ended.status == 3
    assert ended.err.startswith("pointsman: the Envoy named on the command line does not exist")
