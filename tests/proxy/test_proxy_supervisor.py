import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from pointsman.errors import EnvoyError
from pointsman.proxy.binary import EnvoyBinary
from pointsman.proxy.bootstrap import bootstrap
from pointsman.proxy.log_lines import LogLine
from pointsman.proxy.process import ProcessOptions
from pointsman.proxy.supervisor import EventKind, ProxyEvent, Supervisor
from pointsman.proxy.xds_cluster import XdsAddress
from tests.proxy.static_envoy import HeldUpstream, alive, free_port, static_bootstrap, wait_gone

pytestmark = pytest.mark.envoy

ONE = ProcessOptions(concurrency=1)

RUN = """
import asyncio, json, os, signal, sys
from pathlib import Path
from pointsman.proxy.binary import find_envoy
from pointsman.proxy.process import ProcessOptions
from pointsman.proxy.runtime_folder import RuntimeFolder
from pointsman.proxy.supervisor import Supervisor
async def main():
    interrupted = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
    folder = Path(sys.argv[1])
    bootstrap = json.loads(sys.argv[2])
    one = ProcessOptions(concurrency=1)
    async with Supervisor(find_envoy(), bootstrap, folder, options=one) as supervisor:
        await supervisor.wait_ready(20)
        print(supervisor.pid, flush=True)
        await interrupted.wait()
        print("interrupted", await supervisor.admin.state(), flush=True)
        await supervisor.drain(20)
asyncio.run(main())
"""


async def until(condition: Callable[[], bool], timeout_s: float = 10) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def get(port: int, path: str = "/") -> httpx2.Response:
    async with httpx2.AsyncClient(trust_env=False, timeout=20) as client:
        return await client.get(f"http://127.0.0.1:{port}{path}")


async def test_it_serves_answers_questions_and_leaves_nothing(
    envoy: EnvoyBinary, folder: Path
) -> None:
    port = free_port()
    events: list[ProxyEvent] = []
    async with HeldUpstream().serving() as upstream:
        configuration = static_bootstrap(folder, port, upstream=upstream.port)
        supervisor = Supervisor(envoy, configuration, folder, options=ONE, on_event=events.append)
        async with supervisor:
            await supervisor.wait_ready(20)
            pid = supervisor.pid
            assert pid is not None
            assert os.getsid(pid) == pid
            assert stat.S_IMODE((folder / "admin.sock").stat().st_mode) == 0o600
            assert (await get(port)).text == "done"
            admin = supervisor.admin
            assert await admin.stats(r"^http\.in\.downstream_rq_total$") == {
                "http.in.downstream_rq_total": 1
            }
            assert "1.40" in (await admin.server_info())["version"]
            assert len((await admin.config_dump())["configs"]) > 3
            clusters = (await admin.clusters())["cluster_statuses"]
            assert [cluster["name"] for cluster in clusters] == ["upstream"]
            (listener,) = (await admin.listeners())["listener_statuses"]
            assert listener["local_address"]["socket_address"]["port_value"] == port
    assert not alive(pid)
    assert [event.kind for event in events] == [EventKind.STARTED, EventKind.STOPPED]
    assert os.listdir(folder) == ["lock"]  # noqa: PTH208
    assert supervisor.pid is None
    await supervisor.stop()


async def test_access_logs_go_to_standard_output(
    envoy: EnvoyBinary, folder: Path, tmp_path: Path
) -> None:
    port = free_port()
    log = tmp_path / "out"
    with log.open("wb") as out:
        options = ProcessOptions(concurrency=1, stdout=out.fileno())
        configuration = static_bootstrap(folder, port, access_log=True)
        async with Supervisor(envoy, configuration, folder, options=options) as supervisor:
            await supervisor.wait_ready(20)
            assert (await get(port, "/here")).status_code == 503
    assert log.read_text() == "seen /here\n"


async def test_a_taken_port_is_told_in_envoys_words(envoy: EnvoyBinary, folder: Path) -> None:
    async with HeldUpstream().serving() as other:
        configuration = static_bootstrap(folder, other.port, reuse_port=False)
        supervisor = Supervisor(envoy, configuration, folder, options=ONE)
        with pytest.raises(EnvoyError) as raised:
            await supervisor.start()
        await supervisor.stop()
    assert str(raised.value) == (
        f"Envoy does not start: cannot bind '127.0.0.1:{other.port}': Address already in use"
    )


async def test_a_broken_bootstrap_or_program_is_told(envoy: EnvoyBinary, folder: Path) -> None:
    configuration = static_bootstrap(folder, 0) | {"nod": {}}
    supervisor = Supervisor(envoy, configuration, folder, options=ONE)
    with pytest.raises(EnvoyError, match=r"does not start: .*nod"):
        await supervisor.start()
    await supervisor.stop()

    absent = EnvoyBinary(folder / "absent", (1, 40, 0))
    supervisor = Supervisor(absent, static_bootstrap(folder, 0), folder)
    with pytest.raises(EnvoyError, match=r"cannot run .*/absent: No such file"):
        await supervisor.start()
    await supervisor.stop()


@pytest.mark.parametrize("level", ["info", "off"])
async def test_what_a_bootstrap_holds_is_not_in_what_is_logged_of_its_refusal(
    envoy: EnvoyBinary, folder: Path, level: str
) -> None:
    configuration = static_bootstrap(folder, free_port())
    (cluster,) = configuration["static_resources"]["clusters"]
    cluster |= {"name": "", "alt_stat_name": "private"}
    lines: list[LogLine] = []
    options = ProcessOptions(concurrency=1, log_level=level)
    supervisor = Supervisor(envoy, configuration, folder, options=options, on_log=lines.append)
    with pytest.raises(EnvoyError, match="value length must be at least 1"):
        await supervisor.start()
        await supervisor.wait_ready(20)
    await supervisor.stop()
    assert any(line.level == "critical" for line in lines)
    assert not [line for line in lines if "private" in line.text]


