"""The walkthroughs whose requests start at a node, unmodified, with a proxy beside every node.

Requests are those of the node's application: sent to where it dials, or made by the demo
application itself, which `x-call` asks for.
"""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.support.certificates import Authority
from tests.support.corpus import CORPUS, WALKTHROUGHS, Walkthrough, needed
from tests.support.mesh import ask_as, dialled, proxy, reached, statuses, within
from tests.support.up import Up, ask, running, until

pytestmark = [pytest.mark.corpus, pytest.mark.envoy, needed, pytest.mark.xdist_group("corpus-mesh")]

Start = Callable[..., Up]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Serves a walkthrough; what was served once stays until the end of the module."""
    with ExitStack() as stack:
        served: dict[tuple[str, ...], Up] = {}

        def serve(*arguments: str) -> Up:
            if arguments not in served:
                run = running(*arguments, "--mesh", "--echo")
                served[arguments] = stack.enter_context(run)
            return served[arguments]

        yield serve


def walkthrough(name: str) -> Walkthrough:
    return WALKTHROUGHS[f"howto-k8s-{name}"]


def arguments(name: str, **variables: str) -> list[str]:
    found = walkthrough(name)
    filled = {**found.variables, **variables}
    return [*map(str, found.files), *(f"--var={key}={value}" for key, value in filled.items())]


def edited(name: str, folder: Path, version: str = "v1beta2") -> tuple[Path, list[str]]:
    """A copy of a walkthrough's only manifest, to be edited; with the variables it needs."""
    assert CORPUS is not None
    found = walkthrough(name)
    (file,) = (CORPUS / found.name / version).glob("*.template")
    copy = folder / f"{version}.yaml"
    copy.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    return copy, [f"--var={key}={value}" for key, value in found.variables.items()]


REQUESTS = list(WALKTHROUGHS["howto-k8s-http-headers"].requests) if WALKTHROUGHS else []


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda value: str(value)[:90])
def test_http_headers(start: Start, request_: dict[str, Any]) -> None:
    up = start(*arguments("http-headers"))
    authority = walkthrough("http-headers").authority
    headers = request_.get("headers", {})
    answer = ask_as(up, "front", authority, request_["get"], headers)
    assert (answer.status, answer.node) == (200, request_["node"])
    call = {**headers, "x-call": f"http://{authority}{request_['get']}"}
    seen = ask(reached(up, "front"), "/own", call).seen
    assert (seen["virtualNode"], seen["path"]) == ("front", "/own")
    assert seen["called"]["body"]["virtualNode"] == request_["node"]
    # Each of the two proxies on the way has left its mark.
    assert seen["called"]["headers"]["server"] == "envoy"
    assert seen["called"]["body"]["headers"]["x-request-id"] == seen["headers"]["x-request-id"]


@pytest.mark.parametrize("version", ["v1beta1", "v1beta2"])
def test_retries(tmp_path: Path, version: str) -> None:
    file, variables = edited("retry-policy", tmp_path, version)
    authority = walkthrough("retry-policy").authority
    flag = ("--echo-flag", "blue:status=503,fail_percent=50")
    with running(file, *variables, "--mesh", "--echo", *flag) as up:
        address = dialled(up, "front", 8080)
        default = statuses(address, authority, 1200)
        assert set(default) == {200, 503}
        assert within(default[503], 1200, 1 / 8), default
        lines = len(up.said)
        file.write_text(with_retries(file.read_text(encoding="utf-8")), encoding="utf-8")
        up.says(r"live after", since=lines)
        enabled = statuses(address, authority, 1200)
        assert within(enabled[503], 1200, 1 / 32), enabled


