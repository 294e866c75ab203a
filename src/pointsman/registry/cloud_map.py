"""Instances from AWS Cloud Map, asked for again and again.

A revision tells cheaply whether instances came or went, but not whether their health changed (API
reference, "DiscoverInstancesRevision"), so everything is asked for every few rounds all the same.
Each service is asked for on its own: what fails for one does not make another older.
"""

import asyncio
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import structlog

from pointsman.registry.instance import Instance, ServiceName
from pointsman.registry.pace import INTERVAL_S, pause
from pointsman.registry.registry import Registry

SOURCE = "cloud-map"
FULL_S: Final = 15.0
"""Seconds after which the instances are asked for although their revision is the same. Cloud Map
itself takes 30 s to change the health of an instance ("HealthCheckCustomConfig")."""
_THREADS: Final = 4

log = structlog.get_logger(__name__)


class DiscoveryError(Exception):
    """A question was not answered; the message says why."""


class AbsentError(DiscoveryError):
    """Cloud Map answers that it knows no such service."""


class Discovery(Protocol):
    """Asks Cloud Map; every method blocks, for some seconds at most, and is called in threads."""

    def revision(self, service: ServiceName) -> int | None:
        """A number that changes when instances come or go; None when there is none to be had.

        Raises:
            DiscoveryError: there is no answer.
        """

    def instances(self, service: ServiceName) -> tuple[int | None, list[Instance]]:
        """The revision, and all instances with their health.

        Raises:
            AbsentError: there is no such service.
            DiscoveryError: there is no answer.
        """


class CloudMap:
    """Keeps a registry's source up to date with the services that are in use.

    Args:
        registry: has a source called `SOURCE`.
        discovery: asks.
        interval_s: seconds between two questions about one service.
        full_s: see `FULL_S`.
    """

    def __init__(
        self,
        registry: Registry,
        discovery: Discovery,
        *,
        interval_s: float = INTERVAL_S,
        full_s: float = FULL_S,
    ) -> None:
        self._registry = registry
        self._discovery = discovery
        self._interval_s = interval_s
        self._full_s = full_s
        self._tasks: dict[ServiceName, asyncio.Task[None]] = {}
        self._answered: dict[ServiceName, asyncio.Event] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="cloud-map")

    def follow(self, services: Collection[ServiceName]) -> None:
        """Asks for these services from now on, and for no others."""
        for service in self._tasks.keys() - set(services):
            self._tasks.pop(service).cancel()
            del self._answered[service]
            self._registry.drop(SOURCE, service)
        for service in sorted(set(services) - self._tasks.keys()):
            self._answered[service] = asyncio.Event()
            self._tasks[service] = asyncio.create_task(self._follow(service))

    async def answered(self, seconds: float) -> None:
        """Waits until every service was asked for once, with or without success, or so long."""
        waiting = [asyncio.ensure_future(event.wait()) for event in self._answered.values()]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=seconds)
            for waiter in late:
                waiter.cancel()

    async def stop(self) -> None:
        """Asks no more; what is known stays."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        self._answered.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _follow(self, service: ServiceName) -> None:
        loop = asyncio.get_running_loop()
        revision: int | None = None
        full_at = loop.time()
        failures = 0
        while True:
            full = loop.time() >= full_at
            try:
                asked = await self._ask(service, None if full else revision)
                if asked is not None:
                    revision, instances = asked
                    full_at = loop.time() + self._full_s
                    self._registry.put(SOURCE, service, instances)
                failures = 0
            except Exception as error:
                failures += 1
                full_at = loop.time()  # what it says after a failure is taken down whole
                self._failed(service, error)
            self._answered[service].set()
            await asyncio.sleep(pause(self._interval_s, failures))

    def _failed(self, service: ServiceName, error: Exception) -> None:
        """Whatever goes wrong, asking goes on and what is known stays.

        That a service does not exist counts as an answer only where none was known: a wrong
        account, or an emptied stand-in, says so too, and Cloud Map lets nobody delete a service
        that has instances.
        """
        known = isinstance(error, DiscoveryError)
        message = str(error) if known else f"{type(error).__name__}: {error}"
        log.warning("no answer of Cloud Map", service=str(service), error=message)
        if isinstance(error, AbsentError) and not self._registry.instances(service):
            self._registry.put(SOURCE, service, ())
        self._registry.fail(SOURCE, message, service)

    async def _ask(
        self, service: ServiceName, known: int | None
    ) -> tuple[int | None, list[Instance]] | None:
        """The instances; None when their revision is still the one known."""
        loop = asyncio.get_running_loop()
        if known is not None:
            now = await loop.run_in_executor(self._threads, self._discovery.revision, service)
            if now == known:
                return None
        return await loop.run_in_executor(self._threads, self._discovery.instances, service)
