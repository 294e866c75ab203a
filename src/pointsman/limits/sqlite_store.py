"""Counts of quotas in a file of SQLite, of one control plane or of several on the same machine.

It is a file of its own and not the database of the administration: it changes many times a second,
and there every change tells all processes to look.
"""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from pointsman.limits.counts import Balance, Move, Record, apply
from pointsman.limits.store import StoreError

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS quota (key TEXT PRIMARY KEY, record TEXT NOT NULL, ends INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS plane (name TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
"""
_BUSY_S: Final = 5.0
_SWEEP_S: Final = 3_600.0
"""Seconds between two looks for what counts no longer."""
_KEPT_S: Final = 7 * 86_400
"""Seconds for which it is kept nevertheless: clocks are set back."""

_T = TypeVar("_T")


class SqliteStore:
    """Counts in a file.

    Args:
        path: of the file; it is made when there is none, for nobody else to read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "quotas")
        self._connection: sqlite3.Connection | None = None
        self._swept = time.monotonic()

    async def settle(self, plane: str, wall: int, moves: Sequence[Move]) -> list[Balance]:
        """See `CounterStore`."""
        return await self._run(lambda db: list(self._settle(db, plane, wall, moves)))

    async def attend(self, plane: str, wall: int, until: int) -> int:
        """See `CounterStore`."""
        return await self._run(lambda db: _attend(db, plane, wall, until))

    async def records(self, prefix: str) -> dict[str, Record]:
        """See `CounterStore`."""
        return await self._run(lambda db: _records(db, prefix))

    async def reset(self, keys: Collection[str]) -> None:
        """See `CounterStore`."""
        await self._run(lambda db: _reset(db, keys))

    async def close(self) -> None:
        """See `CounterStore`."""
        await asyncio.to_thread(self._thread.shutdown)
        if self._connection is not None:
            self._connection.close()

    async def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._transact, work)

    def _transact(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            if self._connection is None:
                self._connection = _opened(self._path)
            with _transaction(self._connection):
                return work(self._connection)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self._path}: {error}") from error

    def _settle(
        self, db: sqlite3.Connection, plane: str, wall: int, moves: Sequence[Move]
    ) -> Iterator[Balance]:
        if time.monotonic() - self._swept > _SWEEP_S:
            self._swept = time.monotonic()
            db.execute("DELETE FROM quota WHERE ends < ?", (wall - _KEPT_S,))
        for move in moves:
            row = db.execute("SELECT record FROM quota WHERE key = ?", (move.key,)).fetchone()
            record = Record() if row is None else _read(row[0])
            balance = apply(record, plane, wall, move)
            _write(db, move.key, record, max(move.until, wall + move.span.lasts))
            yield balance


def _opened(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600, exist_ok=True)
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    # What is granted has to outlast a loss of power, or it would be granted again.
    db.execute("PRAGMA synchronous = FULL")
    db.executescript(_SCHEMA)
    return db


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _attend(db: sqlite3.Connection, plane: str, wall: int, until: int) -> int:
    db.execute("DELETE FROM plane WHERE until <= ?", (wall,))
    db.execute("INSERT OR REPLACE INTO plane VALUES (?, ?)", (plane, until))
    return int(db.execute("SELECT count(*) FROM plane").fetchone()[0])


def _records(db: sqlite3.Connection, prefix: str) -> dict[str, Record]:
    sql = "SELECT key, record FROM quota WHERE substr(key, 1, ?) = ?"
    return {key: _read(text) for key, text in db.execute(sql, (len(prefix), prefix))}


def _reset(db: sqlite3.Connection, keys: Collection[str]) -> None:
    for key in keys:
        row = db.execute("SELECT record, ends FROM quota WHERE key = ?", (key,)).fetchone()
        if row is not None:
            record = _read(row[0])
            record.slots.clear()
            _write(db, key, record, row[1])


def _write(db: sqlite3.Connection, key: str, record: Record, ends: int) -> None:
    text = json.dumps({"slots": record.slots, "holds": record.holds})
    db.execute("INSERT OR REPLACE INTO quota VALUES (?, ?, ?)", (key, text, ends))


def _read(text: str) -> Record:
    found = json.loads(text)
    slots = {int(slot): used for slot, used in found["slots"].items()}
    return Record(slots, {name: (hold[0], hold[1]) for name, hold in found["holds"].items()})
