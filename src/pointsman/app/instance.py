"""A running `pointsman up`: a control plane, and the Envoys and applications of this machine."""

import asyncio
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Protocol

from pointsman.app.access import AccessState
from pointsman.app.answers import answering
from pointsman.app.backends import Backends
from pointsman.app.discovery import Discovery
from pointsman.app.fleet import Fleet, FleetEvents
from pointsman.app.issuers import Issuers
from pointsman.app.issuing import Issuing, read_authority
from pointsman.app.options import UpOptions
from pointsman.app.places import Places
from pointsman.app.plane import ControlPlane
from pointsman.app.ports import refuse
from pointsman.app.programs import ProgramEvents, Programs
from pointsman.app.sidecars import Sidecars
from pointsman.app.site import News, Published, Site
from pointsman.control.compile import Proxy
from pointsman.envoy import consumer_stats
from pointsman.envoy.node_class import NodeClass
from pointsman.graph.links.context import GivenEndpoints
from pointsman.proxy.binary import find_envoy
from pointsman.proxy.log_lines import LogLine
from pointsman.proxy.process import ProcessOptions
from pointsman.proxy.runtime_folder import RuntimeFolder
from pointsman.proxy.supervisor import ProxyEvent
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet
from pointsman.rollout.measures import Measures
from pointsman.settings import Settings
from pointsman.sources.files import read
from pointsman.xds.nodes import Newcomer


class View(News, ProgramEvents, Protocol):
    """Shows what happens to whoever typed the command."""

    def progress(self, what: str) -> None:
        """Something that may take a second has begun."""

    def serving(self, published: Published) -> None:
        """The first configuration is live."""

    def envoy_said(self, proxy: Key, line: LogLine) -> None:
        """A line of an Envoy's log."""

    def envoy_did(self, proxy: Key, event: ProxyEvent) -> None:
        """An Envoy started, crashed or stopped."""

    def envoy_logged(self, proxy: Key, text: str) -> None:
        """A line of an Envoy's access log, where several Envoys write to standard output."""

    def draining(self) -> None:
        """The end has begun."""

    def stopped(self, unfinished: int) -> None:
        """Everything has ended; so many requests were cut off."""


class Machine(Site):
    """This machine: an Envoy for each proxy, applications, ports that may be taken.

    Args:
        options: what was asked.
        events: told of what applications say.

    Attributes:
        fleet: the Envoys, once they can be started.
        counts: whether they can count by consumer.
    """

    expected = 1

    def __init__(self, options: UpOptions, events: ProgramEvents) -> None:
        self.fleet: Fleet | None = None
        self.counts = True
        self._backends = Backends(options)
        self._sidecars = Sidecars(options, self._backends) if options.mesh else None
        self._programs = Programs(events)
        self._places = Places(options)
        self._classes: dict[Key, NodeClass] = {}

    async def given(self, resources: ResourceSet) -> GivenEndpoints:
        """Addresses of virtual nodes; opens the demo backends they need."""
        return await (self._sidecars or self._backends).given(resources)

    def arrange(self, proxies: Iterable[Proxy]) -> Iterator[tuple[Proxy, Collection[NodeClass]]]:
        """Every proxy with the one class it has here."""
        proxies = tuple(proxies)
        arranged = list(self._places.arrange(proxies))
        if self._sidecars is not None:
            arranged += self._sidecars.arrange(proxies)
        self._classes = {
            item.owner: replace(item, counts=self.counts)
            for _, classes in arranged
            for item in classes
        }
        yield from ((proxy, (self._classes[proxy.key],)) for proxy, _ in arranged)

    def node_class(self, proxy: Proxy, newcomer: Newcomer) -> NodeClass:  # noqa: ARG002
        """The one class the proxy has here."""
        return self._classes[proxy.key]

    async def settle(self, proxies: Iterable[Proxy]) -> None:
        """Starts the Envoys of those that are new, and ends those of others; then applications."""
        assert self.fleet is not None
        try:
            await self.fleet.ensure(proxies)
        finally:
            if self._sidecars is not None:
                await self._programs.ensure(self._sidecars.programs())

    @property
    def taken(self) -> Iterable[Problem]:
        """Ports of gateways that are taken."""
        return self._places.problems

    def problems(self) -> Iterable[Problem]:
        """Ports that are taken, and what is wrong with applications."""
        own = () if self._sidecars is None else self._sidecars.problems()
        return (*self._places.problems, *own)

    async def stop(self) -> None:
        """Ends all applications, and gives up what was claimed."""
        await self._programs.stop()
        await self._backends.stop()
        if self._sidecars is not None:
            self._sidecars.close()


class Instance:
    """Everything `pointsman up` runs.

    Args:
        options: what was asked.
        settings: what the environment says.
        view: told of everything a person wants to know.
        measures: counts requests for rollouts; by default the window of what proxies report.

    Attributes:
        serves: whether the start is over.
    """

    def __init__(
        self,
        options: UpOptions,
        settings: Settings,
        view: View,
        measures: Measures | None = None,
    ) -> None:
        self._options = options
        self._settings = settings
        self._view = view
        self._machine = Machine(options, view)
        self._discovery = Discovery(options.discovery)
        self._issuing = Issuing(read_authority(options.identity), options.identity)
        self._access = AccessState(options.state)
        self._issuers = Issuers(self._access)
        self._plane = ControlPlane(
            options.paths,
            options.variables,
            self._machine,
            view,
            certificates=options.certificates,
            discovery=self._discovery,
            issuing=self._issuing,
            access=self._access,
            alone=True,
            issuers=self._issuers,
            measures=measures,
        )
        self.serves = False

    async def run(self, stop: asyncio.Event) -> None:
        """Serves until `stop` is set.

        Raises:
            PointsmanError: it cannot start.
        """
        binary = find_envoy(self._options.envoy, self._settings.envoy)
        files = read(self._options.paths)
        plane, machine = self._plane, self._machine
        machine.counts = binary.version >= consumer_stats.OLDEST
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(RuntimeFolder())
            stack.push_async_callback(machine.stop)
            await stack.enter_async_context(self._discovery)
            await stack.enter_async_context(self._issuing)
            await stack.enter_async_context(self._access)
            stack.push_async_callback(plane.close)
            await stack.enter_async_context(self._issuers)
            self._view.progress("reading manifests")
            await plane.load(files)
            refuse(machine.taken)
            socket = folder.socket("xds.sock")
            await plane.server.start(f"unix:{socket}")
            stack.push_async_callback(plane.server.stop, 0.0)
            fleet = machine.fleet = Fleet(
                binary,
                folder,
                socket,
                ProcessOptions(concurrency=self._options.concurrency),
                self._options.drain_s,
                FleetEvents(
                    self._view.envoy_said,
                    self._view.envoy_did,
                    self._view.envoy_logged if self._options.mesh else None,
                ),
            )
            stack.push_async_callback(fleet.stop)
            await answering(
                stack,
                plane,
                self._settings.runtime_folder,
                admin=self._options.admin,
                metrics=self._options.metrics,
            )
            self._view.progress("starting Envoy")
            started = time.perf_counter()
            await plane.publish()
            published = await plane.acknowledged((), started)
            self.serves = True
            self._view.serving(published)
            await plane.follow(stop, files)
            self._view.draining()
            self._view.stopped(await fleet.drain())
