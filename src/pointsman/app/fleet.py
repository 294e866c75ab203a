"""One Envoy for each proxy of this machine."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from pointsman.control.compile import Proxy
from pointsman.proxy.binary import EnvoyBinary
from pointsman.proxy.bootstrap import bootstrap
from pointsman.proxy.log_lines import LogLine
from pointsman.proxy.process import ProcessOptions
from pointsman.proxy.runtime_folder import RuntimeFolder
from pointsman.proxy.supervisor import ProxyEvent, Supervisor
from pointsman.proxy.xds_cluster import XdsAddress
from pointsman.resources.key import Key

READY_S = 60.0
"""Seconds within which Envoy has to serve its first configuration."""


@dataclass(frozen=True, slots=True)
class FleetEvents:
    """Who is told what happens to the Envoys."""

    log: Callable[[Key, LogLine], None]
    event: Callable[[Key, ProxyEvent], None]


class Fleet:
    """Runs an Envoy for every proxy there is, and none for those that are gone.

    Args:
        binary: the Envoy to run.
        folder: private folder for sockets and bootstraps.
        xds: socket of the control plane.
        options: how each Envoy is run.
        drain_s: seconds that requests in flight get when a proxy ends.
        events: told of logs, crashes and restarts.
    """

    def __init__(
        self,
        binary: EnvoyBinary,
        folder: RuntimeFolder,
        xds: Path,
        options: ProcessOptions,
        drain_s: float,
        events: FleetEvents,
    ) -> None:
        self._binary = binary
        self._folder = folder
        self._xds = xds
        self._options = options
        self._drain_s = drain_s
        self._events = events
        self._running: dict[str, Supervisor] = {}
        self._ending: set[asyncio.Task[int]] = set()
        self._numbers = count(1)

    async def ensure(self, proxies: Iterable[Proxy]) -> None:
        """Starts and ends Envoys until there is one for each proxy.

        Those that are not needed any more end in the background, after their requests.

        Raises:
            EnvoyError: one does not start; the others do all the same.
        """
        wanted = {proxy.node_id: proxy for proxy in proxies}
        fresh = [proxy for node_id, proxy in wanted.items() if node_id not in self._running]
        results = await asyncio.gather(*map(self._start, fresh), return_exceptions=True)
        for node_id in [node_id for node_id in self._running if node_id not in wanted]:
            ending = asyncio.create_task(self._running.pop(node_id).drain(self._drain_s))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
        for result in results:
            if result is not None:
                raise result

    async def _start(self, proxy: Proxy) -> None:
        key = proxy.key
        folder = self._folder.path / f"envoy-{next(self._numbers)}"
        folder.mkdir(mode=0o700)
        supervisor = Supervisor(
            self._binary,
            bootstrap(
                node_id=proxy.node_id,
                node_cluster=proxy.node_id,
                xds=XdsAddress(path=self._xds),
                admin=folder / "admin.sock",
            ),
            folder,
            options=self._options,
            on_log=lambda line: self._events.log(key, line),
            on_event=lambda event: self._events.event(key, event),
        )
        try:
            await supervisor.start()
            await supervisor.wait_ready(READY_S)
        except BaseException:
            await supervisor.stop()
            raise
        self._running[proxy.node_id] = supervisor

    async def drain(self) -> int:
        """Ends every Envoy after its requests; gives the number of those that were cut off."""
        supervisors = [self._running.pop(node_id) for node_id in list(self._running)]
        drains = (supervisor.drain(self._drain_s) for supervisor in supervisors)
        return sum(await asyncio.gather(*self._ending, *drains))

    async def stop(self) -> None:
        """Ends every Envoy at once."""
        for ending in self._ending:
            ending.cancel()  # a drain that is cancelled stops its Envoy
        stops = (supervisor.stop() for supervisor in self._running.values())
        await asyncio.gather(*self._ending, *stops, return_exceptions=True)
        self._running.clear()
