"""One Envoy for each virtual gateway of this machine."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from pointsman.envoy.node_class import NodeClass
from pointsman.graph.model.gateway import Gateway
from pointsman.proxy.binary import EnvoyBinary
from pointsman.proxy.bootstrap import XdsAddress, bootstrap
from pointsman.proxy.log_lines import LogLine
from pointsman.proxy.process import ProcessOptions
from pointsman.proxy.runtime_folder import RuntimeFolder
from pointsman.proxy.supervisor import ProxyEvent, Supervisor
from pointsman.resources.key import Key

READY_S = 60.0
"""Seconds within which Envoy has to serve its first configuration."""


@dataclass(frozen=True, slots=True)
class FleetEvents:
    """Who is told what happens to the Envoys."""

    log: Callable[[Key, LogLine], None]
    event: Callable[[Key, ProxyEvent], None]


class Fleet:
    """Runs an Envoy for every gateway there is, and none for those that are gone.

    Args:
        binary: the Envoy to run.
        folder: private folder for sockets and bootstraps.
        xds: socket of the control plane.
        options: how each Envoy is run.
        drain_s: seconds that requests in flight get when a gateway ends.
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
        self._running: dict[Key, Supervisor] = {}
        self._numbers = count(1)

    @property
    def running(self) -> dict[Key, Supervisor]:
        """Supervisors by gateway."""
        return dict(self._running)

    async def ensure(self, gateways: dict[NodeClass, Gateway]) -> None:
        """Starts and ends Envoys until there is one for each gateway.

        Raises:
            EnvoyError: one does not start.
        """
        wanted = {gateway.key: gateway for gateway in gateways.values()}
        await self._end([key for key in self._running if key not in wanted])
        fresh = [gateway for key, gateway in wanted.items() if key not in self._running]
        await asyncio.gather(*(self._start(gateway) for gateway in fresh))

    async def _start(self, gateway: Gateway) -> None:
        key = gateway.key
        folder = self._folder.path / f"envoy-{next(self._numbers)}"
        folder.mkdir(mode=0o700)
        supervisor = Supervisor(
            self._binary,
            bootstrap(
                node_id=gateway.node_id,
                node_cluster=gateway.node_id,
                xds=XdsAddress(path=self._xds),
                admin_socket=folder / "admin.sock",
            ),
            folder,
            options=self._options,
            on_log=lambda line: self._events.log(key, line),
            on_event=lambda event: self._events.event(key, event),
        )
        self._running[key] = supervisor
        await supervisor.start()
        await supervisor.wait_ready(READY_S)

    async def _end(self, keys: list[Key]) -> int:
        supervisors = [self._running.pop(key) for key in keys]
        left = await asyncio.gather(*(item.drain(self._drain_s) for item in supervisors))
        await asyncio.gather(*(item.stop() for item in supervisors))
        return sum(left)

    async def drain(self) -> int:
        """Ends every Envoy after its requests; gives the number of those that were cut off."""
        return await self._end(list(self._running))

    async def stop(self) -> None:
        """Ends every Envoy at once."""
        await asyncio.gather(*(item.stop() for item in self._running.values()))
        self._running.clear()
