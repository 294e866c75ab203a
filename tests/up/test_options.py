"""Options of `pointsman up`, as requests see them."""

import http.server
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.up import Up, ask, free_port, running
from tests.up import manifests as m

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-options")]


class _Own(http.server.BaseHTTPRequestHandler):
    """An application of the user's own."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "3")
        self.end_headers()
        self.wfile.write(b"own")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def own() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Own)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, own: str, ports: tuple[int, int]) -> Iterator[Up]:
    """One run with every option at once."""
    folder = tmp_path_factory.mktemp("options")
    names = ("plain", "slow", "failing", "flaky", "large", "mine", "${NAME}")
    routes = m.text(*m.shop(*names)).replace("/${NAME}", "/named")
    extra = m.route("plain2", service="plain", gateway="other")
    text = m.text(m.mesh(), m.gateway("front", 80), m.gateway("other", 80), extra)
    (folder / "all.yaml").write_text(f"{text}---\n{routes}")
    flags = {
        "slow": "delay_ms=300",
        "shop/failing": "status=418",
        "flaky": "status=500,fail_percent=50",
        "large": "body_bytes=100000",
    }
    with running(
        folder / "all.yaml",
        "--echo",
        *(f"--echo-flag={node}:{flag}" for node, flag in flags.items()),
        *("--resolve", f"mine.shop.svc.cluster.local:8080={own}"),
        *("--listen", f"front:80={ports[0]}", "--listen", f"80={ports[1]}"),
        *("--bind", "127.0.0.2"),
        *("--var", "NAME=filled"),
    ) as up:
        yield up


@pytest.fixture(scope="module")
def front(up: Up, ports: tuple[int, int]) -> str:
    assert up.address("front") == f"127.0.0.2:{ports[0]}"
    return up.address("front")


def test_listen_moves_one_gateway_or_all_others(up: Up, ports: tuple[int, int]) -> None:
    assert up.address("other") == f"127.0.0.2:{ports[1]}"
    assert ask(up.address("other"), "/plain2").node == "plain"
    assert "port 80 in the manifest" in up.text


def test_bind(front: str) -> None:
    assert ask(front, "/plain").node == "plain"
    with pytest.raises(ConnectionRefusedError):
        ask(front.replace("127.0.0.2", "127.0.0.1"), "/plain")


def test_resolve_leads_to_an_application_of_ones_own(front: str) -> None:
    answer = ask(front, "/mine")
    assert (answer.body, answer.node) == (b"own", "")


def test_var(front: str) -> None:
    assert ask(front, "/named").node == "filled"


def test_what_a_demo_backend_answers(front: str) -> None:
    seen = ask(front, "/plain/x?a=1&b=2", {"X-Own": "1"}, "PUT").seen
    assert seen["virtualNode"] == "plain"
    assert seen["namespace"] == "shop"
    assert seen["method"] == "PUT"
    assert seen["path"] == "/plain/x?a=1&b=2"
    assert seen["authority"] == "plain.shop"
    assert seen["headers"]["x-own"] == "1"
    assert seen["protocol"] == "HTTP/1.1"


def test_flags_of_backends(front: str) -> None:
    began = time.monotonic()
    assert ask(front, "/slow").status == 200
    assert time.monotonic() - began >= 0.3
    assert ask(front, "/failing").status == 418
    assert len(ask(front, "/large").body) == 100_000
    statuses = Counter(ask(front, "/flaky").status for _ in range(200))
    assert set(statuses) == {200, 500}
    assert 60 < statuses[500] < 140


def test_headers_steer_one_request(front: str) -> None:
    assert ask(front, "/plain", {"x-echo-status": "404"}).status == 404
    assert len(ask(front, "/plain", {"x-echo-bytes": "5000"}).body) == 5000
    assert (
        ask(front, "/plain", {"x-echo-fail-percent": "100", "x-echo-status": "500"}).status == 500
    )
    began = time.monotonic()
    assert ask(front, "/plain", {"x-echo-delay-ms": "200"}).status == 200
    assert time.monotonic() - began >= 0.2
    assert ask(front, "/plain", {"x-echo-status": "many"}).status == 400
    assert ask(front, "/plain").status == 200


def test_standard_input() -> None:
    text = m.text(m.mesh(), m.gateway("front", 80), *m.shop("web"))
    with running("-", "--echo", "--listen", "80=0", stdin=text.encode()) as up:
        assert ask(up.address(), "/web").node == "web"


def test_ipv6() -> None:
    text = m.text(m.mesh(), m.gateway("front", 80), *m.shop("web"))
    arguments = ("--echo", "--listen", "80=0", "--bind", "::1")
    with running("-", *arguments, stdin=text.encode()) as up:
        assert ask(up.address(), "/web").node == "web"
        assert up.address().startswith("[::1]:")


def test_a_run_without_echo_says_where_nodes_would_be(tmp_path: Path) -> None:
    (tmp_path / "mesh.yaml").write_text(m.text(m.mesh(), m.gateway("front", 80), *m.shop("web")))
    with running(tmp_path, "--listen", "80=0") as up:
        assert ask(up.address(), "/web").status == 503
