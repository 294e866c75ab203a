"""A running `pointsman up`: the one place where all parts meet.

Changes of the files go one way: sources, store, compiler, ADS server, Envoys. What comes back
(rejections, crashes) becomes problems and is shown; it never changes what is served.
"""

import asyncio
import contextlib
import time
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog

from pointsman.aio import garbage
from pointsman.api.server import StatusServer
from pointsman.app.backends import Backends
from pointsman.app.fleet import Fleet, FleetEvents
from pointsman.app.offline import locate
from pointsman.app.options import UpOptions
from pointsman.app.ports import Claim, LocalPorts, PortBook, refuse
from pointsman.app.status import GatewayState, instance_status
from pointsman.control.compile import Compiled, Compiler
from pointsman.control.rejections import Rejections
from pointsman.envoy.node_class import NodeClass
from pointsman.errors import PointsmanError
from pointsman.graph.model.gateway import Gateway
from pointsman.observe.status import Status
from pointsman.proxy.binary import find_envoy
from pointsman.proxy.log_lines import LogLine
from pointsman.proxy.process import ProcessOptions
from pointsman.proxy.runtime_folder import RuntimeFolder
from pointsman.proxy.supervisor import ProxyEvent
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.store import Store
from pointsman.settings import Settings
from pointsman.sources.files import read, watch
from pointsman.xds.rejection import Rejection
from pointsman.xds.server import AdsServer

log = structlog.get_logger(__name__)

ACKNOWLEDGE_S = 20.0
"""Seconds within which proxies are expected to take a change; they get longer, unwatched."""

Audience = tuple[Key, str]
"""Gateway and node id: the proxies that get one snapshot, wherever their listeners are bound."""


@dataclass(frozen=True, slots=True)
class Published:
    """A configuration that is live.

    Attributes:
        gateways: what is served, by node class.
        problems: everything that is wrong with what was written, located.
        sources: changed sources that led to it.
        seconds: from the change being seen to the last proxy's acknowledgement; None while a
            proxy has not answered.
        rejected: resources proxies would not take.
    """

    gateways: Mapping[NodeClass, Gateway]
    problems: tuple[Problem, ...]
    sources: tuple[str, ...]
    seconds: float | None
    rejected: int


class View(Protocol):
    """Shows what happens to whoever typed the command."""

    def progress(self, what: str) -> None:
        """Something that may take a second has begun."""

    def serving(self, published: Published) -> None:
        """The first configuration is live."""

    def changed(self, published: Published) -> None:
        """A change is live, or was held back."""

    def failed(self, error: PointsmanError) -> None:
        """A change could not be made live, or not wholly; what served before still does."""

    def envoy_said(self, gateway: Key, line: LogLine) -> None:
        """A line of an Envoy's log."""

    def envoy_did(self, gateway: Key, event: ProxyEvent) -> None:
        """An Envoy started, crashed or stopped."""

    def draining(self) -> None:
        """The end has begun."""

    def stopped(self, unfinished: int) -> None:
        """Everything has ended; so many requests were cut off."""


