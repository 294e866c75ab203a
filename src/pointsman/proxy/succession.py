"""One Envoy after the other, without a gap: hot restart.

The next Envoy takes the listening sockets of the one that runs, loads its own configuration, and
serves; only then the other one accepts no more, finishes what it has, and ends. An Envoy that
cannot take over is ended, and the one that runs goes on.

Source: Envoy's manual, "Hot restart" and its command line. Two things follow from it. The next one
asks the other to close its administration when it starts, so a failed succession leaves an Envoy
that serves but cannot be asked. And it takes over once it has a configuration, so its bootstrap
must wait for one (`patient`): without a control plane there is no succession.
"""

import asyncio
import contextlib
import secrets
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Final

from pointsman.errors import EnvoyError
from pointsman.proxy.admin import AdminClient
from pointsman.proxy.binary import VERSION_TIMEOUT_S, EnvoyBinary
from pointsman.proxy.log_lines import LogLine
from pointsman.proxy.process import HotRestart, ProcessOptions
from pointsman.proxy.supervisor import LIVE, OnEnd, OnEvent, Supervisor

PARENT_EXTRA_S: Final = 2
"""Seconds that an Envoy keeps running after the time its connections had to move."""
BASE_IDS: Final = 2**28
"""Envoy multiplies an id by ten, and keeps the result in 32 bits."""
LEAVE_EXTRA_S: Final = 10.0
"""Seconds more after which it is ended from outside."""


@dataclass(frozen=True)
class Callbacks:
    """Who is told what happens; see `Supervisor`."""

    on_log: Callable[[LogLine], None]
    on_event: OnEvent
    on_end: OnEnd


class Succession:
    """Envoys of one proxy; at most two run at a time.

    Args:
        folder: private folder (`RuntimeFolder`).
        bootstrap: makes the bootstrap of an Envoy from the path of its administration socket.
        options: how each Envoy is run.
        drain_s: seconds within which connections move from one Envoy to the next.
        callbacks: who is told what happens.
        link: path that always leads to the administration socket of the Envoy that serves.
    """

    def __init__(
        self,
        folder: Path,
        bootstrap: Callable[[Path, EnvoyBinary], Mapping[str, Any]],
        options: ProcessOptions,
        drain_s: int,
        callbacks: Callbacks,
        link: Path | None = None,
    ) -> None:
        self._folder = folder
        self._bootstrap = bootstrap
        self._options = options
        self._drain_s = drain_s
        self._callbacks = callbacks
        self._link = link
        self._base_id = secrets.randbelow(BASE_IDS)
        self._epoch = 0
        self._starts = count(1)
        self._binary: EnvoyBinary | None = None
        self._current: Supervisor | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def admin(self) -> AdminClient | None:
        """The administration of the Envoy that serves; None before the first."""
        return None if self._current is None else self._current.admin

    @property
    def pid(self) -> int | None:
        """Process id of the Envoy that serves, or None between two runs."""
        return None if self._current is None else self._current.pid

    async def start(self, binary: EnvoyBinary) -> None:
        """Start the first one and wait until it answers; it need not be ready.

        Raises:
            EnvoyError: it does not start.
        """
        supervisor = self._supervisor(binary, epoch=0)
        await supervisor.start()
        self._install(supervisor, binary)

    async def upgrade(self, binary: EnvoyBinary, timeout_s: float) -> None:
        """Put an Envoy in the place of the one that runs.

        Args:
            binary: what to run.
            timeout_s: how long it may take to be ready.

        Raises:
            EnvoyError: it did not take over; the other one goes on.
        """
        current = self._current
        if current is None or await _state(current.admin) != LIVE:
            raise EnvoyError("no Envoy serves that another one could take over from")
        await self._check_compatible(binary)
        await current.release()
        supervisor = self._supervisor(binary, epoch=self._epoch + 1)
        try:
            await supervisor.start()
            await supervisor.wait_ready(timeout_s)
        except BaseException:
            await supervisor.stop()
            current.resume()
            raise
        self._epoch += 1
        self._install(supervisor, binary)
        patience = self._drain_s + PARENT_EXTRA_S + LEAVE_EXTRA_S
        leaving = asyncio.create_task(current.leave(patience), name="envoy-leaving")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def drain(self, timeout_s: float) -> int:
        """End all after their requests; gives the number of those that were cut off."""
        unfinished = 0
        if self._current is not None:
            unfinished = await self._current.drain(timeout_s)
        await self.stop()
        return unfinished

    async def stop(self) -> None:
        """End all at once."""
        for leaving in self._leaving:
            leaving.cancel()  # a wait that is cancelled stops its Envoy
        await asyncio.gather(*self._leaving, return_exceptions=True)
        if self._current is not None:
            await self._current.stop()
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        _forget_shared_memory(self._base_id)

    def _supervisor(self, binary: EnvoyBinary, epoch: int) -> Supervisor:
        folder = self._folder / f"envoy-{next(self._starts)}"
        folder.mkdir(mode=0o700)
        return Supervisor(
            binary,
            self._bootstrap(folder / "admin.sock", binary),
            folder,
            options=replace(self._options, hot_restart=self._place(epoch)),
            on_log=self._callbacks.on_log,
            on_event=self._callbacks.on_event,
            on_end=self._callbacks.on_end,
        )

    def _place(self, epoch: int) -> HotRestart:
        return HotRestart(
            socket=self._folder / "hot",
            epoch=epoch,
            base_id=self._base_id,
            drain_s=self._drain_s,
            parent_shutdown_s=self._drain_s + PARENT_EXTRA_S,
        )

    def _install(self, supervisor: Supervisor, binary: EnvoyBinary) -> None:
        self._current, self._binary = supervisor, binary
        if self._link is not None:
            fresh = self._link.with_name(f".{self._link.name}.new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(supervisor.admin_socket)
            fresh.rename(self._link)

    async def _check_compatible(self, binary: EnvoyBinary) -> None:
        assert self._binary is not None
        known, fresh = await asyncio.gather(
            asyncio.to_thread(_hot_restart_version, self._binary),
            asyncio.to_thread(_hot_restart_version, binary),
        )
        # The program that runs may have been replaced where it lay, and cannot be asked any more.
        if known is not None and known != fresh:
            raise EnvoyError(
                f"{binary} cannot take over from {self._binary}: they differ in what they share",
                hint="end this proxy and start it again",
            )


def _forget_shared_memory(base_id: int) -> None:
    # Envoy removes it only to make it anew.
    Path(f"/dev/shm/envoy_shared_memory_{base_id}0").unlink(missing_ok=True)


async def _state(admin: AdminClient) -> str:
    try:
        return await admin.state()
    except EnvoyError:
        return ""


def _hot_restart_version(binary: EnvoyBinary) -> str | None:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        answer = subprocess.run(
            [str(binary.path), "--hot-restart-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=VERSION_TIMEOUT_S,
            check=True,
        )
        return answer.stdout.decode("utf-8", "replace").strip()
    return None
