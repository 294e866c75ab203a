"""TLS on the command line: what stands for certificates of AWS, and URLs of TLS listeners."""

import json
from pathlib import Path

import pytest
import yaml

from pointsman.proxy.binary import find_envoy
from pointsman.proxy.validate import validate
from tests.cli.conftest import Run
from tests.support.certificates import Authority

ARN = "arn:aws:acm:x:1:certificate/a"
AUTHORITY = "arn:aws:acm-pca:x:1:certificate-authority/b"
MESH = f"""\
apiVersion: appmesh.k8s.aws/v1beta2
kind: Mesh
metadata: {{name: m}}
spec: {{namespaceSelector: {{}}}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualGateway
metadata: {{name: front, namespace: a}}
spec:
  namespaceSelector: {{}}
  listeners:
    - portMapping: {{port: 8443, protocol: http}}
      tls: {{mode: STRICT, certificate: {{acm: {{certificateARN: "{ARN}"}}}}}}
  backendDefaults:
    clientPolicy:
      tls: {{validation: {{trust: {{acm: {{certificateAuthorityARNs: ["{AUTHORITY}"]}}}}}}}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: GatewayRoute
metadata: {{name: r, namespace: a}}
spec:
  httpRoute:
    match: {{prefix: /}}
    action: {{target: {{virtualService: {{virtualServiceRef: {{name: red}}}}}}}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualService
metadata: {{name: red, namespace: a}}
spec: {{provider: {{virtualNode: {{virtualNodeRef: {{name: red}}}}}}}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualNode
metadata: {{name: red, namespace: a}}
spec:
  listeners: [{{portMapping: {{port: 80, protocol: http}}}}]
  serviceDiscovery: {{dns: {{hostname: red.test}}}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mesh.yaml").write_text(MESH)
    return tmp_path


def options(chain: str = "/tls/c.pem", key: str = "/tls/k.pem", ca: str = "/ca.pem") -> list[str]:
    return ["--certificate", f"{ARN}={chain},{key}", "--authority", f"{AUTHORITY}={ca}"]


@pytest.mark.envoy
@pytest.mark.usefixtures("folder")
def test_what_is_with_aws_is_said_until_files_stand_for_it(run: Run) -> None:
    ended = run("check", "mesh.yaml", "--json")
    codes = {problem["code"] for problem in json.loads(ended.out)["problems"]}
    assert (ended.status, codes) == (1, {"PM529", "PM530"})
    # The files are the proxy's: that they are not here is no problem.
    ended = run("check", "mesh.yaml", *options())
    assert (ended.status, ended.out) == (0, "no problems\n")


@pytest.mark.envoy
def test_a_file_may_say_it(run: Run, folder: Path) -> None:
    known = {
        "certificates": {ARN: {"secret": "front", "authority": {"secret": "bundle"}}},
        "authorities": {AUTHORITY: "/ca.pem"},
    }
    (folder / "known.yaml").write_text(yaml.safe_dump(known))
    ended = run("check", "mesh.yaml", "--certificates", "known.yaml")
    assert (ended.status, ended.out) == (0, "no problems\n")
    rendered = json.loads(run("render", "mesh.yaml", "--certificates", "known.yaml", "--json").out)
    static = rendered["static_resources"]
    assert [item["name"] for item in static["secrets"]] == ["authorities:/ca.pem"]
    assert "static_cluster_sds_unix_socket" in {item["name"] for item in static["clusters"]}


@pytest.mark.envoy
def test_what_is_rendered_serves_with_the_files(run: Run, folder: Path) -> None:
    authority = Authority()
    files = authority.issue("front.test").write(folder)
    ca = authority.write(folder)
    given = options(str(files.chain), str(files.key), str(ca))
    ended = run("render", "mesh.yaml", "--json", *given)
    assert ended.status == 0
    binary = find_envoy(None, None)
    assert validate(binary, ended.out) == []
    assert "BEGIN" not in ended.out
    ca.unlink()
    assert "authorities.pem" in validate(binary, ended.out)[0]


@pytest.mark.parametrize(
    "given",
    [
        ("--certificate", f"{ARN}=only-one"),
        ("--certificate", "no-equals"),
        ("--authority", f"{ARN}="),
        ("--certificates", "absent.yaml"),
        ("--certificates", "mesh.yaml"),
        ("--certificates", "wrong.yaml"),
    ],
)
def test_what_is_malformed_is_refused(run: Run, folder: Path, given: tuple[str, str]) -> None:
    (folder / "wrong.yaml").write_text(f"certificates: {{'{ARN}': {{chain: a}}}}\n")
    ended = run("check", "mesh.yaml", *given)
    assert ended.status == 2
    assert given[1].partition("=")[0] in ended.err


@pytest.mark.usefixtures("folder")
def test_explain_speaks_of_what_the_listener_takes(run: Run) -> None:
    ended = run("explain", "mesh.yaml", "GET", "https://front.test/", *options())
    assert ended.status == 0
    assert "virtual node a/red" in ended.out
    ended = run("explain", "mesh.yaml", "GET", "http://front.test/", *options())
    assert ended.status == 2
    assert "takes TLS only" in ended.err
