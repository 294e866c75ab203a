"""How a run ends: by signals, with requests in flight, and after Envoy was killed under it."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.proxy.admin import AdminClient
from tests.support.up import Answer, Up, ask, running, starting, until
from tests.up import manifests as m

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-ending")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ending")
    file = folder / "mesh.yaml"
    file.write_text(m.text(m.mesh(), m.gateway("front", 8088), *m.shop("web")))
    return folder


class Slow:
    """A request that takes a while, sent from a thread."""

    def __init__(self, address: str, delay_ms: int) -> None:
        self.answer: Answer | None = None
        self.failure: Exception | None = None
        headers = {"x-echo-delay-ms": str(delay_ms)}
        self._thread = threading.Thread(target=self._send, args=(address, headers))
        self._thread.start()

    def _send(self, address: str, headers: dict[str, str]) -> None:
        try:
            self.answer = ask(address, "/web", headers, seconds=30)
        except Exception as error:
            self.failure = error

    def join(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()


def arrived(up: Up) -> Iterator[bool]:
    """Whether Envoy has the slow request, told by its administration."""
    (admin,) = (up.home / "tmp").glob("pointsman-*/envoy-*/admin.sock")

    async def count() -> int:
        async with AdminClient(admin) as client:
            return await client.active_requests()

    while True:
        yield asyncio.run(count()) > 0


def refuses(address: str) -> bool:
    try:
        ask(address, "/web")
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_requests_in_flight_finish_and_nothing_is_left(
    folder: Path, number: signal.Signals
) -> None:
    with starting(folder, "--echo", "--listen", "8088=0") as up:
        up.ready()
        address = up.address()
        slow = Slow(address, 1500)
        has_it = arrived(up)
        until(lambda: next(has_it))
        up.send(number)
        up.says("requests in flight may finish")
        until(lambda: refuses(address))
        assert up.wait() == 0
        slow.join()
        assert slow.answer is not None, slow.failure
        assert slow.answer.status == 200
        assert slow.answer.headers["connection"] == "close"
        assert up.left_behind() == []
        assert "cut off" not in up.text


def test_a_second_ctrl_c_does_not_wait(folder: Path) -> None:
    with starting(folder, "--echo", "--listen", "8088=0", "--drain", "60") as up:
        up.ready()
        slow = Slow(up.address(), 25_000)
        has_it = arrived(up)
        until(lambda: next(has_it))
        up.send()
        up.says("requests in flight may finish")
        up.send()
        assert up.wait(8) == 130
        slow.join()
        assert slow.answer is None or slow.answer.status == 503
        assert up.left_behind() == []
        assert "Traceback" not in up.text


def test_what_does_not_finish_in_time_is_counted(folder: Path) -> None:
    with starting(folder, "--echo", "--listen", "8088=0", "--drain", "0.2") as up:
        up.ready()
        slow = Slow(up.address(), 25_000)
        has_it = arrived(up)
        until(lambda: next(has_it))
        assert up.end() == 0
        slow.join()
        up.says("1 requests? (was|were) cut off")
        assert up.left_behind() == []


def test_ctrl_c_while_it_starts_leaves_nothing(folder: Path) -> None:
    with starting(folder, "--echo", "--listen", "8088=0") as up:
        up.says("starting Envoy", 30)
        assert up.end() in (0, 130)
        assert up.left_behind() == []
        assert "Traceback" not in up.text


def test_a_killed_envoy_comes_back_and_serves(folder: Path) -> None:
    with running(folder, "--echo", "--listen", "8088=0") as up:
        address = up.address()
        (envoy,) = up.envoys()
        os.kill(envoy, signal.SIGKILL)
        up.says(r"Envoy of shop/front crashed, starts again in 0\.2 s")
        until(lambda: ask(address, "/web").node == "web")
        assert up.envoys() != [envoy]
        file = folder / "later.yaml"
        file.write_text(m.text(*m.shop("later")))
        until(lambda: ask(address, "/later").node == "later")
        file.unlink()
        until(lambda: len(up.status().proxies) == 1)


def test_what_a_killed_run_leaves_ends_by_itself_or_with_the_next(folder: Path) -> None:
    with starting(folder, "--echo", "--listen", "8088=0") as up:
        up.ready()
        up.send(signal.SIGKILL)
        up.process.wait(5)
        until(lambda: up.children() == [], what="Envoys and demo backends without a parent")
        (abandoned,) = (up.home / "tmp").glob("pointsman-*")
        environment = {"TMPDIR": str(up.home / "tmp"), "XDG_RUNTIME_DIR": str(up.home / "run")}
        with running(folder, "--listen", "8088=0", environment=environment):
            assert not abandoned.exists()
