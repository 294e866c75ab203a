"""Keeping one Envoy running: started, ready, restarted when it crashes, drained, gone.

What Envoy serves is the control plane's matter; here is only whether it runs.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pointsman.errors import EnvoyError
from pointsman.proxy.admin import AdminClient
from pointsman.proxy.binary import EnvoyBinary
from pointsman.proxy.log_lines import LogLine
from pointsman.proxy.process import EnvoyProcess, ProcessOptions

START_TIMEOUT_S: Final = 20.0
POLL_S: Final = 0.02
DRAIN_POLL_S: Final = 0.05
FIRST_RESTART_DELAY_S: Final = 0.2
LONGEST_RESTART_DELAY_S: Final = 10.0
STEADY_AFTER_S: Final = 30.0
"""A run this long was no part of a crash loop, so the next delay is the first one again."""

LIVE: Final = "LIVE"


class EventKind(StrEnum):
    """What happened to Envoy."""

    STARTED = "started"
    CRASHED = "crashed"
    RESTART_FAILED = "restart failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class ProxyEvent:
    """Something worth telling.

    Attributes:
        kind: what happened.
        pid: the process it happened to, or 0 when none was made.
        text: one line of detail, or "".
        restart_in_s: when the next start is tried, in seconds from now, or None.
    """

    kind: EventKind
    pid: int
    text: str = ""
    restart_in_s: float | None = None


OnEvent = Callable[[ProxyEvent], None]
OnEnd = Callable[[int], bool]
"""Told the status of an Envoy that ended by itself; says whether that is the end."""


class Supervisor:
    """One Envoy and its successors. Use it as a context manager, or call `stop` at the end.

    Attributes:
        admin: the administration of whichever Envoy runs now.
        admin_socket: its socket.
    """

    def __init__(
        self,
        binary: EnvoyBinary,
        bootstrap: Mapping[str, Any],
        folder: Path,
        *,
        options: ProcessOptions | None = None,
        on_log: Callable[[LogLine], None] = lambda _line: None,
        on_event: OnEvent = lambda _event: None,
        on_end: OnEnd = lambda _status: False,
    ) -> None:
        """Prepare; nothing is started yet.

        Args:
            binary: the Envoy to run.
            bootstrap: envoy.config.bootstrap.v3.Bootstrap as a dict, with its administration on a
                Unix socket in `folder`.
            folder: a private folder (`RuntimeFolder`), one for each supervisor.
            options: how Envoy is run.
            on_log: called with each line of Envoy's log; it must not raise.
            on_event: called with each start, crash and stop; it must not raise.
            on_end: asked whether an Envoy that ended by itself is to be started again: by default
                it always is.
        """
        self._binary = binary
        self._bootstrap = bootstrap
        self._folder = folder
        self._options = options or ProcessOptions()
        self._on_log = on_log
        self._on_event = on_event
        self._on_end = on_end
        self.admin_socket = Path(bootstrap["admin"]["address"]["pipe"]["path"])
        self.admin = AdminClient(self.admin_socket)
        self._process: EnvoyProcess | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the Envoy that runs now, or None between two runs."""
        process = self._process
        return process.pid if process is not None and process.exit_status is None else None

    async def start(self) -> None:
        """Start Envoy and wait until its administration answers; crashes after that are mended.

        Raises:
            EnvoyError: Envoy ended again, with its last words, or does not answer.
        """
        bootstrap_file = self._folder / "bootstrap.json"
        bootstrap_file.touch(mode=0o600)
        bootstrap_file.write_text(json.dumps(self._bootstrap), encoding="utf-8")
        self._keep(await self._start_once())

    async def wait_ready(self, timeout_s: float) -> None:
        """Wait until Envoy serves: it has its first listeners and clusters.

        Raises:
            EnvoyError: it is not ready after `timeout_s` seconds, with what it complained of.
        """
        state = "not running"
        try:
            async with asyncio.timeout(timeout_s):
                while state != LIVE:
                    with contextlib.suppress(EnvoyError):
                        state = await self.admin.state()
                    if state != LIVE:
                        await asyncio.sleep(POLL_S)
        except TimeoutError:
            words = self._process.last_words() if self._process is not None else []
            raise EnvoyError(
                f"Envoy is not ready after {timeout_s:g} s ({state})",
                hint="; ".join(words),
            ) from None

    async def release(self) -> None:
        """Start it no more when it ends: another Envoy is about to take its place."""
        await self._stop_keeping()

    def resume(self) -> None:
        """The other one did not take its place after all."""
        if self._process is not None:
            self._keep(self._process)

    async def leave(self, timeout_s: float) -> None:
        """Wait until a released Envoy, told so by the one in its place, has ended; then clear up.

        Args:
            timeout_s: when it is ended all the same, in seconds.
        """
        try:
            if self._process is not None:
                async with asyncio.timeout(timeout_s):
                    await self._process.wait()
        except TimeoutError:
            pass
        finally:
            await self.stop()

    async def drain(self, timeout_s: float) -> int:
        """Accept nothing new, let requests finish, then stop.

        Listeners are closed at once, so new connections are refused rather than lost; on
        connections that exist, each answer carries `connection: close` (HTTP/2: GOAWAY).
        TCP connections without HTTP are cut at the end, since nothing tells when one is done.

        Args:
            timeout_s: how long to wait for requests, in seconds.

        Returns:
            How many requests were cut off because the time was up.
        """
        unfinished = 0
        await self._stop_keeping()  # an Envoy that crashes now must not come back to listen anew
        try:
            async with asyncio.timeout(timeout_s):
                await self.admin.drain_listeners()
                while unfinished := await self.admin.active_requests():  # noqa: ASYNC110
                    await asyncio.sleep(DRAIN_POLL_S)
        except TimeoutError:
            pass
        except EnvoyError:
            unfinished = 0  # it is not there to be drained
        finally:
            await self.stop()
        return unfinished

    async def stop(self) -> None:
        """End Envoy without waiting for requests; harmless when it is not running."""
        await self._stop_keeping()
        process, self._process = self._process, None
        if process is not None:
            await process.end()
            self._on_event(ProxyEvent(EventKind.STOPPED, process.pid))
        await self.admin.close()
        self.admin_socket.unlink(missing_ok=True)
        (self._folder / "bootstrap.json").unlink(missing_ok=True)

    def _keep(self, process: EnvoyProcess) -> None:
        self._keeper = asyncio.create_task(self._keep_running(process), name="envoy-keeper")

    async def _stop_keeping(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _start_once(self) -> EnvoyProcess:
        # Envoy leaves its socket behind, and one without a listener would look like a dead Envoy.
        self.admin_socket.unlink(missing_ok=True)
        process = await EnvoyProcess.start(
            self._binary, self._folder / "bootstrap.json", self._options, self._on_log
        )
        self._process = process
        try:
            await self._wait_answering(process)
        except BaseException:
            self._process = None
            await process.end()
            raise
        self._on_event(ProxyEvent(EventKind.STARTED, process.pid))
        return process

    async def _wait_answering(self, process: EnvoyProcess) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if process.exit_status is not None:
                await process.wait()
                raise EnvoyError(f"Envoy does not start: {process.account_of_end()}")
            with contextlib.suppress(EnvoyError):
                await self.admin.state()
                return
            await asyncio.sleep(POLL_S)
        raise EnvoyError(
            f"Envoy does not answer {START_TIMEOUT_S:g} s after its start",
            hint="; ".join(process.last_words()),
        )

    async def _keep_running(self, process: EnvoyProcess) -> None:
        delay_s = FIRST_RESTART_DELAY_S
        while True:
            began = time.monotonic()
            status = await process.wait()
            if self._on_end(status):
                return
            if time.monotonic() - began > STEADY_AFTER_S:
                delay_s = FIRST_RESTART_DELAY_S
            account = process.account_of_end()
            self._on_event(ProxyEvent(EventKind.CRASHED, process.pid, account, delay_s))
            process, delay_s = await self._restart(delay_s)

    async def _restart(self, delay_s: float) -> tuple[EnvoyProcess, float]:
        while True:
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, LONGEST_RESTART_DELAY_S)
            try:
                return await self._start_once(), delay_s
            except EnvoyError as error:
                event = ProxyEvent(EventKind.RESTART_FAILED, 0, str(error), delay_s)
                self._on_event(event)
