"""Consumers and credentials of a running instance, from the database to the proxies.

The database is opened when something needs it: a manifest about callers, or somebody who asks for
a key. It is one more source of resources, for consumers; credentials join snapshots at the end,
like certificates do. While it cannot be reached, what was known last goes on to be served.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from pointsman.aio.endless import endless
from pointsman.envoy.sealed import EXTENSION, Sealed
from pointsman.errors import StateError
from pointsman.graph.model.access import Consumer
from pointsman.graph.model.graph import Graph
from pointsman.resources.codes import access as codes
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet
from pointsman.xds.snapshot import Snapshot

if TYPE_CHECKING:
    from pointsman.access.consumers import Consumers
    from pointsman.access.credentials import Credentials
    from pointsman.access.live import LiveCredentials
    from pointsman.access.masterkey import MasterKey
    from pointsman.access.tables import Tables
    from pointsman.access.tokens import Tokens
    from pointsman.state.database import Database

KINDS: Final = ("AccessPolicy", "AuthorizationServer", "Consumer")
"""Kinds of resources that have to do with callers."""
POLL_S: Final = 0.2
"""Seconds between two looks at what other processes have changed."""
_RETRY_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class StateOptions:
    """Where state is kept.

    Attributes:
        url: of the database.
        master_key: file of the key that its secrets are closed with; made when it is not there.
        quotas: URL of the Redis that quotas are counted in; None for the database.
    """

    url: str
    master_key: Path
    quotas: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look at the database found changed."""

    consumers: bool
    tables: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """An open database, what is in it, and what closes its secrets."""

    database: "Database"
    master: "MasterKey"
    credentials: "Credentials"
    consumers: "Consumers"
    tokens: "Tokens"
    live: "LiveCredentials"
    tables: "Tables"


class AccessState:
    """Knows who may call; use it as a context manager.

    Args:
        options: where state is kept; None keeps none.

    Attributes:
        options: the same.
    """

    def __init__(self, options: StateOptions | None = None) -> None:
        self.options = options
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._kept: Kept | None = None
        self._manifests = ""
        self._consumers: Mapping[Key, Consumer] = {}
        self._tables: dict[str, Sealed] = {}
        self._stale = asyncio.Event()
        self._revision = -1
        self._ends: datetime | None = None
        self._failure = ""
        self._on_consumers: Callable[[Mapping[str, str | None]], Awaitable[None]] | None = None
        self._on_tables: Callable[[], None] = lambda: None

    def on_change(
        self,
        consumers: Callable[[Mapping[str, str | None]], Awaitable[None]],
        tables: Callable[[], None],
    ) -> None:
        """Tells `consumers` the new text of a source, and `tables` that credentials changed."""
        self._on_consumers, self._on_tables = consumers, tables

    async def open(self) -> Kept:
        """The database, opened if it was not.

        Raises:
            StateError: it cannot be opened, or none is to be kept.
        """
        async with self._opening:
            if self._kept is None:
                self._kept = await self._open()
                await self._look(self._kept)
                self._begin()
            return self._kept

    async def _open(self) -> Kept:
        # Imported when it is needed: most runs have nothing to keep, and this takes a while.
        from pointsman.access.consumers import Consumers  # noqa: PLC0415
        from pointsman.access.credentials import Credentials  # noqa: PLC0415
        from pointsman.access.live import LiveCredentials  # noqa: PLC0415
        from pointsman.access.masterkey import read_master_key  # noqa: PLC0415
        from pointsman.access.tables import Tables  # noqa: PLC0415
        from pointsman.access.tokens import Tokens  # noqa: PLC0415
        from pointsman.state.database import Database  # noqa: PLC0415

        if self.options is None:
            raise StateError("this instance keeps no state")
        master = read_master_key(self.options.master_key)
        database = await self._stack.enter_async_context(Database(self.options.url))
        credentials = Credentials(database, master)
        consumers = Consumers(database, credentials)
        tokens = Tokens(database, master)
        live = LiveCredentials(credentials)
        return Kept(database, master, credentials, consumers, tokens, live, Tables())

    async def sources(self, resources: ResourceSet) -> Mapping[str, str | None]:
        """Resources that are kept in the database, as texts by the names of sources.

        Args:
            resources: what was written elsewhere; where nothing of it is about callers, the
                database stays closed.

        Raises:
            StateError: it has to be opened, and cannot be.
        """
        if self._kept is None:
            if self.options is None or not any(resources.of(kind) for kind in KINDS):
                return {}
            await self.open()
        from pointsman.access.consumers import SOURCE  # noqa: PLC0415

        return {SOURCE: self._manifests or None}

    def want(self, graph: Graph) -> None:
        """Takes note of who the consumers are."""
        if graph.consumers is not self._consumers:
            self._consumers = graph.consumers
            self._fill()

    def finish(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the tables of credentials, where there are any."""
        if not self._tables:
            return snapshot
        from pointsman.access.tables import with_tables  # noqa: PLC0415

        return with_tables(snapshot, self._tables)

    def uses(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot has a table of credentials."""
        return not self._tables.keys().isdisjoint(snapshot.of(EXTENSION))

    def poke(self) -> None:
        """Something was changed here: look now."""
        self._stale.set()

    def problems(self) -> Iterator[Problem]:
        """What keeps credentials from being known."""
        if self._failure:
            message = f"{self._failure}; callers are known as they were"
            yield Problem(codes.STATE_AWAY, message)
        failures = self._kept.live.failures if self._kept is not None else {}
        for reason in sorted(failures.values()):
            yield Problem(codes.CLOSED_SECRET, reason)

    def _fill(self) -> bool:
        """Makes the tables anew; whether they are others."""
        if self._kept is None:
            return False
        now = self._kept.database.clock()
        self._ends = self._kept.live.next_expiry(now)
        made = self._kept.tables.fill(self._kept.live.active(now), self._consumers)
        changed = made != self._tables
        self._tables = made
        return changed

    def _begin(self) -> None:
        task = asyncio.create_task(endless(self._run, "access"), name="access")

        async def end() -> None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        self._stack.push_async_callback(end)

    async def _run(self) -> None:
        assert self._kept is not None
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause(self._kept)):
                    await self._stale.wait()
            self._stale.clear()
            try:
                seen = await self._look(self._kept)
            except StateError as error:
                self._failure = str(error)
                continue
            self._failure = ""
            if seen.consumers:
                await self._tell_consumers()
            if seen.tables:
                self._on_tables()

    async def _tell_consumers(self) -> None:
        from pointsman.access.consumers import SOURCE  # noqa: PLC0415

        if self._on_consumers is not None:
            await self._on_consumers({SOURCE: self._manifests or None})

    def _pause(self, kept: Kept) -> float:
        """Seconds until there may be something to see."""
        if self._failure:
            return _RETRY_S
        if self._ends is None:
            return POLL_S
        left = (self._ends - kept.database.clock()).total_seconds()
        return min(POLL_S, max(0.0, left))

    async def _look(self, kept: Kept) -> "_Seen":
        """Brings what is known up to date."""
        from pointsman.access.consumers import as_manifests  # noqa: PLC0415

        revision = await kept.database.revision()
        consumers = False
        stale = self._ends is not None and self._ends <= kept.database.clock()
        if revision != self._revision:
            stale = await kept.live.refresh() or stale
            manifests = as_manifests(await kept.consumers.all())
            consumers = manifests != self._manifests
            self._manifests = manifests
            self._revision = revision
        return _Seen(consumers, stale and self._fill())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