async def test_without_a_control_plane_it_lives_but_is_not_ready(
    envoy: EnvoyBinary, folder: Path
) -> None:
    configuration = bootstrap(
        node_id="gateway",
        node_cluster="gateways",
        xds=XdsAddress(path=folder / "xds.sock"),
        admin=folder / "admin.sock",
    )
    lines: list[LogLine] = []
    async with Supervisor(
        envoy, configuration, folder, options=ONE, on_log=lines.append
    ) as supervisor:
        with pytest.raises(EnvoyError, match=r"not ready after 0.3 s \(PRE_INIT"):
            await supervisor.wait_ready(0.3)
    # All it has to complain of is the absent control plane: the bootstrap itself is warning-free.
    worst = [line for line in lines if line.level != "info" and "SIGTERM" not in line.text]
    assert all(line.logger == "config" and "gRPC" in line.text for line in worst), worst


async def test_a_crash_is_mended_and_told(envoy: EnvoyBinary, folder: Path) -> None:
    events: list[ProxyEvent] = []
    async with HeldUpstream().serving() as upstream:
        port = free_port()
        configuration = static_bootstrap(folder, port, upstream=upstream.port)
        async with Supervisor(
            envoy, configuration, folder, options=ONE, on_event=events.append
        ) as supervisor:
            first = supervisor.pid
            assert first is not None
            os.kill(first, signal.SIGSEGV)
            await until(lambda: len(events) == 3)
            assert supervisor.pid not in (None, first)
            await supervisor.wait_ready(20)
            assert (await get(port)).text == "done"
    crashed = events[1]
    assert crashed.kind is EventKind.CRASHED
    assert crashed.pid == first
    assert crashed.text.startswith("ended by SIGSEGV: Caught Segmentation fault")
    assert crashed.restart_in_s == pytest.approx(0.2)
    assert not alive(first)


async def test_restarts_slow_down_while_they_fail(envoy: EnvoyBinary, folder: Path) -> None:
    events: list[ProxyEvent] = []
    configuration = static_bootstrap(folder, free_port())
    async with Supervisor(
        envoy, configuration, folder, options=ONE, on_event=events.append
    ) as supervisor:
        (folder / "bootstrap.json").write_text("{")
        assert supervisor.pid is not None
        os.kill(supervisor.pid, signal.SIGKILL)
        await until(lambda: len(events) == 4)
    assert [event.kind for event in events[1:4]] == [
        EventKind.CRASHED,
        EventKind.RESTART_FAILED,
        EventKind.RESTART_FAILED,
    ]
    assert [event.restart_in_s for event in events[1:4]] == pytest.approx([0.2, 0.4, 0.8])
    assert events[1].text == "ended by SIGKILL"


async def test_drain_lets_a_request_finish_and_refuses_new_connections(
    envoy: EnvoyBinary, folder: Path
) -> None:
    port = free_port()
    async with HeldUpstream().serving() as upstream:
        configuration = static_bootstrap(folder, port, upstream=upstream.port)
        supervisor = Supervisor(envoy, configuration, folder, options=ONE)
        await supervisor.start()
        await supervisor.wait_ready(20)
        held = asyncio.create_task(get(port, "/held"))
        await upstream.arrived.wait()
        assert await supervisor.admin.active_requests() == 1

        draining = asyncio.create_task(supervisor.drain(20))
        refused = False
        async with asyncio.timeout(10):
            while not refused:
                try:
                    await get(port)
                except httpx2.ConnectError:
                    refused = True
        assert not draining.done()
        upstream.release.set()
        response = await held
        assert (response.status_code, response.text) == (200, "done")
        assert response.headers["connection"] == "close"
        assert await draining == 0


async def test_drain_ends_when_its_time_is_up(envoy: EnvoyBinary, folder: Path) -> None:
    port = free_port()
    async with HeldUpstream().serving() as upstream:
        configuration = static_bootstrap(folder, port, upstream=upstream.port)
        supervisor = Supervisor(envoy, configuration, folder, options=ONE)
        await supervisor.start()
        await supervisor.wait_ready(20)
        held = asyncio.create_task(get(port, "/held"))
        await upstream.arrived.wait()
        assert await supervisor.drain(0.3) == 1
        with pytest.raises(httpx2.RemoteProtocolError):
            await held
        upstream.release.set()


async def test_an_envoy_that_ignores_sigterm_is_killed(envoy: EnvoyBinary, folder: Path) -> None:
    supervisor = Supervisor(envoy, static_bootstrap(folder, free_port()), folder, options=ONE)
    await supervisor.start()
    process = supervisor._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)  # a stopped process keeps SIGTERM for later
    await process.end(grace_s=0.1)
    assert process.exit_status == -signal.SIGKILL
    await supervisor.stop()


def running(folder: Path, port: int) -> "subprocess.Popen[str]":
    import json

    configuration = json.dumps(static_bootstrap(folder, port))
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), configuration],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_kill_9_of_the_parent_leaves_no_envoy(folder: Path) -> None:
    with running(folder, free_port()) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
        parent.wait(10)
        wait_gone(pid)


def test_ctrl_c_reaches_only_us(folder: Path) -> None:
    with running(folder, free_port()) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.killpg(parent.pid, signal.SIGINT)  # as a terminal does: the whole foreground group
        assert parent.stdout.readline() == "interrupted LIVE\n"
        assert parent.wait(20) == 0
        assert not alive(pid)
