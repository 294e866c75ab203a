"""A database by URL: a file of SQLite, or PostgreSQL.

Every change is one transaction that begins by counting the revision up. That takes the one lock
there is for writers at once, so that no transaction has to be tried again, and it tells other
processes on the same database to look.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from pointsman.errors import StateError
from pointsman.state.migrate import migrate
from pointsman.state.schema import AUDIT, REVISION

Clock = Callable[[], datetime]
"""Tells the time, in UTC."""

_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}
_BUSY_MS: Final = 10_000
POLL_S: Final = 0.2
"""Seconds between two looks at the revision."""


def utc_now() -> datetime:
    """The time now."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """A transaction that changes something.

    Attributes:
        connection: where to do so.
        actor: who does.
        at: when.
        revision: its number among all changes.
    """

    connection: AsyncConnection
    actor: str
    at: datetime
    revision: int

    async def audit(
        self, action: str, kind: str, name: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Notes what is changed; `detail` must hold no secret."""
        values = {"at": self.at, "actor": self.actor, "action": action, "kind": kind}
        row = {**values, "object": name, "detail": dict(detail or {})}
        await self.connection.execute(AUDIT.insert(), row)


class Database:
    """An open database; use it as a context manager.

    Args:
        url: `sqlite:///PATH`, `sqlite://` for one in memory, or `postgresql://…`.
        clock: tells the time.
    """

    def __init__(self, url: str, clock: Clock = utc_now) -> None:
        self._url = _parsed(url)
        self._clock = clock
        self._engine: AsyncEngine | None = None

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return self._url.render_as_string(hide_password=True)

    @property
    def clock(self) -> Clock:
        """Tells the time."""
        return self._clock

    async def __aenter__(self) -> Self:
        """Opens it, and brings its tables up to date.

        Raises:
            StateError: it cannot be opened, or is newer than this program.
        """
        self._make_file()
        self._engine = _engine(self._url)
        try:
            async with self._engine.connect() as connection:
                await migrate(connection)
        except StateError:
            await self._engine.dispose()
            raise
        except (SQLAlchemyError, OSError) as error:
            await self._engine.dispose()
            raise StateError(
                f"the database {self.shown} cannot be opened: {_reason(error)}",
                hint="name another one with --state",
            ) from None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._engine is not None:
            await self._engine.dispose()

    def _make_file(self) -> None:
        """The file before SQLite makes it, so that it is nobody else's to read."""
        name = self._url.database
        if self._url.get_backend_name() != "sqlite" or not name or name == ":memory:":
            return
        path = Path(name)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise StateError(
                f"the database {path} cannot be made: {error.strerror}",
                hint="name another one with --state",
            ) from None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read from, at one moment.

        Raises:
            StateError: the database does not answer.
        """
        assert self._engine is not None
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise self._fault(error) from error

    @asynccontextmanager
    async def changing(self, actor: str) -> AsyncIterator[Change]:
        """A transaction; what is done in it happens as a whole, or not at all.

        Args:
            actor: who changes something, for the audit log.

        Raises:
            StateError: the database does not answer.
        """
        assert self._engine is not None
        try:
            async with self._engine.begin() as connection:
                count = REVISION.update().values(number=REVISION.c.number + 1)
                row = await connection.execute(count.returning(REVISION.c.number))
                yield Change(connection, actor, self._clock(), row.scalar_one())
        except (SQLAlchemyError, OSError) as error:
            raise self._fault(error) from error

    @asynccontextmanager
    async def counting(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that nobody is told of, for what changes many times a second.

        Its first statement has to write if any does: whoever writes first waits for others, and
        one that has read before would fail instead.

        Raises:
            StateError: the database does not answer.
        """
        async with self.reading() as connection:
            yield connection

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that nobody is told of, and that reads before it writes.

        Rows that it goes by have to be locked; SQLite has one lock, which is taken at once.

        Raises:
            StateError: the database does not answer.
        """
        assert self._engine is not None
        try:
            async with self._engine.connect() as connection:
                if connection.dialect.name == "sqlite":
                    await connection.execution_options(begin="BEGIN IMMEDIATE")
                async with connection.begin():
                    yield connection
        except (SQLAlchemyError, OSError) as error:
            raise self._fault(error) from error

    async def revision(self) -> int:
        """The number of changes so far."""
        async with self.reading() as connection:
            return int((await connection.execute(sa.select(REVISION.c.number))).scalar_one())

    async def watch(self, changed: Callable[[int], object], poll_s: float = POLL_S) -> None:
        """Tells of every change, whoever made it, until it is cancelled.

        Raises:
            StateError: the database does not answer.
        """
        seen = await self.revision()
        while True:
            await asyncio.sleep(poll_s)
            found = await self.revision()
            if found != seen:
                seen = found
                changed(found)

    def _fault(self, error: Exception) -> StateError:
        return StateError(f"the database {self.shown} fails: {_reason(error)}")


def _parsed(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except SQLAlchemyError:
        raise StateError(
            "the address of the database is none",
            hint="write sqlite:///PATH or postgresql://USER@HOST/NAME",
        ) from None
    driver = _DRIVERS.get(parsed.drivername)
    if driver is None:
        raise StateError(
            f"{parsed.drivername} is no database that is known here",
            hint="write sqlite:///PATH or postgresql://USER@HOST/NAME",
        )
    return parsed.set(drivername=driver)


def _engine(url: sa.URL) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_pre_ping=True)
    engine = create_async_engine(url)

    # The driver would begin transactions when it thinks fit, and leave DDL outside of them
    # (SQLAlchemy manual, "Enabling Non-Legacy SQLite Transactional Modes").
    @sa.event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        _use_wal(cursor)
        for pragma in (f"busy_timeout={_BUSY_MS}", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


def _use_wal(cursor: Any) -> None:
    """Switches to a write-ahead log, which needs a moment without other connections.

    Two that wait for each other with a lock in hand wait for ever, so that nobody waits here: who
    does not get it lets go, and tries again.
    """
    cursor.execute("PRAGMA busy_timeout=0")
    end = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
        else:
            return


def _reason(error: Exception) -> str:
    """What is wrong, without statements and their parameters."""
    first = getattr(error, "orig", None) or error
    return str(first).strip().splitlines()[0] if str(first).strip() else type(first).__name__
