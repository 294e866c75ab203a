"""Commands that are applications of virtual nodes: started, listened to, ended with us.

One that ends by itself is told of and left alone: whether it may run twice is not ours to know.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from pointsman.aio.lines import lines_of
from pointsman.errors import PointsmanError
from pointsman.graph.model.cluster import Address
from pointsman.proxy import launcher
from pointsman.proxy.ports import cannot_listen
from pointsman.resources.key import Key

GRACE_S: Final = 3.0
"""Seconds a command has after SIGTERM, before SIGKILL."""
LISTEN_S: Final = 5.0
"""Seconds that a command may take to listen before others stop waiting for it."""
_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Program:
    """A command with what it needs.

    Attributes:
        command: absolute path of the program, and its arguments.
        environment: names and values added to our own environment.
        addresses: where it is to listen.
        folder: where it runs; None for where we do.
    """

    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    addresses: tuple[Address, ...] = ()
    folder: Path | None = None


class ProgramEvents(Protocol):
    """Is told what applications say and do."""

    def application_said(self, node: Key, text: str) -> None:
        """A line it wrote."""

    def application_not_there(self, node: Key, addresses: tuple[Address, ...]) -> None:
        """It runs, but does not listen where it was asked to."""

    def application_ended(self, node: Key, status: int) -> None:
        """It has ended, and nobody asked for that; minus the number of a signal."""


class Programs:
    """Runs a command for each node that has one, and none for others.

    Args:
        events: told of what they say, and of their end.
    """

    def __init__(self, events: ProgramEvents) -> None:
        self._events = events
        self._running: dict[Key, tuple[Program, asyncio.Task[None]]] = {}

    async def ensure(self, wanted: Mapping[Key, Program]) -> None:
        """Starts what is new or has changed, ends what is not wanted any more.

        It waits, but not long, until those that were started listen or have ended.

        Raises:
            PointsmanError: a command cannot be started; others are all the same.
        """
        gone = [key for key, (program, _) in self._running.items() if wanted.get(key) != program]
        await self._end(gone)
        fresh = []
        failures = []
        for key, program in wanted.items():
            if key not in self._running:
                try:
                    process = await _start(program)
                except OSError as error:
                    failures.append(f"the application of {key.path}: {error.strerror}")
                    continue
                task = asyncio.create_task(self._attend(key, process), name="application")
                self._running[key] = (program, task)
                fresh.append(self._listens(key, program, task))
        await asyncio.gather(*fresh)
        if failures:
            raise PointsmanError(f"cannot start {'; '.join(failures)}")

    async def stop(self) -> None:
        """Ends all of them."""
        await self._end(list(self._running))

    async def _end(self, keys: list[Key]) -> None:
        tasks = [self._running.pop(key)[1] for key in keys]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listens(self, key: Key, program: Program, task: "asyncio.Task[None]") -> None:
        deadline = time.monotonic() + LISTEN_S
        missing = program.addresses
        while missing and not task.done():
            missing = tuple(item for item in missing if not _is_listened_on(item))
            if missing and time.monotonic() > deadline:
                self._events.application_not_there(key, missing)
                return
            await asyncio.sleep(_POLL_S)

    async def _attend(self, key: Key, process: asyncio.subprocess.Process) -> None:
        reader = asyncio.create_task(self._read(key, process))
        try:
            status = await process.wait()
            # What it left running in the background may hold the pipe open for ever.
            await asyncio.wait([reader], timeout=GRACE_S)
            self._events.application_ended(key, status)
        finally:
            await _end(process)
            reader.cancel()
            await asyncio.wait([reader])

    async def _read(self, key: Key, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for text in lines_of(process.stdout):
            self._events.application_said(key, text)


async def _start(program: Program) -> asyncio.subprocess.Process:
    # A session of its own: Ctrl-C must not end it before requests in flight are done, and at the
    # end whatever it started ends with it.
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(Path(launcher.__file__)), str(os.getpid())),
        *program.command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        cwd=program.folder,
        env={**os.environ, **dict(program.environment)},
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    try:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await process.wait()
    finally:
        _signal(process, signal.SIGKILL)
        await process.wait()


def _is_listened_on(address: Address) -> bool:
    # By the failure to bind it: a connection might be the only one that a plain program takes.
    return cannot_listen(address.host, address.port) is not None


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # The leader of a session leads a process group of the same number.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
