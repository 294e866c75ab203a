"""Where instances of applications come from while it runs: the registry and its sources."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from starlette.routing import BaseRoute

from pointsman.aio.endless import endless
from pointsman.api.registry import registry_routes
from pointsman.control.endpoints import Endpoints
from pointsman.registry import cloud_map, files, leases
from pointsman.registry.aws import AwsDiscovery
from pointsman.registry.cloud_map import CloudMap
from pointsman.registry.files import RegistryFiles
from pointsman.registry.leases import Leases
from pointsman.registry.registry import Registry
from pointsman.registry.urls import RegistryUrl
from pointsman.resources.problem import Problem

FIRST_ANSWER_S: Final = 5.0
"""Seconds for which the start waits for sources that are elsewhere."""
REST: Final = "rest"
"""As `--registry`: the registry is filled over the instance's own socket."""


@dataclass(frozen=True, slots=True)
class DiscoveryOptions:
    """What fills the registry.

    Attributes:
        registries: files, URLs, or `rest`.
        cloud_map: AWS region of Cloud Map; "" for that of the environment, None for no Cloud Map.
        cloud_map_endpoint: URL of Cloud Map, if not AWS's own.
    """

    registries: tuple[str, ...] = ()
    cloud_map: str | None = None
    cloud_map_endpoint: str | None = None

    @property
    def is_configured(self) -> bool:
        """Whether anything fills it; otherwise nodes of Cloud Map have no endpoints."""
        return bool(self.registries) or self.cloud_map is not None


class Discovery:
    """The registry with its sources; a context manager that keeps it up to date.

    Args:
        options: what fills it.

    Attributes:
        is_configured: see `DiscoveryOptions`.
        registry: the instances.
        endpoints: takes them to snapshots.
    """

    def __init__(self, options: DiscoveryOptions) -> None:
        urls = [name for name in options.registries if _is_url(name)]
        paths = [name for name in options.registries if name not in (*urls, REST)]
        aws = options.cloud_map is not None
        self.is_configured = options.is_configured
        self.registry = Registry(
            [
                *([files.SOURCE] if paths else []),
                *urls,
                leases.SOURCE,
                *([cloud_map.SOURCE] if aws else []),
            ]
        )
        self.endpoints = Endpoints(self.registry)
        self._files = RegistryFiles(self.registry, paths) if paths else None
        self._urls = [RegistryUrl(self.registry, url) for url in urls]
        self._leases = Leases(self.registry)
        self._options = options
        self._cloud_map: CloudMap | None = None
        self._stack = AsyncExitStack()

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Routes by which applications register."""
        return registry_routes(self.registry, self._leases)

    async def __aenter__(self) -> Self:
        """Reads files, and begins to follow everything.

        Raises:
            PointsmanError: a file cannot be read, or there is no client for AWS.
        """
        if self._files is not None:
            self._files.load()
        if self._options.cloud_map is not None:
            endpoint = self._options.cloud_map_endpoint
            aws = AwsDiscovery(self._options.cloud_map or None, endpoint)
            self._cloud_map = CloudMap(self.registry, aws)
            self._stack.push_async_callback(self._cloud_map.stop)
        runs = [self._leases.run, *(url.run for url in self._urls)]
        if self._files is not None:
            runs.append(self._files.run)
        for run in runs:
            task = asyncio.create_task(endless(run, "registry"), name="registry")
            self._stack.push_async_callback(_end, task)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Follows nothing any more; what is known stays."""
        await self._stack.aclose()

    def follow(self) -> None:
        """Asks Cloud Map for the services that are in use now."""
        if self._cloud_map is not None:
            self._cloud_map.follow(self.endpoints.services)

    async def answered(self) -> None:
        """Waits a while until everything that is elsewhere has answered for the first time."""
        waits = [url.answered(FIRST_ANSWER_S) for url in self._urls]
        if self._cloud_map is not None:
            waits.append(self._cloud_map.answered(FIRST_ANSWER_S))
        await asyncio.gather(*waits)

    def problems(self) -> tuple[Problem, ...]:
        """Sources that fail, and nodes of which no instance is known."""
        if not self.is_configured:
            return ()
        found = list(self.endpoints.problems())
        if self._files is not None:
            found.extend(self._files.problems())
        for url in self._urls:
            found.extend(url.problems())
        return tuple(found)


def _is_url(name: str) -> bool:
    return name.startswith(("http://", "https://"))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
