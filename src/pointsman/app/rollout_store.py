"""Where an instance keeps its rollouts: in its database, or in memory where it has none."""

from functools import partial
from typing import TYPE_CHECKING

from pointsman.app.access import AccessState
from pointsman.rollout.store import MemoryStore, RolloutStore

if TYPE_CHECKING:
    from pointsman.state.database import Database


def opened_store(access: AccessState) -> RolloutStore:
    """The store of an instance; the database is opened when it is first asked for something."""
    if access.options is None:
        return MemoryStore()
    # Imported when one is needed: it takes a while.
    from pointsman.rollout.sql_store import SqlStore  # noqa: PLC0415

    async def opened(access: AccessState) -> "Database":
        return (await access.open()).database

    is_shared = not access.options.url.startswith("sqlite")
    return SqlStore(partial(opened, access), is_shared=is_shared)
