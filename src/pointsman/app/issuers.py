"""Authorization servers of a running instance: from manifests and the database to the proxies.

They are there as soon as a manifest has one. Their key sets join snapshots at the end, like
credentials do, so that a key reaches proxies minutes before it signs. While the database cannot
be reached nobody gets tokens, and those that were issued go on to be good.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from pointsman.aio.endless import endless
from pointsman.app.access import AccessState
from pointsman.envoy.filters.issued import NAME, with_keys
from pointsman.envoy.sealed import EXTENSION, Sealed
from pointsman.errors import StateError
from pointsman.graph.model.authorization_server import AuthorizationServer
from pointsman.graph.model.graph import Graph
from pointsman.resources.codes import access as codes
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.xds.snapshot import Snapshot

if TYPE_CHECKING:
    from pointsman.oauth.keys import Keys
    from pointsman.oauth.service import OAuth

_Step = tuple[str, tuple[Key, ...]]
"""What a filled resource is made from: version and objects of the empty one."""
POLL_S: Final = 1.0
"""Seconds between two looks at the keys."""
_CLEAN_EVERY: Final = 60
"""Looks between two times at which what is over is removed."""


class Issuers:
    """Issues tokens; use it as a context manager.

    Args:
        access: has the database.
    """

    def __init__(self, access: AccessState) -> None:
        self._access = access
        self._servers: Mapping[Key, AuthorizationServer] = {}
        self._key_sets: dict[str, str] = {}
        self._filled: dict[_Step, Sealed] = {}
        self._filled_before: dict[_Step, Sealed] = {}
        self._keys: Keys | None = None
        self._oauth: OAuth | None = None
        self._task: asyncio.Task[None] | None = None
        self._stale = asyncio.Event()
        self._on_keys: Callable[[], None] = lambda: None

    @property
    def servers(self) -> Mapping[Key, AuthorizationServer]:
        """Those that are in force."""
        return self._servers

    def on_change(self, keys: Callable[[], None]) -> None:
        """Tells `keys` that a key set has changed."""
        self._on_keys = keys

    async def want(self, graph: Graph) -> None:
        """Takes note of what there is; makes keys before proxies hear of it.

        Raises:
            StateError: the database has to be opened, and cannot be.
        """
        self._servers = graph.servers
        # What this change uses again is carried over, and the rest forgotten by the next one.
        self._filled_before, self._filled = self._filled, {}
        if not graph.servers and self._oauth is None:
            return
        if self._oauth is None:
            await self._open()
        assert self._oauth is not None
        self._oauth.follow(graph.servers, graph.consumers)
        with contextlib.suppress(StateError):
            # What keeps the database from answering is told where it is asked the next time.
            await self._refresh()

    async def _open(self) -> None:
        # Imported when it is needed: most runs issue nothing, and this takes a while.
        from pointsman.oauth.keys import Keys  # noqa: PLC0415
        from pointsman.oauth.service import OAuth  # noqa: PLC0415

        kept = await self._access.open()
        self._keys = Keys(kept.database, kept.master)
        self._oauth = OAuth(kept.database, kept.master, self._keys)
        self._task = asyncio.create_task(endless(self._run, "issuers"), name="issuers")

    async def _refresh(self) -> bool:
        """Brings keys up to date; whether a key set is another one."""
        from pointsman.oauth.keys import key_sets  # noqa: PLC0415

        assert self._keys is not None
        await self._keys.refresh(self._servers.values())
        found = key_sets(self._servers, self._keys)
        changed = found != self._key_sets
        if changed:
            self._key_sets = found
            self._filled, self._filled_before = {}, {}
        return changed

    async def _run(self) -> None:
        from pointsman.oauth.cleaning import clean  # noqa: PLC0415

        kept = await self._access.open()
        looks = 0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._stale.wait()
            self._stale.clear()
            looks += 1
            with contextlib.suppress(StateError):
                if await self._refresh():
                    self._on_keys()
                if looks % _CLEAN_EVERY == 0:
                    await clean(kept.database)

    async def pages(self, attributes: Any) -> Any:
        """What a proxy is told about a request for an authorization server."""
        from pointsman.oauth.ask import Answer, Ask  # noqa: PLC0415
        from pointsman.oauth.check import check  # noqa: PLC0415

        async def away(_path: str, _ask: Ask) -> Answer:
            return Answer(503, [("retry-after", "1")])

        return await check(away if self._oauth is None else self._oauth.answer, attributes)

    def poke(self) -> None:
        """Something was changed here: look now."""
        self._stale.set()

    def finish(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the key sets, where it takes tokens of our own."""
        found = snapshot.of(EXTENSION)
        empty = found.get(NAME)
        if empty is None or not self._key_sets:
            return snapshot
        resources = {**found, NAME: self._fill(empty)}
        return Snapshot({**snapshot.resources, EXTENSION: resources})

    def _fill(self, empty: Sealed) -> Sealed:
        step = (empty.version, empty.keys)
        filled = self._filled.get(step) or self._filled_before.get(step)
        self._filled[step] = filled or with_keys(empty, self._key_sets)
        return self._filled[step]

    def uses(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot has key sets."""
        return NAME in snapshot.of(EXTENSION)

    def problems(self) -> Iterator[Problem]:
        """Keys that cannot be opened."""
        failures = {} if self._keys is None else self._keys.failures
        for reason in sorted(failures.values()):
            yield Problem(codes.CLOSED_KEY, reason)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
