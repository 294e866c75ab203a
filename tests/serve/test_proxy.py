"""One proxy of a mesh, looked after by `pointsman proxy`."""

import os
import re
import signal
import socket
import threading
from pathlib import Path

import pytest

from pointsman.cli.main import main
from tests.support.serve import (
    GATEWAY,
    Shop,
    events,
    health,
    is_ready,
    proxying,
    serving,
    wait_ready,
)
from tests.support.traffic import goes_on, held_backend, traffic
from tests.support.up import Up, ask, free_port, until

pytestmark = pytest.mark.envoy


@pytest.fixture
def xds(folder: Path) -> str:
    return f"unix:{folder}/xds.sock"


def test_a_hot_restart_loses_no_request(shop: Shop, folder: Path, xds: str) -> None:
    admin, page = folder / "admin.sock", f"127.0.0.1:{free_port()}"
    options = (f"--admin-socket={admin}", f"--prometheus={page}")
    with serving(shop, xds) as control, proxying(xds, *options) as proxy:
        wait_ready(proxy)
        shared = shared_memory(proxy)
        assert shared.exists()
        with traffic(shop.port, "/web") as seen:
            for turn in (1, 2):
                goes_on(seen)
                hot_restart(proxy, turn)
                goes_on(seen)
                assert is_ready(proxy)
                assert epoch(admin) == turn
                said = ask(page, "/stats/prometheus").body.decode()
                assert re.search(rf"hot_restart_epoch\{{.*\}} {turn}\n", said)
        assert set(seen) == {"200 served"}
        until(lambda: [p.state for p in control.status().proxies] == ["synced"])
        assert proxy.end(signal.SIGTERM) == 0
        assert proxy.left_behind() == []
        assert not admin.is_symlink()
        assert not shared.exists()


def hot_restart(proxy: Up, turn: int) -> None:
    """Has another Envoy take over, and waits until the one before is gone."""
    (before,) = proxy.envoys()
    proxy.send(signal.SIGHUP)
    until(lambda: len(events(proxy, "Envoy took over")) == turn, 30)
    until(lambda: before not in proxy.envoys(), 20)


def shared_memory(proxy: Up) -> Path:
    """What the Envoys of a proxy share."""
    (envoy,) = proxy.envoys()
    arguments = Path(f"/proc/{envoy}/cmdline").read_bytes().decode().split("\0")
    base_id = arguments[arguments.index("--base-id") + 1]
    return Path(f"/dev/shm/envoy_shared_memory_{base_id}0")


def epoch(admin: Path) -> int:
    """Which Envoy of its line answers at the administration socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(admin))
        client.sendall(
            b"GET /stats?filter=hot_restart_epoch HTTP/1.1\r\nhost: e\r\nconnection: close\r\n\r\n"
        )
        text = b"".join(iter(lambda: client.recv(65536), b"")).decode()
    return int(text.partition("server.hot_restart_epoch:")[2].split()[0])


def test_without_a_control_plane_no_envoy_takes_over(shop: Shop, xds: str) -> None:
    with proxying(xds) as proxy:
        assert not is_ready(proxy)
        proxy.send(signal.SIGHUP)
        proxy.says("no Envoy serves that another one could take over from")
        with serving(shop, xds):
            wait_ready(proxy)
            assert shop.answers()


def test_requests_in_flight_finish_and_readiness_ends_first(shop: Shop, xds: str) -> None:
    with held_backend() as held:
        slow = Shop(shop.folder, shop.port, held.port)
        with serving(slow, xds), proxying(xds, "--drain=20") as proxy:
            wait_ready(proxy)
            answers: list[int] = []
            asking = threading.Thread(
                target=lambda: answers.append(ask(f"127.0.0.1:{shop.port}", "/web").status)
            )
            asking.start()
            assert held.asked.wait(10)
            proxy.send(signal.SIGTERM)
            proxy.says('"event": "draining"')
            answer = ask(health(proxy), "/ready")
            assert (answer.status, answer.body) == (503, b"draining\n")
            assert ask(health(proxy), "/live").status == 200
            held.go.set()
            asking.join(10)
            assert answers == [200]
            assert proxy.wait() == 0
            assert events(proxy, "stopped")[0]["unfinished"] == 0


def test_a_crashed_envoy_is_started_again(shop: Shop, xds: str) -> None:
    with serving(shop, xds), proxying(xds) as proxy:
        wait_ready(proxy)
        (before,) = proxy.envoys()
        os.kill(before, signal.SIGKILL)
        until(lambda: proxy.envoys() not in ([], [before]), 20)
        wait_ready(proxy)
        assert shop.answers()


def test_the_status_of_an_envoy_that_ends_for_good_is_passed_on(shop: Shop, xds: str) -> None:
    with serving(shop, xds):
        with proxying(xds, "--no-restart") as proxy:
            wait_ready(proxy)
            os.kill(proxy.envoys()[0], signal.SIGKILL)
            assert proxy.wait() == 128 + signal.SIGKILL
        with proxying(xds) as proxy:
            wait_ready(proxy)
            os.kill(proxy.envoys()[0], signal.SIGTERM)  # as somebody does who means it
            assert proxy.wait() == 0
            assert proxy.left_behind() == []


REFUSED = [
    (["--node=cart"], "not a node id"),
    (["--dialect=rest"], "neither delta nor sotw"),
    (["--tls-cert=a.pem"], "belong together"),
    (["--token-file=token"], "must not travel in the clear"),
    (["--tls-ca=ca.pem"], "--tls-ca is for TCP"),
    (["--xds=127.0.0.1:1"], "cannot be one of several"),
    (["--log-level=loud"], "none of"),
    (["--health=here:80"], "not an IP address"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_options_that_do_not_fit_together_are_refused(
    capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert main(["proxy", f"--node={GATEWAY}", "--xds=unix:/tmp/x.sock", *options]) == 2
    assert words in capsys.readouterr().err
