"""Shared limits of a running instance: the server of leases, and where it counts.

It counts where the instance keeps its state: in the database, or in Redis where that is named, or
in memory, for as long as it runs, where it keeps none.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from pointsman.aio.endless import endless
from pointsman.app.access import AccessState
from pointsman.graph.model.graph import Graph
from pointsman.graph.shared_limits import shared_limits
from pointsman.limits.late_store import LateStore
from pointsman.limits.server import LimitServer
from pointsman.limits.store import CounterStore, MemoryStore
from pointsman.resources.codes import access as codes
from pointsman.resources.problem import Problem
from pointsman.xds.admission import Admission

if TYPE_CHECKING:
    from pointsman.state.database import Database


class LimitState:
    """Leases shared limits.

    Args:
        access: has the database.
        admission: who may have leases.
        alone: whether the proxies end with this instance, so that none has a lease of an earlier
            one.

    Attributes:
        server: leases them to proxies.
    """

    def __init__(self, access: AccessState, admission: Admission, *, alone: bool) -> None:
        self._store = LateStore(partial(_store, access))
        self._alone = alone
        self._task: asyncio.Task[None] | None = None
        self.server = LimitServer(self._store, admit=admission.refusal, alone=alone)

    @property
    def handler(self) -> Any:
        """What proxies ask, for the server they are connected to."""
        return self.server.handler

    def want(self, graph: Graph) -> None:
        """Takes note of what there is to count; nothing is opened before there is something."""
        found = shared_limits(graph)
        self.server.define(found)
        if found and self._task is None:
            self._task = asyncio.create_task(endless(self.server.run, "limits"), name="limits")

    def problems(self) -> Iterator[Problem]:
        """What keeps quotas from being counted."""
        if self._task is not None and self.server.failure:
            yield Problem(codes.COUNTS_AWAY, self.server.failure)

    async def close(self) -> None:
        """Ends what counts; where proxies ended before, others have the rates at once."""
        self.server.stop()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            await self.server.end()
            if self._alone:
                await self.server.leave()
        await self._store.close()


def _store(access: AccessState) -> CounterStore:
    if access.options is None:
        return MemoryStore()
    # Imported when one is needed: it takes a while.
    if access.options.quotas is not None:
        from pointsman.limits.redis_store import RedisStore  # noqa: PLC0415

        return RedisStore(access.options.quotas)
    from pointsman.limits.sql_store import SqlStore  # noqa: PLC0415

    async def opened() -> "Database":
        return (await access.open()).database

    return SqlStore(opened)
