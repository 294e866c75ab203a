import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from pointsman.echo.behaviour import EchoBehaviour
from pointsman.echo.fleet import EchoFleet
from pointsman.errors import PointsmanError, UsageError

PARENT = """
import asyncio
from pointsman.echo.fleet import EchoFleet
async def main():
    fleet = EchoFleet()
    print(*await fleet.ensure("node", "shop", 80, "http"), fleet._process.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def thread_count(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def wait_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while alive(pid):
        assert time.monotonic() < deadline, "the process outlived its parent"
        time.sleep(0.01)


async def test_tcp_echo_and_greeting(fleet: EchoFleet) -> None:
    plain = await fleet.ensure("db", "shop", 5432, "tcp")
    reader, writer = await asyncio.open_connection(*plain)
    writer.write(b"ping")
    assert await reader.readexactly(4) == b"ping"
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()

    greeting = EchoBehaviour(greeting=True)
    reader, writer = await asyncio.open_connection(
        *await fleet.ensure("db", "other", 5432, "tcp", greeting)
    )
    assert await reader.readline() == b"other/db\n"
    writer.close()
    await writer.wait_closed()


@pytest.mark.slow
async def test_a_thousand_backends_in_a_few_seconds(fleet: EchoFleet) -> None:
    began = time.monotonic()
    addresses = await asyncio.gather(
        *(
            fleet.ensure(f"node-{n}", "shop", 80, "grpc" if n % 4 == 0 else "http")
            for n in range(1000)
        )
    )
    took = time.monotonic() - began
    assert len(set(addresses)) == 1000
    assert took < 15
    assert fleet._process is not None
    assert thread_count(fleet._process.pid) < 50
    async with httpx2.AsyncClient(trust_env=False) as client:
        host, port = addresses[999]
        assert (await client.get(f"http://{host}:{port}/")).json()["virtualNode"] == "node-999"


async def test_stop_leaves_no_process() -> None:
    fleet = EchoFleet()
    await fleet.ensure("node", "shop", 80, "http")
    assert fleet._process is not None
    pid = fleet._process.pid
    await fleet.stop()
    assert not alive(pid)
    await fleet.stop()


async def test_a_dead_child_is_an_error_and_not_a_hang() -> None:
    async with EchoFleet() as fleet:
        await fleet.ensure("node", "shop", 80, "http")
        assert fleet._process is not None
        fleet._process.kill()
        with pytest.raises(PointsmanError, match="demo backends' process"):
            await fleet.ensure("other", "shop", 80, "http")


async def test_after_the_death_of_the_child_backends_are_opened_anew() -> None:
    async with EchoFleet() as fleet:
        await fleet.ensure("node", "shop", 80, "tcp")
        assert fleet._process is not None
        fleet._process.kill()
        await fleet._process.wait()
        reader, writer = await asyncio.open_connection(
            *await fleet.ensure("node", "shop", 80, "tcp")
        )
        writer.write(b"ping")
        assert await reader.readexactly(4) == b"ping"
        writer.close()
        await writer.wait_closed()


def test_kill_9_of_the_parent_ends_the_child() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline().split()[2])
        assert alive(child)
        assert os.getsid(child) != os.getsid(parent.pid)
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
        wait_gone(child)


def test_behaviour_from_the_command_line() -> None:
    assert EchoBehaviour.parse("status=503, fail-percent=20") == EchoBehaviour(
        status=503, fail_percent=20
    )
    for wrong in ("colour=red", "status=high", "status=600", "fail_percent=101", ""):
        with pytest.raises(UsageError):
            EchoBehaviour.parse(wrong)
