"""What `render` prints is what an Envoy serves."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from pointsman.proxy.binary import find_envoy
from tests.cli.conftest import Run

EXPLAIN = Path(__file__).parents[1] / "golden" / "explain"
COLORS, GRPC, SPLIT = (EXPLAIN / name for name in ("colors.yaml", "grpc.yaml", "split.yaml"))
DEADLINE_S = 20.0


def test_yaml_and_json_say_the_same(run: Run) -> None:
    as_yaml, as_json = run("render", SPLIT), run("render", SPLIT, "--json")
    assert (as_yaml.status, as_json.status) == (0, 0)
    bootstrap = json.loads(as_json.out)
    assert yaml.safe_load(as_yaml.out) == bootstrap
    assert "&id" not in as_yaml.out
    assert bootstrap["node"]["id"] == "mesh/split/virtualGateway/front_split"
    assert "admin" not in bootstrap


def test_node_chooses_the_gateway(run: Run) -> None:
    node = "mesh/grpc/virtualGateway/side_grpc"
    bootstrap = json.loads(run("render", GRPC, "--node", node, "--json").out)
    assert bootstrap["node"]["id"] == node
    (listener,) = bootstrap["static_resources"]["listeners"]
    assert listener["address"]["socket_address"]["port_value"] == 9100


def test_node_chooses_a_sidecar(run: Run) -> None:
    ended = run("render", EXPLAIN / "mesh.yaml", "--node", "front", "--json")
    bootstrap = json.loads(ended.out)
    assert (ended.status, bootstrap["node"]["id"]) == (0, "mesh/shop/virtualNode/front_shop")
    (listener,) = bootstrap["static_resources"]["listeners"]
    assert listener["name"] == "lds_egress_0.0.0.0_15001"


def test_a_node_nobody_knows(run: Run) -> None:
    ended = run("render", EXPLAIN / "mesh.yaml", "--node", "fronts")
    assert ended.status == 2
    assert "fronts" in ended.err


def test_admin_is_on_loopback_and_only_on_request(run: Run) -> None:
    bootstrap = json.loads(run("render", SPLIT, "--admin-port", "9901", "--json").out)
    address = bootstrap["admin"]["address"]["socket_address"]
    assert address == {"address": "127.0.0.1", "port_value": 9901}


def test_what_is_left_out_is_said_beside_the_rendering(run: Run) -> None:
    ended = run("render", COLORS, "--json")
    assert ended.status == 1
    assert json.loads(ended.out)["static_resources"]["listeners"]
    assert "error PM307: there is no VirtualService colors/nobody" in ended.err
    assert "warning" not in ended.err


class Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"{self.headers['host']} {self.path}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def backend() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def envoy(file: Path) -> Iterator[None]:
    command = [str(find_envoy().path), "-c", str(file), "--concurrency", "1"]
    command += ["--use-dynamic-base-id", "--log-level", "error"]
    with subprocess.Popen(command) as running:
        try:
            yield
        finally:
            running.terminate()
            try:
                running.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                running.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def get(url: str, headers: dict[str, str]) -> tuple[int, str | None, str]:
    """Status, `grpc-status` and body, once somebody listens."""
    deadline = time.monotonic() + DEADLINE_S
    request = urllib.request.Request(url, headers=headers)
    while True:
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.headers["grpc-status"], answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers["grpc-status"], ""
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.mark.envoy
def test_envoy_serves_what_is_rendered_as_explain_says(run: Run, tmp_path: Path) -> None:
    port = free_port()
    mesh = tmp_path / "mesh.yaml"
    mesh.write_text(COLORS.read_text().replace("8088", str(port)))
    with backend() as upstream:
        resolve = ("--resolve", f"red.colors.svc.cluster.local:8080=127.0.0.1:{upstream}")
        rendered = run("render", mesh, *resolve)
        bootstrap = tmp_path / "envoy.yaml"
        bootstrap.write_text(rendered.out.replace("0.0.0.0", "127.0.0.1"))
        with envoy(bootstrap):
            for path in ("/paths/red?x=1", "/paths/pink", "/away", "/broken/x"):
                for kind in ("text/plain", "application/grpc"):
                    url = f"http://127.0.0.1:{port}{path}"
                    header = ("-H", f"content-type: {kind}")
                    explained = run("explain", mesh, "GET", url, *resolve, *header, "--json")
                    told = json.loads(explained.out)
                    status, grpc_status, body = get(url, {"content-type": kind})
                    if told["status"] is None:
                        seen = told["rewritten"]
                        assert (status, body) == (200, f"{seen['host']} {seen['path']}")
                    else:
                        wanted = told["grpcStatus"]
                        assert status == told["status"]
                        assert grpc_status == (None if wanted is None else str(wanted))
