"""Tokens of administrators, for the administration over TCP.

A token is of 256 random bits, so that its digest is all that is kept.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa

from pointsman.access.masterkey import MasterKey
from pointsman.access.schema import ADMIN_TOKEN
from pointsman.access.secrets import Secret, new_id, new_secret
from pointsman.errors import RefusedError
from pointsman.state.database import Database

Role = Literal["viewer", "editor", "admin"]
"""A viewer reads; an editor changes consumers and credentials, too; an admin also has tokens."""
ROLES: Final[tuple[Role, ...]] = ("viewer", "editor", "admin")


@dataclass(frozen=True, slots=True)
class Token:
    """A token without what it is proved by.

    Attributes:
        id: names it; no secret.
        name: who has it; the audit log shows it.
        role: what it may do.
        created_at: when it was made.
        expires_at: when it ends by itself; None for never.
        revoked_at: when it was revoked.
    """

    id: str
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class Tokens:
    """Tokens in a database.

    Args:
        database: where they are.
        master: makes their digests.
    """

    def __init__(self, database: Database, master: MasterKey) -> None:
        self._database = database
        self._master = master

    async def issue(
        self, name: str, role: Role, actor: str, expires_at: datetime | None = None
    ) -> tuple[Token, Secret]:
        """Makes a token; nobody will see the secret again."""
        secret = new_secret()
        async with self._database.changing(actor) as change:
            token = Token(new_id("t"), name, role, change.at, expires_at)
            row = {
                "id": token.id,
                "name": name,
                "role": role,
                "digest": self._master.digest(secret.text),
                "created_at": change.at,
                "expires_at": expires_at,
            }
            await change.connection.execute(ADMIN_TOKEN.insert(), row)
            await change.audit("issue", "token", token.id, {"name": name, "role": role})
        return token, secret

    async def revoke(self, token_id: str, actor: str) -> Token:
        """Ends a token now.

        Raises:
            RefusedError: there is none.
        """
        async with self._database.changing(actor) as change:
            query = sa.select(ADMIN_TOKEN).where(ADMIN_TOKEN.c.id == token_id)
            row = (await change.connection.execute(query)).first()
            if row is None:
                raise RefusedError(f"there is no token {token_id}", status=404)
            if row.revoked_at is None:
                update = ADMIN_TOKEN.update().where(ADMIN_TOKEN.c.id == token_id)
                await change.connection.execute(update.values(revoked_at=change.at))
                await change.audit("revoke", "token", token_id, {"name": row.name})
            found = _token(row)
            return Token(
                *(found.id, found.name, found.role, found.created_at, found.expires_at),
                found.revoked_at or change.at,
            )

    async def list(self, after: str = "", limit: int = 100) -> tuple[Token, ...]:
        """Tokens by id, those behind `after`; at most `limit`."""
        query = sa.select(ADMIN_TOKEN).where(ADMIN_TOKEN.c.id > after)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(ADMIN_TOKEN.c.id).limit(limit))
            return tuple(map(_token, rows))

    async def verify(self, secret: Secret) -> Token | None:
        """The token of a secret, if it is good; None otherwise."""
        digests = self._master.digests(secret.text)
        query = sa.select(ADMIN_TOKEN).where(ADMIN_TOKEN.c.digest.in_(digests))
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        if row is None or not any(hmac.compare_digest(row.digest, item) for item in digests):
            return None
        found = _token(row)
        ended = found.expires_at is not None and found.expires_at <= self._database.clock()
        return None if ended or found.revoked_at is not None else found


def _token(row: Any) -> Token:
    return Token(row.id, row.name, row.role, row.created_at, row.expires_at, row.revoked_at)
