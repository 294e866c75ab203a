"""What people have granted, for those who administer: listed, and ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pointsman.errors import RefusedError
from pointsman.oauth.schema import GRANT
from pointsman.state.database import Change, Database


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant.

    Attributes:
        id: names it; no secret.
        server: the authorization server, as `NAMESPACE/NAME`.
        client: who acts.
        subject: for whom.
        scope: what is allowed.
        audience: where.
        created_at: when it was consented to.
        expires_at: when it ends by itself.
        revoked_at: when it was ended.
    """

    id: str
    server: str
    client: str
    subject: str
    scope: str
    audience: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class Grants:
    """Grants in a database.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self, consumer: str | None = None, after: str = "", limit: int = 100
    ) -> tuple[Granted, ...]:
        """Grants that are good, by id; those behind `after`, at most `limit`.

        Args:
            consumer: only those in which it acts, or is acted for, as `NAMESPACE/NAME`.
            after: see above.
            limit: see above.
        """
        query = sa.select(GRANT).where(GRANT.c.id > after, *self._good())
        if consumer is not None:
            query = query.where(_of(consumer))
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(GRANT.c.id).limit(limit))
            return tuple(map(_granted, rows))

    async def revoke(self, grant: str, actor: str) -> Granted:
        """Ends a grant with all tokens of it; one that has ended stays as it is.

        Raises:
            RefusedError: there is none.
        """
        async with self._database.changing(actor) as change:
            query = sa.select(GRANT).where(GRANT.c.id == grant)
            row = (await change.connection.execute(query)).first()
            if row is None:
                raise RefusedError(f"there is no grant {grant}", status=404)
            if row.revoked_at is None:
                await _revoke(change, grant)
            row = (await change.connection.execute(query)).one()
            return _granted(row)

    async def revoke_all(self, consumer: str, actor: str) -> int:
        """Ends all grants in which a consumer acts, or is acted for; their number."""
        async with self._database.changing(actor) as change:
            query = sa.select(GRANT.c.id).where(_of(consumer), *self._good())
            found = [row.id for row in await change.connection.execute(query)]
            for grant in found:
                await _revoke(change, grant)
            return len(found)

    def _good(self) -> tuple[sa.ColumnElement[bool], ...]:
        return GRANT.c.revoked_at.is_(None), GRANT.c.expires_at > self._database.clock()


def _of(consumer: str) -> sa.ColumnElement[bool]:
    return sa.or_(GRANT.c.client == consumer, GRANT.c.subject == consumer)


async def _revoke(change: Change, grant: str) -> None:
    update = GRANT.update().where(GRANT.c.id == grant)
    await change.connection.execute(update.values(revoked_at=change.at))
    await change.audit("revoke", "grant", grant, {"reason": "by hand"})


def _granted(row: Any) -> Granted:
    return Granted(
        row.id,
        row.server,
        row.client,
        row.subject,
        row.scope,
        row.audience,
        row.created_at,
        row.expires_at,
        row.revoked_at,
    )