class Instance:
    """Everything `pointsman up` runs.

    Args:
        options: what was asked.
        settings: what the environment says.
        view: told of everything a person wants to know.

    Attributes:
        serves: whether the start is over.
    """

    def __init__(self, options: UpOptions, settings: Settings, view: View) -> None:
        self._options = options
        self._settings = settings
        self._view = view
        self._store = Store(options.variables)
        self._ports = LocalPorts(options)
        self._book = PortBook(options.bind)
        self._backends = Backends(options)
        self._compiler = Compiler(self._arrange, options.certificates)
        self._rejections = Rejections()
        self._server = AdsServer(self._classify, self._rejected)
        self._fleet: Fleet | None = None
        self._compiled = Compiled({}, (), {})
        self._published: set[Audience] = set()
        self._announcement: Announcement | None = None
        self._port_problems: list[Problem] = []
        self._since = time.time()
        self.serves = False

    async def run(self, stop: asyncio.Event) -> None:
        """Serves until `stop` is set.

        Raises:
            PointsmanError: it cannot start.
        """
        binary = find_envoy(self._options.envoy, self._settings.envoy)
        files = read(self._options.paths)
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(RuntimeFolder())
            stack.push_async_callback(self._backends.stop)
            self._view.progress("reading manifests")
            await self._load(files)
            refuse(self._port_problems)
            socket = folder.socket("xds.sock")
            await self._server.start(f"unix:{socket}")
            stack.push_async_callback(self._server.stop, 0.0)
            self._fleet = Fleet(
                binary,
                folder,
                socket,
                ProcessOptions(concurrency=self._options.concurrency),
                self._options.drain_s,
                FleetEvents(self._view.envoy_said, self._view.envoy_did),
            )
            stack.push_async_callback(self._fleet.stop)
            await stack.enter_async_context(
                StatusServer(self._settings.runtime_folder, self.status)
            )
            self._view.progress("starting Envoy")
            started = time.perf_counter()
            await self._publish()
            published = await self._acknowledged((), started)
            self.serves = True
            self._view.serving(published)
            await self._follow(stop, files)
            self._view.draining()
            self._view.stopped(await self._fleet.drain())

    async def _load(self, files: Mapping[str, str]) -> None:
        """Reads everything for the first time."""
        garbage.rest()
        try:
            self._apply(files)
            await self._compile()
        finally:
            garbage.tidy()

    def status(self) -> Status:
        """The state of everything, as `GET /v1/status` answers it."""
        return instance_status(
            since=self._since,
            paths=self._options.paths,
            gateways=self._states(),
            problems=self._problems(),
        )

    def _states(self) -> list[GatewayState]:
        nodes = tuple(self._server.nodes.values())
        return [
            GatewayState(
                gateway=gateway,
                node_class=node_class,
                snapshot=self._compiled.snapshots[node_class],
                nodes=tuple(node for node in nodes if node.node_class == _audience(gateway)),
            )
            for node_class, gateway in self._compiled.gateways.items()
        ]

    async def _follow(self, stop: asyncio.Event, files: Mapping[str, str]) -> None:
        following = asyncio.create_task(self._watch(files), name="watch")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (following, stopping):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following

    async def _watch(self, files: Mapping[str, str]) -> None:
        try:
            async for changes in watch(self._options.paths, files):
                await self._change(changes)
        finally:
            if self._announcement is not None:
                self._announcement.task.cancel()

    async def _change(self, changes: Mapping[str, str | None]) -> None:
        started = time.perf_counter()
        garbage.rest()
        try:
            self._apply(changes)
            await self._compile()
            await self._publish()
        except PointsmanError as error:
            garbage.tidy()
            self._view.failed(error)
            return
        except Exception as error:
            # Whatever is wrong with Pointsman itself must not end what serves.
            log.exception("a change failed", sources=sorted(changes))
            garbage.tidy()
            what = f"a fault of Pointsman itself: {type(error).__name__}: {error}"
            self._view.failed(PointsmanError(what, hint="please report it, with the lines above"))
            return
        self._announce(frozenset(changes), started)

    def _announce(self, sources: frozenset[str], started: float) -> None:
        """Tells of the change once proxies have it, without keeping the next change waiting."""
        earlier = self._announcement
        if earlier is not None and not earlier.task.done():
            earlier.task.cancel()
            sources, started = sources | earlier.sources, earlier.started

        async def announce() -> None:
            self._view.changed(await self._acknowledged(tuple(sorted(sources)), started))
            garbage.tidy()

        task = asyncio.create_task(announce(), name="announcement")
        self._announcement = Announcement(sources, started, task)

    def _apply(self, changes: Mapping[str, str | None]) -> None:
        for source, text in changes.items():
            self._store.replace(source, text)

    async def _compile(self) -> None:
        resources = self._store.resources()
        given = await self._backends.given(resources)
        self._compiled = self._compiler.compile(resources, given)

    def _arrange(self, gateways: Iterable[Gateway]) -> Iterator[tuple[Gateway, NodeClass]]:
        """Finds a port for every listener, and leaves out those whose port is taken."""
        local = {gateway.key: (gateway, self._ports.of(gateway)) for gateway in gateways}
        claims = [
            Claim(key, port, bound)
            for key, (_, ports) in local.items()
            for port, bound in ports.items()
        ]
        unmet = list(self._book.assign(claims))
        self._port_problems = [problem for _, problem in unmet]
        closed = {(claim.gateway, claim.port) for claim, _ in unmet}
        for key, (gateway, ports) in local.items():
            listeners = tuple(item for item in gateway.listeners if (key, item.port) not in closed)
            moved = tuple((port, bound) for port, bound in ports.items() if port != bound)
            node_class = NodeClass(key, "delta", self._options.bind, moved)
            yield replace(gateway, listeners=listeners), node_class

    async def _publish(self) -> None:
        """Gives every proxy what was compiled, starting those that are new."""
        assert self._fleet is not None
        gateways = self._compiled.gateways
        audiences = {_audience(gateway) for gateway in gateways.values()}
        self._rejections.keep(audiences)
        for node_class, gateway in gateways.items():
            snapshot = self._compiled.snapshots[node_class]
            self._rejections.settle(_audience(gateway), snapshot)
            self._server.publish(_audience(gateway), snapshot)
        for audience in self._published - audiences:
            self._server.forget(audience)
        self._published = audiences
        await self._fleet.ensure(gateways.values())

    async def _acknowledged(self, sources: tuple[str, ...], started: float) -> Published:
        """Waits until every proxy has answered."""
        rejected = 0
        seconds: float | None = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ACKNOWLEDGE_S):
                for audience in tuple(self._published):
                    answer = await self._server.acknowledged(audience, streams=1)
                    rejected += len(answer.rejections)
                seconds = time.perf_counter() - started
        gateways = self._compiled.gateways
        return Published(gateways, self._problems(), sources, seconds, rejected)

    def _problems(self) -> tuple[Problem, ...]:
        found = [*self._store.problems(), *self._rejections.problems(), *self._port_problems]
        return locate(self._store, [*found, *self._compiled.problems])

    def _classify(self, node: Any) -> Audience | None:
        for gateway in self._compiled.gateways.values():
            if gateway.node_id == node.id:
                return _audience(gateway)
        return None

    def _rejected(self, audience: Hashable, rejection: Rejection) -> None:
        if audience in self._published:
            self._rejections.add(audience, rejection)


@dataclass(frozen=True, slots=True)
class Announcement:
    """News of a change that proxies are still taking in."""

    sources: frozenset[str]
    started: float
    task: asyncio.Task[None]


def _audience(gateway: Gateway) -> Audience:
    return gateway.key, gateway.node_id
