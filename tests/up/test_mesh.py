"""`pointsman up --mesh`: every node with its proxy, own applications, addresses, live edits."""

import json
import re
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.mesh import ask_as, dialled, proxy, reached
from tests.support.up import Up, ask, running, until
from tests.up import manifests as m

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-mesh")]

APPLICATION = """
import http.server, json, os, sys, urllib.request
print("begins", flush=True)

class Own(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/end":
            os._exit(7)
        if self.path == "/environment":
            body = json.dumps(dict(os.environ)).encode()
        else:
            body = urllib.request.urlopen("http://color.shop:8080/from-own", timeout=5).read()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Own).serve_forever()
"""


def calls(*names: str) -> list[dict[str, object]]:
    """Backends of a node."""
    return [{"virtualService": {"virtualServiceRef": {"name": name}}} for name in names]


def node(name: str, *backends: str, port: int = 8080, protocol: str = "http") -> dict[str, object]:
    """A node that calls others, with an access log."""
    found = m.node(name)
    found["spec"]["backends"] = calls(*backends)
    found["spec"]["listeners"] = [{"portMapping": {"port": port, "protocol": protocol}}]
    text = {"text": f"{name} %REQ(:PATH)%\n"}
    found["spec"]["logging"] = {"accessLog": {"file": {"path": "/dev/stdout", "format": text}}}
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mesh")
    gateway = m.gateway("front", 8088)
    front = [m.route("front"), m.service("front"), node("front", "color", "db", "own")]
    color = [m.service("color"), node("color", "front")]
    db = [m.service("db"), node("db", port=5432, protocol="tcp")]
    own = [m.service("own"), node("own", "color")]
    (folder / "mesh.yaml").write_text(m.text(m.mesh(), gateway, *front, *color, *db, *own))
    (folder / "own.txt").write_text(APPLICATION)
    return folder


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    applications = folder / "applications"
    applications.write_text(f"own:\n  command: {sys.executable} own.txt\n  folder: .\n")
    flags = ("--echo-flag", "db:greeting=true", "--listen", "8088=0", "--apps", applications)
    with running(folder, "--mesh", "--echo", *flags) as up:
        yield up


def test_a_request_crosses_both_proxies_on_every_step(up: Up) -> None:
    chain = "http://color.shop:8080/a?b=1, http://front.shop:8080/c"
    headers = {"x-call": chain, "x-own": "kept", "x-echo-bytes": "2000"}
    answer = ask(up.address("front"), "/front", headers)
    first = answer.seen
    second = first["called"]["body"]
    third = second["called"]["body"]
    assert [first["virtualNode"], second["virtualNode"], third["virtualNode"]] == [
        "front",
        "color",
        "front",
    ]
    assert (second["path"], second["authority"]) == ("/a?b=1", "color.shop:8080")
    assert (third["path"], third["headers"]["x-own"]) == ("/c", "kept")
    assert "x-call" not in third["headers"]
    assert "called" not in third
    assert len(answer.body) == 2000
    assert "x-echo-bytes" not in second["headers"]
    identities = {step["headers"]["x-request-id"] for step in (first, second, third)}
    assert len(identities) == 1
    # What each of both proxies wrote into its log, whichever came first.
    until(lambda: logged(up, "color") >= Counter(["color /a?b=1", "color /c"]), 20)


def logged(up: Up, name: str) -> Counter[str]:
    """Lines of the access log of a node's proxy."""
    lines = "".join(up.logged).splitlines()
    return Counter(line.partition(" | ")[2] for line in lines if line.startswith(f"shop/{name} | "))


def test_a_host_that_no_backend_names_is_not_found(up: Up) -> None:
    assert ask_as(up, "front", "elsewhere.shop:8080").status == 404
    called = ask(reached(up, "front"), "/", {"x-call": "http://elsewhere.shop/"}).seen["called"]
    assert called["status"] == 404


def test_a_call_that_cannot_be_made_is_told(up: Up) -> None:
    assert ask(reached(up, "front"), "/", {"x-call": "ftp://color.shop/"}).status == 400
    assert ask(reached(up, "front"), "/", {"x-call": ",".join(["http://a/"] * 9)}).status == 400