def with_retries(text: str) -> str:
    """The manifest with the lines of its retry policy no longer commented out."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if "retryPolicy" in line)
    indent = lines[start].index("#")
    gap = len(lines[start][indent + 1 :]) - len(lines[start][indent + 1 :].lstrip())
    for index in range(start, len(lines)):
        if not lines[index].lstrip().startswith("#"):
            break
        lines[index] = " " * indent + lines[index][indent + 1 + gap :]
    return "\n".join(lines)


class _Red(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "3")
        self.end_headers()
        self.wfile.write(b"red")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def red() -> Iterator[str]:
    """A host that no manifest describes, by a name that can be looked up."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Red)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_egress(tmp_path: Path, red: str) -> None:
    file, variables = edited("egress", tmp_path)
    with running(file, *variables, "--mesh", "--echo") as up:
        blue = ask_as(up, "front", "blue.mesh-external.svc.cluster.local:8080")
        assert (blue.status, blue.node) == (200, "blue")
        assert ask_as(up, "front", "red.mesh-external.svc.cluster.local:8080").status == 404
        to_red = {"host": red}
        address = dialled(up, "front", 8080)
        assert ask(address, "/", to_red).status == 404
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("DROP_ALL", "ALLOW_ALL"), encoding="utf-8")
        until(lambda: ask(address, "/", to_red).status == 200)
        assert ask(address, "/", to_red).body == b"red"
        assert ask(proxy(up, "front"), f"http://{red}/", to_red).body == b"red"
        assert ask_as(up, "front", "blue.mesh-external.svc.cluster.local:8080").node == "blue"


def test_grpc(start: Start) -> None:
    up = start(*arguments("grpc"))
    name = "color.howto-k8s-grpc.svc.cluster.local:8080"
    options = [("grpc.default_authority", name), ("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(dialled(up, "client", 8080), options=options) as channel:
        get = channel.unary_unary("/color.ColorService/GetColor")
        answer, call = get.with_call(b"\x0a\x04blue", timeout=10)
        assert answer == b"\x0a\x04blue"
        assert dict(call.initial_metadata())["x-pointsman-virtual-node"] == "server"
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary("/color.ColorService/SetColor")(b"", timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_tls_by_files(tmp_path: Path) -> None:
    certs = tmp_path / "certs"
    certs.mkdir()
    authorities = {"blue": Authority("CA 1"), "green": Authority("CA 2")}
    for color, authority in authorities.items():
        leaf = authority.issue(f"color-{color}.howto-k8s-tls-file-based.svc.cluster.local")
        (certs / f"colorapp-{color}_cert_chain.pem").write_bytes(leaf.chain)
        (certs / f"colorapp-{color}_key.pem").write_bytes(leaf.key)
    bundle = b"".join(authority.pem for authority in authorities.values())
    (certs / "ca_1_ca_bundle.pem").write_bytes(authorities["blue"].pem)
    (certs / "ca_1_ca_2_bundle.pem").write_bytes(bundle)
    file, variables = edited("tls-file-based", tmp_path)
    with running(file, *variables, "--mesh", "--echo", "--mount", f"/certs={certs}") as up:
        service = "color.howto-k8s-tls-file-based.svc.cluster.local:8080"

        def answer_of(color: str) -> tuple[int, str]:
            answer = ask_as(up, "front", service, headers={"color_header": color})
            return answer.status, answer.node

        assert answer_of("blue") == (200, "blue")
        assert answer_of("green") == (503, "")
        assert answer_of("red") == (503, "")
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("${FRONTEND_CERT_CHAIN}", "ca_1_ca_2_bundle.pem"))
        until(lambda: answer_of("green") == (200, "green"))
        assert answer_of("blue") == (200, "blue")
        assert answer_of("red") == (503, "")


def test_envoy_logging(start: Start) -> None:
    up = start(*arguments("envoy-logging-custom-format"))
    name = "color.howto-k8s-envoy-logging-custom-format.svc.cluster.local:8080"
    assert ask(reached(up, "front"), "/", {"x-call": f"http://{name}/"}).status == 200
    assert ask(reached(up, "front")).status == 200

    def logged(node: str) -> list[str]:
        marked = [line.split(" | ", 1) for line in "".join(up.logged).splitlines()]
        return [line for who, line in marked if who.endswith(f"/{node}")]

    # One line on the way in for each request, and one on the way out for the one that called;
    # health checks of blue's port are none of front's.
    until(lambda: len(logged("front")) == 3, 20, "front's log")
    assert all(line.startswith("texttestingtesting HTTP/1.1:") for line in logged("front"))
    until(lambda: logged("blue"), 20, "blue's log")
    for line in logged("blue"):
        assert json.loads(line) == {"protocol": "jsontestingtesting HTTP/1.1"}
