"""Counts of quotas in the database: they outlast the process, and those of several control planes
add up in a common one.

A transaction first writes the rows of all keys it is about, in order. That locks them, so that what
it reads of them stays as it is, and two that need the same ones never wait for each other.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from pointsman.errors import StateError
from pointsman.limits.counts import Balance, Move, Record, apply
from pointsman.limits.schema import LIMIT_PLANE, QUOTA_COUNT
from pointsman.limits.store import StoreError
from pointsman.state.database import Database

_SWEEP_S: Final = 3_600.0
"""Seconds between two looks for what counts no longer."""
_KEPT_S: Final = 7 * 86_400
"""Seconds for which it is kept nevertheless: clocks are set back."""
_AT_ONCE: Final = 500
"""Keys of one transaction, so that nobody else waits long."""

_COUNT: Final = QUOTA_COUNT.c
_CHANGE: Final = (
    QUOTA_COUNT.update()
    .where(_COUNT.key == sa.bindparam("of"))
    .values(record=sa.bindparam("now"), ends=sa.bindparam("until"))
)


class SqlStore:
    """Counts in a database; see `CounterStore`.

    Args:
        opening: opens the database, or tells the one that is open; raises StateError when it
            cannot.
    """

    def __init__(self, opening: Callable[[], Awaitable[Database]]) -> None:
        self._opening = opening
        self._swept = time.monotonic()

    async def settle(self, plane: str, wall: int, moves: Sequence[Move]) -> list[Balance]:
        """See `CounterStore`."""
        await self._sweep(wall)
        by_key = {move.key: move for move in moves}
        found: dict[str, Balance] = {}
        for keys in _parts(by_key):
            async with self._counting() as connection:
                records = await _locked(connection, keys)
                changes = []
                for key in keys:
                    move, (record, _) = by_key[key], records[key]
                    found[key] = apply(record, plane, wall, move)
                    ends = max(move.until, wall + move.span.lasts)
                    changes.append({"of": key, "now": _written(record), "until": ends})
                await connection.execute(_CHANGE, changes)
        return [found[move.key] for move in moves]

    async def attend(self, plane: str, wall: int, until: int) -> int:
        """See `CounterStore`."""
        async with self._counting() as connection:
            mine = _insert(connection, LIMIT_PLANE).on_conflict_do_update(
                index_elements=["name"], set_={"until": until}
            )
            await connection.execute(mine, {"name": plane, "until": until})
            await connection.execute(LIMIT_PLANE.delete().where(LIMIT_PLANE.c.until <= wall))
            number = sa.select(sa.func.count()).select_from(LIMIT_PLANE)
            return int((await connection.execute(number)).scalar_one())

    async def records(self, prefix: str) -> dict[str, Record]:
        """See `CounterStore`."""
        begins = sa.func.substr(_COUNT.key, 1, len(prefix)) == prefix
        async with self._counting() as connection:
            rows = await connection.execute(sa.select(QUOTA_COUNT).where(begins))
            return {row.key: _read(row.record) for row in rows}

    async def reset(self, keys: Collection[str]) -> None:
        """See `CounterStore`."""
        for part in _parts(keys):
            async with self._counting() as connection:
                found = await _locked(connection, part)
                held = {
                    key: (record, ends) for key, (record, ends) in found.items() if record.holds
                }
                await connection.execute(
                    QUOTA_COUNT.delete().where(_COUNT.key.in_(found.keys() - held.keys()))
                )
                changes = [
                    {"of": key, "now": _written(Record(holds=record.holds)), "until": ends}
                    for key, (record, ends) in held.items()
                ]
                if changes:
                    await connection.execute(_CHANGE, changes)

    async def close(self) -> None:
        """The database is closed by whoever opened it."""

    @asynccontextmanager
    async def _counting(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with (await self._opening()).counting() as connection:
                yield connection
        except StateError as error:
            raise StoreError(str(error)) from error

    async def _sweep(self, wall: int) -> None:
        if time.monotonic() - self._swept < _SWEEP_S:
            return
        async with self._counting() as connection:
            await connection.execute(QUOTA_COUNT.delete().where(_COUNT.ends < wall - _KEPT_S))
        self._swept = time.monotonic()


def _parts(keys: Iterable[str]) -> list[list[str]]:
    ordered = sorted(keys)
    return [ordered[at : at + _AT_ONCE] for at in range(0, len(ordered), _AT_ONCE)]


async def _locked(
    connection: AsyncConnection, keys: Sequence[str]
) -> dict[str, tuple[Record, int]]:
    """What is known of keys, and until when it counts; nobody else changes it meanwhile."""
    statement = _insert(connection, QUOTA_COUNT)
    statement = statement.on_conflict_do_update(
        index_elements=["key"], set_={"key": statement.excluded.key}
    ).returning(_COUNT.key, _COUNT.record, _COUNT.ends)
    rows = await connection.execute(
        statement, [{"key": key, "record": _written(Record()), "ends": 0} for key in keys]
    )
    return {row.key: (_read(row.record), row.ends) for row in rows}


def _insert(connection: AsyncConnection, table: sa.Table) -> Any:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def _written(record: Record) -> dict[str, Any]:
    return {"slots": record.slots, "holds": record.holds}


def _read(found: dict[str, Any]) -> Record:
    slots = {int(slot): used for slot, used in found["slots"].items()}
    return Record(slots, {name: (hold[0], hold[1]) for name, hold in found["holds"].items()})