def test_tcp(up: Up) -> None:
    address = dialled(up, "front", 5432).rpartition(":")
    with socket.create_connection((address[0], 5432), timeout=10) as connection:
        stream = connection.makefile("rb")
        assert b"db" in stream.readline()
        connection.sendall(b"hello\n")
        assert stream.readline() == b"hello\n"
        stream.close()


def test_an_application_of_ones_own(up: Up) -> None:
    up.says(r"^shop/own: begins")
    until(lambda: ask(reached(up, "own"), "/environment").status == 200)
    environment = json.loads(ask(reached(up, "own"), "/environment").body)
    assert environment["POINTSMAN_NODE"] == "shop/own"
    assert environment["PORT"] == environment["PORT_8080"]
    assert environment["HTTP_PROXY"] == environment["http_proxy"] == f"http://{proxy(up, 'own')}"
    assert f"{environment['POINTSMAN_EGRESS']}:15001" == proxy(up, "own")
    # urllib takes the proxy from the environment: the request crosses two proxies.
    seen = json.loads(ask_as(up, "front", "own.shop:8080").body)
    assert (seen["virtualNode"], seen["path"]) == ("color", "/from-own")
    assert seen["headers"]["x-request-id"]


def test_status_lists_sidecars(up: Up) -> None:
    proxies = {proxy.node.rpartition("/")[2]: proxy for proxy in up.status().proxies}
    assert proxies.keys() == {"front_shop", "color_shop", "db_shop", "own_shop"}
    addresses = proxies["front_shop"].addresses
    host = proxy(up, "front").partition(":")[0]
    assert addresses == (reached(up, "front"), f"{host}:5432", f"{host}:8080")


def test_nodes_come_and_go_and_the_others_stay(up: Up, folder: Path) -> None:
    before = {name: reached(up, name) for name in ("front", "color", "own")}
    envoys = set(up.envoys())
    file = folder / "late.yaml"
    file.write_text(m.text(m.service("a-late"), node("a-late", "color")))
    up.says(r"late\.yaml: live after")
    late = reached(up, "a-late")
    assert late not in before.values()
    until(lambda: ask(late).node == "a-late")
    assert ask_as(up, "a-late", "color.shop:8080").node == "color"
    file.unlink()
    up.says(r"the proxy of shop/a-late has ended")
    until(lambda: set(up.envoys()) == envoys)
    with pytest.raises(ConnectionRefusedError):
        ask(late)
    assert ask(before["color"]).node == "color"
    lines = len(up.said)
    file.write_text(m.text(m.service("a-late"), node("a-late", "color")))
    up.says(re.escape(late), since=lines)
    until(lambda: ask(late).node == "a-late")


def test_an_edit_of_backends(up: Up, folder: Path) -> None:
    file = folder / "edited.yaml"
    edited = [m.service("edited"), node("edited")]
    file.write_text(m.text(*edited, m.service("other"), node("other")))
    up.says(r"edited\.yaml: live after")
    call = {"x-call": "http://other.shop:8080/"}
    assert "error" in ask(reached(up, "edited"), "/", call).seen["called"]
    edited[1]["spec"]["backends"] = calls("other")
    file.write_text(m.text(*edited, m.service("other"), node("other")))
    until(lambda: ask(reached(up, "edited"), "/", call).seen["called"].get("status") == 200)


def test_two_runs_have_addresses_of_their_own(up: Up, folder: Path) -> None:
    with running(folder, "--mesh", "--echo", "--listen", "8088=0") as second:
        assert reached(second, "front") != reached(up, "front")
        assert ask(reached(second, "front")).node == "front"
        assert ask_as(second, "front", "color.shop:8080").node == "color"


def test_an_application_that_ends_is_told_and_left_alone(up: Up) -> None:
    with pytest.raises(AssertionError):
        assert ask(reached(up, "own"), "/end").status == 200
    up.says(r"the application of shop/own has ended with status 7")
    assert ask(reached(up, "own"), "/environment").status == 503


