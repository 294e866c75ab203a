"""Rollouts in the database of the instance."""

import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from pointsman.resources.key import Key
from pointsman.rollout.elsewhere import Reading
from pointsman.rollout.schema import ACKNOWLEDGED, EVENT, LEAD, READING, STATE
from pointsman.rollout.state import Event, State
from pointsman.rollout.store import KEPT_EVENTS, event_json
from pointsman.state.database import Database

UNHEARD_S: Final = 60.0
"""Seconds after which nobody hears any more what was told while nobody listened."""
LATELY_S: Final = 15.0
"""Seconds after which a control plane that says nothing counts as gone."""
_COLUMNS = [column for column in EVENT.c if column.name not in ("id", "rollout")]


class SqlStore:
    """Keeps them in tables.

    Args:
        database: opens the database, once.
        is_shared: see `RolloutStore`.
    """

    def __init__(
        self, database: Callable[[], Awaitable[Database]], *, is_shared: bool = False
    ) -> None:
        self._database = database
        self.is_shared = is_shared

    async def lead(self, me: str, seconds: float) -> str:
        """Who carries rollouts out: `me` from now on for so long, if nobody else does.

        Raises:
            StateError: the database does not answer.
        """
        async with (await self._database()).recording() as connection:
            now = _seconds(connection)
            row = (await connection.execute(sa.select(LEAD, now).with_for_update())).one()
            if row.holder != me and row.until > row.now:
                return str(row.holder)
            await connection.execute(LEAD.update().values(holder=me, until=row.now + seconds))
            return me

    async def leave(self, me: str) -> None:
        """Ends the lease of `me`, if it has it.

        Raises:
            StateError: the database does not answer.
        """
        async with (await self._database()).counting() as connection:
            mine = LEAD.update().where(LEAD.c.holder == me)
            await connection.execute(mine.values(until=0.0))

    async def tell(self, readings: Sequence[Reading]) -> None:
        """Tells whoever carries rollouts out what proxies did; nobody hears of it later on.

        Raises:
            StateError: the database does not answer.
        """
        async with (await self._database()).counting() as connection:
            now = _seconds(connection)
            told = [reading.json() for reading in readings]
            await connection.execute(
                READING.insert().from_select(
                    ["at", "readings"], sa.select(now, sa.literal(told, sa.JSON))
                )
            )
            await connection.execute(READING.delete().where(READING.c.at < now - UNHEARD_S))

    async def hear(self) -> Sequence[Reading]:
        """What others have told since the last time; nobody else will hear it.

        Raises:
            StateError: the database does not answer.
        """
        database = await self._database()
        async with database.reading() as connection:
            if (await connection.execute(sa.select(READING.c.id).limit(1))).first() is None:
                return []
        async with database.counting() as connection:
            found = await connection.execute(READING.delete().returning(READING.c.readings))
            rows = found.scalars().all()
        return [*_understood(item for row in rows for item in row)]

    async def acknowledge(self, me: str, splits: Mapping[Key, str | None]) -> None:
        """Says which splits all proxies of a control plane have; None of those they have not.

        Without any, it takes back what it has said.

        Raises:
            StateError: the database does not answer.
        """
        told = {_name(rollout): split for rollout, split in splits.items()}
        mine = ACKNOWLEDGED.c.plane == me
        async with (await self._database()).counting() as connection:
            now = _seconds(connection)
            await connection.execute(
                ACKNOWLEDGED.delete().where(mine | (ACKNOWLEDGED.c.at < now - UNHEARD_S))
            )
            if told:
                row = sa.select(sa.literal(me), now, sa.literal(told, sa.JSON))
                columns = ["plane", "at", "splits"]
                await connection.execute(ACKNOWLEDGED.insert().from_select(columns, row))

    async def acknowledged(self, me: str) -> Sequence[Mapping[Key, str | None]]:
        """What control planes other than `me` have said lately.

        Raises:
            StateError: the database does not answer.
        """
        async with (await self._database()).reading() as connection:
            lately = ACKNOWLEDGED.c.at >= _seconds(connection) - LATELY_S
            others = sa.select(ACKNOWLEDGED.c.splits).where(ACKNOWLEDGED.c.plane != me, lately)
            rows = (await connection.execute(others)).scalars().all()
        return [{_key(name): split for name, split in row.items()} for row in rows]

    async def load(self) -> Mapping[Key, State]:
        """All states.

        Raises:
            StateError: the database does not answer.
        """
        async with (await self._database()).reading() as connection:
            rows = await connection.execute(sa.select(STATE))
            return {_key(row.rollout): State.read(row.state) for row in rows}

    async def save(self, rollout: Key, state: State, events: Sequence[Event]) -> None:
        """Keeps a state and what has happened, both or neither.

        Raises:
            StateError: the database does not answer.
        """
        name = _name(rollout)
        async with (await self._database()).recording() as connection:
            changed = sa.update(STATE).where(STATE.c.rollout == name).values(state=state.json())
            if not (await connection.execute(changed)).rowcount:
                row = {"rollout": name, "state": state.json()}
                await connection.execute(STATE.insert(), row)
            if events:
                rows = [{"rollout": name, **event_json(event)} for event in events]
                await connection.execute(EVENT.insert(), rows)
                await connection.execute(_drop(name))

    async def forget(self, rollout: Key) -> None:
        """Drops the state of a rollout that is gone.

        Raises:
            StateError: the database does not answer.
        """
        async with (await self._database()).counting() as connection:
            gone = STATE.delete().where(STATE.c.rollout == _name(rollout))
            await connection.execute(gone)

    async def events(self, rollout: Key, limit: int) -> Sequence[Mapping[str, Any]]:
        """The newest events of a rollout, the newest first.

        Raises:
            StateError: the database does not answer.
        """
        wanted = (
            sa.select(*_COLUMNS)
            .where(EVENT.c.rollout == _name(rollout))
            .order_by(EVENT.c.id.desc())
            .limit(limit)
        )
        async with (await self._database()).reading() as connection:
            return [dict(row) for row in (await connection.execute(wanted)).mappings()]


def _understood(told: Iterable[Any]) -> Iterator[Reading]:
    """What was told, but for what another version of this one may have told."""
    for item in told:
        with contextlib.suppress(KeyError, TypeError, ValueError):
            yield Reading.read(item)


def _seconds(connection: AsyncConnection) -> sa.Label[float]:
    """The database's own time, in seconds since 1970."""
    if connection.dialect.name == "sqlite":
        return sa.cast(sa.func.strftime("%s", "now"), sa.Double).label("now")
    return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double).label("now")


def _drop(name: str) -> sa.Delete:
    """Drops events beyond those that are kept."""
    newest = (
        sa.select(EVENT.c.id)
        .where(EVENT.c.rollout == name)
        .order_by(EVENT.c.id.desc())
        .offset(KEPT_EVENTS)
        .limit(1)
        .scalar_subquery()
    )
    return EVENT.delete().where(EVENT.c.rollout == name, EVENT.c.id <= newest)


def _name(key: Key) -> str:
    return "/".join(key)


def _key(name: str) -> Key:
    kind, namespace, rest = name.split("/", 2)
    return Key(kind, namespace, rest)
