"""The audit log: who changed what, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pointsman.state.database import Database
from pointsman.state.schema import AUDIT


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A change.

    Attributes:
        id: grows with every entry.
        at: when.
        actor: who.
        action: did what.
        kind: to what kind of thing.
        name: and to which.
        detail: how it is now; without secrets.
    """

    id: int
    at: datetime
    actor: str
    action: str
    kind: str
    name: str
    detail: Mapping[str, Any]


async def read_audit(
    database: Database, *, before: int | None = None, limit: int = 100, name: str | None = None
) -> tuple[AuditEntry, ...]:
    """Changes, the newest first.

    Args:
        database: where they are.
        before: only those with a smaller id.
        limit: how many at most.
        name: only those of this object.
    """
    query = sa.select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AUDIT.c.id < before)
    if name is not None:
        query = query.where(AUDIT.c.object == name)
    async with database.reading() as connection:
        rows = await connection.execute(query)
        return tuple(
            AuditEntry(row.id, row.at, row.actor, row.action, row.kind, row.object, row.detail)
            for row in rows
        )