def test_without_applications_only_callers_have_a_proxy(tmp_path: Path) -> None:
    objects = [m.mesh(), m.service("color"), m.node("color"), node("front", "color")]
    objects[3]["spec"]["listeners"] = []
    (tmp_path / "mesh.yaml").write_text(m.text(*objects))
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = f"color.shop.svc.cluster.local:8080=127.0.0.1:{server.getsockname()[1]}"
        flags = ("--resolve", where, "--app", "no=127.0.0.1:1")
        with running(tmp_path, "--mesh", *flags) as up:
            assert [proxy.gateway for proxy in up.status().proxies] == ["shop/front"]
            assert "PM606" in up.text
            assert "PM605" not in up.text
            address = dialled(up, "front", 8080).partition(":")[0]
            with socket.create_connection((address, 8080), timeout=10) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nhost: color.shop:8080\r\n\r\n")
                accepted, _ = server.accept()
                assert accepted.recv(10).startswith(b"GET /")
                accepted.close()


def test_a_node_without_an_application_is_told(tmp_path: Path) -> None:
    (tmp_path / "mesh.yaml").write_text(m.text(m.mesh(), *m.shop("web"), node("front", "web")))
    with running(tmp_path, "--mesh", "--app", "shop/front=127.0.0.1:9") as up:
        assert re.search(r"PM605: nothing is known to run as shop/web", up.text)
        assert "shop/front" not in "".join(line for line in up.said if "PM605" in line)


def test_a_port_that_is_taken_is_moved_and_shown(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        objects = [m.service("color"), node("color", port=port)]
        front = node("front", "color")
        (tmp_path / "mesh.yaml").write_text(m.text(m.mesh(), *objects, front))
        with running(tmp_path, "--mesh", "--echo") as up:
            assert not reached(up, "color").endswith(f":{port}")
            up.says(rf"^shop/color .*\(for {port}\)")
            call = {"x-call": f"http://color.shop:{port}/"}
            assert ask(reached(up, "front"), "/", call).seen["called"]["status"] == 200


V1BETA1 = """
apiVersion: appmesh.k8s.aws/v1beta1
kind: Mesh
metadata: {name: old}
---
apiVersion: appmesh.k8s.aws/v1beta1
kind: VirtualNode
metadata: {name: front, namespace: shop}
spec:
  meshName: old
  listeners: [{portMapping: {port: 8080, protocol: http}}]
  backends: [{virtualService: {virtualServiceName: color.shop.svc.cluster.local}}]
  serviceDiscovery: {dns: {hostName: front.shop.svc.cluster.local}}
---
apiVersion: appmesh.k8s.aws/v1beta1
kind: VirtualNode
metadata: {name: color, namespace: shop}
spec:
  meshName: old
  listeners: [{portMapping: {port: 8080, protocol: http}}]
  serviceDiscovery: {dns: {hostName: color.shop.svc.cluster.local}}
---
apiVersion: appmesh.k8s.aws/v1beta1
kind: VirtualService
metadata: {name: color.shop.svc.cluster.local, namespace: shop}
spec:
  meshName: old
  virtualRouter: {name: color, listeners: [{portMapping: {port: 8080, protocol: http}}]}
  routes:
    - name: all
      http:
        match: {prefix: /}
        action: {weightedTargets: [{virtualNodeName: color, weight: 1}]}
"""


def test_backends_of_v1beta1_are_dns_names_and_stubborn_applications_end(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(V1BETA1)
    stubborn = "front=sh -c 'trap \"\" TERM; echo stays; sleep 1000 & while :; do sleep 1; done'"
    with running(tmp_path, "--mesh", "--echo", "--app", stubborn) as up:
        assert ask_as(up, "front", "color.shop.svc.cluster.local:8080").node == "color"
        up.says("^shop/front: stays")
        up.says(r"the application of shop/front does not listen on 127\.0\.0\.1:\d+ yet")
        assert len([pid for pid in up.children() if pid not in up.envoys()]) >= 3
