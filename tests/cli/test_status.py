import asyncio
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from threading import Thread

import pytest

from pointsman.api.server import StatusServer
from pointsman.errors import UsageError
from pointsman.observe.status import ProblemStatus, ProxyStatus, Status, TypeStatus, status_json
from tests.cli.conftest import Run

STATUS = Status(
    pid=4711,
    version="0.1.0",
    since=1_790_000_000.0,
    paths=("mesh.yaml",),
    proxies=(
        ProxyStatus(
            node="mesh/m/virtualGateway/front_a",
            gateway="a/front",
            version="c0ffee00",
            wire="delta",
            since=1_790_000_001.0,
            addresses=("127.0.0.1:8088",),
            types=(
                TypeStatus(type="cluster", resources=3, acks=2, nacks=0, synced=True),
                TypeStatus(
                    type="listener", resources=1, acks=1, nacks=1, synced=False, error="no such"
                ),
            ),
        ),
    ),
    problems=(
        ProblemStatus(
            code="PM307",
            severity="error",
            message="there is no X",
            file="mesh.yaml",
            line=3,
            column=5,
        ),
        ProblemStatus(code="PM501", severity="note", message="not used"),
    ),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / f"pointsman-{os.getuid()}"
    folder.mkdir(mode=0o700)
    return folder


@contextmanager
def instance(path: Path, body: bytes, status: int = 200, at: str = "/v1/status") -> Iterator[None]:
    """Something that answers every request for one path on a socket with the same."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == at else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "unix"

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingUnixStreamServer(str(path), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def good() -> bytes:
    return json.dumps(status_json(STATUS)).encode()


def test_the_only_instance_is_asked(run: Run, folder: Path) -> None:
    with instance(folder / "4711.sock", good()):
        ended = run("status")
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert "process 4711" in lines[0]
    assert "serves mesh.yaml" in lines[0]
    assert "mesh/m/virtualGateway/front_a  rejecting" in ended.out
    assert "c0ffee00" in ended.out
    assert "127.0.0.1:8088" in ended.out
    assert "rejects listener: no such" in ended.out
    assert "mesh.yaml:3:5: error PM307: there is no X" in lines
    assert "PM501" not in ended.out


def test_json_is_what_the_instance_says(run: Run, folder: Path) -> None:
    with instance(folder / "4711.sock", good()):
        answer = json.loads(run("status", "--json").out)
    assert answer == json.loads(good())
    assert answer["proxies"][0]["types"][0] == {
        "type": "cluster",
        "resources": 3,
        "acks": 2,
        "nacks": 0,
        "synced": True,
        "error": "",
    }


def test_of_several_instances_one_must_be_named(run: Run, folder: Path) -> None:
    with instance(folder / "1.sock", good()), instance(folder / "2.sock", good()):
        asked = run("status")
        named = run("status", "--instance", "2")
    assert asked.status == 4
    assert asked.err == (
        "pointsman: which of 2 running instances?\nhint: name one with --instance PID: 1, 2\n"
    )
    assert named.status == 0


def test_no_instance(run: Run, folder: Path) -> None:
    del folder
    ended = run("status")
    assert ended.status == 4
    assert ended.err == (
        "pointsman: there is no running instance\nhint: start one with: pointsman up PATH...\n"
    )
    assert "no running instance 7\n" in run("status", "--instance", "7").err


def test_a_socket_left_by_a_killed_instance_is_none(run: Run, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "9.sock"))
        left.listen()
    assert "no running instance" in run("status").err
    with instance(folder / "4711.sock", good()):
        assert run("status").status == 0


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{}", 200, "instance 4711 answers with something that is no status"),
        (b"no json", 200, "instance 4711 answers with something that is no status"),
        (b"", 500, "instance 4711 answers 500 to GET /v1/status"),
    ],
)
def test_answers_that_are_no_status(
    body: bytes, status: int, message: str, run: Run, folder: Path
) -> None:
    with instance(folder / "4711.sock", body, status):
        ended = run("status")
    assert ended.status == 4
    assert ended.err.startswith(f"pointsman: {message}\n")


async def test_the_client_understands_the_real_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    del monkeypatch
    async with StatusServer(folder, lambda: STATUS):
        ended = await asyncio.to_thread(run, "status", "--json")
    assert ended.status == 0
    assert json.loads(ended.out) == status_json(STATUS)


async def test_a_socket_that_cannot_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file" / "below", tmp_path / ("x" * 120)):
        with pytest.raises(UsageError, match="cannot make the socket for pointsman status"):
            async with StatusServer(folder, lambda: STATUS):
                pass


async def test_a_folder_that_is_somebodys_link_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "ours")
    with pytest.raises(UsageError, match="is a link"):
        async with StatusServer(tmp_path / "link", lambda: STATUS):
            pass
    assert (tmp_path / "ours").stat().st_mode & 0o777 == 0o755
