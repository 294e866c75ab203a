"""A running `pointsman proxy`: one proxy of a mesh, on a machine or in a container."""

import asyncio
import contextlib
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from pointsman.aio.endless import endless
from pointsman.api.health import health_app
from pointsman.api.listening import HttpAddress, HttpServer
from pointsman.app.own_certificate import invalidity
from pointsman.envoy.config_source import SDS_SOCKET
from pointsman.errors import EnvoyError, PointsmanError, UsageError
from pointsman.proxy import stats_sink
from pointsman.proxy.binary import EnvoyBinary, find_envoy
from pointsman.proxy.bootstrap import Dialect, bootstrap
from pointsman.proxy.identity_files import IdentityFiles
from pointsman.proxy.log_lines import LogLine
from pointsman.proxy.process import ProcessOptions
from pointsman.proxy.runtime_folder import RuntimeFolder
from pointsman.proxy.succession import Callbacks, Succession
from pointsman.proxy.supervisor import LIVE, ProxyEvent
from pointsman.proxy.xds_cluster import Xds
from pointsman.settings import Settings

UPGRADE_S: Final = 60.0
"""Seconds within which an Envoy has to be ready to take over."""


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """Options of `pointsman proxy`.

    Attributes:
        node_id: which node it is.
        xds: the control plane.
        token: file with a bearer token for the control plane, if any.
        zone: its availability zone, "" when unknown.
        dialect: variant of xDS.
        health: where `/live` and `/ready` are answered, if anywhere.
        admin_socket: path that leads to Envoy's administration socket, if one is wanted.
        prometheus: address and port at which Envoy's own statistics are read, if anywhere.
        sds_socket: Unix socket of a local SDS server.
        envoy: path of Envoy, if one was named.
        concurrency: worker threads of Envoy.
        log_level: Envoy's own log level.
        drain_s: seconds that requests in flight get at the end, and at a hot restart.
        restarts: whether an Envoy that crashes is started again.
    """

    node_id: str
    xds: Xds
    token: Path | None = None
    zone: str = ""
    dialect: Dialect = "delta"
    health: HttpAddress | None = None
    admin_socket: Path | None = None
    prometheus: tuple[str, int] | None = None
    sds_socket: Path = Path(SDS_SOCKET)
    envoy: str | None = None
    concurrency: int = 2
    log_level: str = "warning"
    drain_s: int = 20
    restarts: bool = True


class ProxyNews(Protocol):
    """Is told what happens to a proxy."""

    def started(self, envoy: EnvoyBinary, health: str | None) -> None:
        """An Envoy runs; it may still wait for its configuration."""

    def said(self, line: LogLine) -> None:
        """A line of Envoy's log."""

    def did(self, event: ProxyEvent) -> None:
        """An Envoy started, crashed or stopped."""

    def took_over(self, envoy: EnvoyBinary) -> None:
        """An Envoy serves in the place of another."""

    def failed(self, error: PointsmanError) -> None:
        """Something was not done; what serves goes on."""

    def draining(self) -> None:
        """The end has begun."""

    def stopped(self, unfinished: int) -> None:
        """Everything has ended; so many requests were cut off."""


class ProxyRun:
    """Everything `pointsman proxy` runs.

    Args:
        options: what was asked.
        settings: what the environment says.
        news: told of everything that is worth a line.

    Attributes:
        serves: whether the start is over.
        status: exit status of an Envoy that ended by itself and for good.
    """

    def __init__(self, options: ProxyOptions, settings: Settings, news: ProxyNews) -> None:
        self._options = options
        self._settings = settings
        self._news = news
        self._over = asyncio.Event()
        self._upgrade = asyncio.Event()
        self._succession: Succession | None = None
        self._draining = False
        self.serves = False
        self.status = 0

    def upgrade(self) -> None:
        """Put a new Envoy in the place of the one that runs, without a gap."""
        self._upgrade.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Runs the proxy until `stop` is set, or until Envoy ends by itself for good.

        Raises:
            PointsmanError: it cannot start.
        """
        options = self._options
        binary = self._find()
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(RuntimeFolder())
            succession = self._succession = self._prepare(folder, stack)
            stack.push_async_callback(succession.stop)
            health = None
            if options.health is not None:
                health = HttpServer(options.health, health_app(self._unready), "--health")
                await stack.enter_async_context(health)
            await succession.start(binary)
            self.serves = True
            self._news.started(binary, None if health is None else health.bound)
            if await self._until(stop):
                self._draining = True
                self._news.draining()
                self._news.stopped(await succession.drain(options.drain_s))

    def _find(self) -> EnvoyBinary:
        return find_envoy(self._options.envoy, self._settings.envoy)

    def _prepare(self, folder: RuntimeFolder, stack: AsyncExitStack) -> Succession:
        options = self._options
        xds = options.xds
        if xds.tls is not None or options.token is not None:
            files = IdentityFiles(folder.path, xds.tls, options.token)
            files.write()
            self._look_at_own()
            following = asyncio.create_task(
                endless(lambda: self._follow(files), "identity"), name="identity"
            )
            stack.callback(following.cancel)
            xds = replace(xds, secrets=folder.path, token=options.token is not None)

        def make(admin: Path, binary: EnvoyBinary) -> Mapping[str, Any]:
            return bootstrap(
                node_id=options.node_id,
                node_cluster=options.node_id,
                xds=xds,
                admin=admin,
                zone=options.zone,
                dialect=options.dialect,
                # A proxy without configuration must neither call itself ready nor take over.
                patient=True,
                sds_socket=options.sds_socket,
                metrics=binary.version >= stats_sink.OLDEST,
                prometheus=options.prometheus,
            )

        return Succession(
            folder.path,
            make,
            ProcessOptions(concurrency=options.concurrency, log_level=options.log_level),
            options.drain_s,
            Callbacks(self._news.said, self._news.did, self._ended),
            options.admin_socket,
        )

    async def _follow(self, files: IdentityFiles) -> None:
        while True:
            try:
                await files.changed()
                files.write()
                self._look_at_own()
            except PointsmanError as error:
                self._news.failed(error)

    def _look_at_own(self) -> None:
        tls = self._options.xds.tls
        why = invalidity(tls.certificate) if tls is not None and tls.certificate else ""
        if why:
            self._news.failed(UsageError(why, hint="renew it; a new one is taken when it is there"))

    def _ended(self, status: int) -> bool:
        """Whether that is the end: somebody ended Envoy properly, or nobody wants it restarted."""
        if status != 0 and self._options.restarts:
            return False
        self.status = status if status >= 0 else 128 - status
        self._over.set()
        return True

    async def _until(self, stop: asyncio.Event) -> bool:
        """Waits for the end; tells whether it was asked for."""
        waits = [
            asyncio.create_task(item)
            for item in (
                stop.wait(),
                self._over.wait(),
                endless(self._follow_upgrades, "upgrades"),
            )
        ]
        await asyncio.wait(waits[:2], return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waits[2]
        return stop.is_set()

    async def _follow_upgrades(self) -> None:
        assert self._succession is not None
        while True:
            await self._upgrade.wait()
            self._upgrade.clear()
            try:
                binary = self._find()
                await self._succession.upgrade(binary, UPGRADE_S)
                self._news.took_over(binary)
            except PointsmanError as error:
                self._news.failed(error)

    async def _unready(self) -> str:
        if self._draining:
            return "draining"
        admin = None if self._succession is None else self._succession.admin
        if admin is None:
            return "starting"
        try:
            state = await admin.state()
        except EnvoyError as error:
            return str(error)
        return "" if state == LIVE else f"Envoy is {state}"
