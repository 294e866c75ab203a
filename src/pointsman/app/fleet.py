"""One Envoy for each proxy of this machine."""

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final, Self

from pointsman.aio.lines import lines_of
from pointsman.control.compile import Proxy
from pointsman.envoy.requests import SAMPLE_KEY
from pointsman.graph.model.sidecar import Sidecar
from pointsman.proxy import stats_sink
from pointsman.proxy.binary import EnvoyBinary
from pointsman.proxy.bootstrap import bootstrap
from pointsman.proxy.log_lines import LogLine
from pointsman.proxy.process import ProcessOptions
from pointsman.proxy.runtime_folder import RuntimeFolder
from pointsman.proxy.supervisor import ProxyEvent, Supervisor
from pointsman.proxy.xds_cluster import XdsAddress
from pointsman.resources.key import Key

READY_S: Final = 60.0
"""Seconds within which Envoy has to serve its first configuration."""
AT_ONCE: Final = 4
"""Envoys that start at one time: each takes a processor for some tenths of a second."""


@dataclass(frozen=True, slots=True)
class FleetEvents:
    """Who is told what happens to the Envoys."""

    log: Callable[[Key, LogLine], None]
    event: Callable[[Key, ProxyEvent], None]
    output: Callable[[Key, str], None] | None = None
    """Told of each line of access logs to standard output; None lets Envoy write there itself."""


class Output:
    """Where an Envoy, and the ones after it, write access logs: a pipe that is read line by line.

    Attributes:
        descriptor: the end to write to.
    """

    def __init__(self, descriptor: int, reading: "asyncio.Task[None]") -> None:
        self.descriptor = descriptor
        self._reading = reading

    @classmethod
    async def open(cls, told: Callable[[str], None]) -> Self:
        """Makes the pipe; `told` gets each line."""
        read, write = os.pipe()
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(read, "rb")
        )

        async def tell() -> None:
            try:
                async for text in lines_of(stream):
                    told(text)
            finally:
                transport.close()

        return cls(write, asyncio.create_task(tell(), name="access-log"))

    async def close(self) -> None:
        """What was written is told still; nothing that holds the pipe open may be left."""
        os.close(self.descriptor)
        await self._reading


@dataclass(frozen=True, slots=True)
class Running:
    """An Envoy, and what ends with it."""

    supervisor: Supervisor
    rest: AsyncExitStack


class Fleet:
    """Runs an Envoy for every proxy there is, and none for those that are gone.

    Args:
        binary: the Envoy to run.
        folder: private folder for sockets and bootstraps.
        xds: socket of the control plane.
        options: how each Envoy is run; that of a sidecar has one worker thread all the same.
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
        self._running: dict[str, Running] = {}
        self._ending: set[asyncio.Task[int]] = set()
        self._numbers = count(1)
        self._starting = asyncio.Semaphore(AT_ONCE)

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
            ending = asyncio.create_task(self._drain(self._running.pop(node_id)))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
        for result in results:
            if result is not None:
                raise result

    async def _start(self, proxy: Proxy) -> None:
        async with self._starting:
            folder = self._folder.path / f"envoy-{next(self._numbers)}"
            folder.mkdir(mode=0o700)
            async with AsyncExitStack() as stack:
                options = self._options
                if isinstance(proxy, Sidecar):
                    options = replace(options, concurrency=1)
                if self._events.output is not None:
                    output = await Output.open(partial(self._events.output, proxy.key))
                    stack.push_async_callback(output.close)
                    options = replace(options, stdout=output.descriptor)
                supervisor = self._supervisor(proxy, folder, options)
                stack.push_async_callback(supervisor.stop)
                await supervisor.start()
                await supervisor.wait_ready(READY_S)
                self._running[proxy.node_id] = Running(supervisor, stack.pop_all())

    def _supervisor(self, proxy: Proxy, folder: Path, options: ProcessOptions) -> Supervisor:
        key = proxy.key
        return Supervisor(
            self._binary,
            bootstrap(
                node_id=proxy.node_id,
                node_cluster=proxy.node_id,
                xds=XdsAddress(path=self._xds),
                admin=folder / "admin.sock",
                metrics=self._binary.version >= stats_sink.OLDEST,
                # Whoever tries out a mesh wants to see each request.
                runtime={SAMPLE_KEY: 100},
            ),
            folder,
            options=options,
            on_log=lambda line: self._events.log(key, line),
            on_event=lambda event: self._events.event(key, event),
        )

    async def _drain(self, running: Running) -> int:
        async with running.rest:
            return await running.supervisor.drain(self._drain_s)

    async def drain(self) -> int:
        """Ends every Envoy after its requests; gives the number of those that were cut off."""
        running = [self._running.pop(node_id) for node_id in list(self._running)]
        drains = map(self._drain, running)
        return sum(await asyncio.gather(*self._ending, *drains))

    async def stop(self) -> None:
        """Ends every Envoy at once."""
        for ending in self._ending:
            ending.cancel()  # a drain that is cancelled stops its Envoy
        stops = (running.rest.aclose() for running in self._running.values())
        await asyncio.gather(*self._ending, *stops, return_exceptions=True)
        self._running.clear()
