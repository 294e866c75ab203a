"""One run of Envoy: started, listened to, ended. Runs after one another are the supervisor's.

Access logs do not pass through Python: Envoy inherits the standard output of the caller.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from pointsman.aio.lines import lines_of
from pointsman.errors import EnvoyError
from pointsman.proxy import launcher
from pointsman.proxy.binary import EnvoyBinary
from pointsman.proxy.log_lines import LOG_ARGUMENTS, LogLine, last_words, parse_line

TERMINATE_GRACE_S: Final = 5.0
REMEMBERED_LINES: Final = 50

OnLog = Callable[[LogLine], None]


@dataclass(frozen=True)
class HotRestart:
    """An Envoy's place in a line of Envoys of which each hands its listeners to the next.

    Attributes:
        socket: start of the paths of the sockets over which they talk; equal for all of the line.
        epoch: 0 for the first one.
        base_id: names the memory they share; equal for all of the line, and for no other line.
        drain_s: seconds within which connections of the one before are to move.
        parent_shutdown_s: seconds after which the one before ends; more than `drain_s`.
    """

    socket: Path
    epoch: int
    base_id: int
    drain_s: int
    parent_shutdown_s: int


@dataclass(frozen=True)
class ProcessOptions:
    """How Envoy is run.

    Attributes:
        concurrency: worker threads.
        log_level: Envoy's own log level.
        reject_unknown_fields: whether a misspelt field in a dynamic resource is an error (a NACK)
            instead of a warning.
        stdout: file descriptor for access logs to standard output; None for the caller's own.
        hot_restart: its place in a line of Envoys; None for one that takes nothing over.
    """

    concurrency: int = 2
    log_level: str = "warning"
    reject_unknown_fields: bool = True
    stdout: int | None = None
    hot_restart: HotRestart | None = None


class EnvoyProcess:
    """A running Envoy, in a session of its own, killed by the kernel if the caller dies.

    The session keeps Ctrl-C in a terminal from reaching Envoy before it is drained.

    Attributes:
        pid: process id.
    """

    def __init__(self, process: asyncio.subprocess.Process, on_log: OnLog) -> None:
        self._process = process
        self._on_log = on_log
        self._remembered: deque[LogLine] = deque(maxlen=REMEMBERED_LINES)
        self._reader = asyncio.create_task(self._read_log(), name="envoy-log")
        self.pid = process.pid

    @classmethod
    async def start(
        cls, binary: EnvoyBinary, bootstrap: Path, options: ProcessOptions, on_log: OnLog
    ) -> Self:
        """Start Envoy with the bootstrap file.

        Call it from the thread that lives longest: the kernel takes that thread's end for the
        parent's death.

        Raises:
            EnvoyError: no process could be made.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *_command(binary, bootstrap, options),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=options.stdout,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise EnvoyError(f"cannot start Envoy: {error.strerror}") from None
        return cls(process, on_log)

    @property
    def exit_status(self) -> int | None:
        """Status, minus the signal's number when a signal ended it, or None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait for the end, and until all it said has been read."""
        status = await self._process.wait()
        await self._reader
        return status

    def last_words(self) -> list[str]:
        """Its worst log lines so far."""
        return last_words(list(self._remembered))

    def account_of_end(self) -> str:
        """One line on how it ended."""
        status = self.exit_status
        if status is not None and status < 0:
            return _death_by_signal(-status, list(self._remembered))
        return "; ".join(self.last_words()) or f"ended with status {status}"

    async def end(self, grace_s: float = TERMINATE_GRACE_S) -> None:
        """SIGTERM, then SIGKILL when it has not obeyed within `grace_s` seconds."""
        try:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self._process.wait()
        finally:
            self._signal(signal.SIGKILL)
            await self.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def _read_log(self) -> None:
        assert self._process.stderr is not None
        told = False
        async for raw in lines_of(self._process.stderr):
            line = parse_line(raw)
            if told and not line.logger:
                # Outside its log Envoy says once more why it ends, and dumps what it refused.
                continue
            told = told or line.level == "critical"
            self._remembered.append(line)
            self._on_log(line)


def _death_by_signal(number: int, lines: list[LogLine]) -> str:
    # Only what Envoy's own crash handler said: older lines are about something else, and the stack
    # that follows its first line is in the log for whoever wants it.
    account = f"ended by {signal.Signals(number).name}"
    said = next((line.text for line in lines if line.level == "critical"), "")
    return f"{account}: {said}" if said else account


def _command(binary: EnvoyBinary, bootstrap: Path, options: ProcessOptions) -> list[str]:
    return [
        *(sys.executable, "-I", "-S", str(Path(launcher.__file__)), str(os.getpid())),
        str(binary.path),
        *("-c", str(bootstrap)),
        *_hot_restart(options.hot_restart),
        *("--concurrency", str(options.concurrency)),
        # What it says last is what it ends by, and without a log it comes with a dump.
        *("--log-level", "critical" if options.log_level == "off" else options.log_level),
        *LOG_ARGUMENTS,
        # It would warn of every single API key, twice, that its message is a work in progress: of
        # 100,000 keys that is a second's work at each change.
        *("--component-log-level", "misc:error"),
        # Envoy keeps access logs back for ten seconds, which is long for whoever is watching.
        *("--file-flush-interval-msec", "1000"),
        # From the first moment of a drain every answer closes its connection, not a random share.
        *("--drain-strategy", "immediate"),
        *(["--reject-unknown-dynamic-fields"] if options.reject_unknown_fields else []),
    ]


def _hot_restart(place: HotRestart | None) -> list[str]:
    if place is None:
        # A restarted Envoy takes nothing over from the one before. Off, hot restart also needs no
        # shared memory, so any number of Envoys run side by side without a --base-id each.
        return ["--disable-hot-restart"]
    return [
        *("--base-id", str(place.base_id)),
        *("--restart-epoch", str(place.epoch)),
        # After a crash there is none before it, and it has to serve all the same.
        *(["--skip-hot-restart-on-no-parent"] if place.epoch else []),
        *("--socket-path", str(place.socket)),
        *("--drain-time-s", str(place.drain_s)),
        *("--parent-shutdown-time-s", str(place.parent_shutdown_s)),
    ]
