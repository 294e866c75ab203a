"""Credentials of consumers: issued, rotated, revoked, and opened for proxies.

Secrets of keys and passwords are closed by the master key, because Envoy compares them in clear.
Those of clients are checked here only, so that their digest is enough; they are of 256 random
bits, which no slow hash would make harder to guess.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from pointsman.access.credential import (
    LETTERS,
    Active,
    Credential,
    Issued,
    Kind,
    State,
)
from pointsman.access.masterkey import MasterKey
from pointsman.access.schema import CREDENTIAL
from pointsman.access.secrets import Secret, new_id, new_secret
from pointsman.errors import RefusedError, StateError
from pointsman.resources.key import Key
from pointsman.state.database import Change, Database

Row = Any


@dataclass(frozen=True, slots=True)
class Opened:
    """Credentials that have changed, with their secrets.

    Attributes:
        active: those that were not revoked; they may have expired.
        gone: ids of those that were revoked.
        failures: (id, why its secret cannot be opened).
        revision: of the last change that is in here.
    """

    active: tuple[Active, ...]
    gone: tuple[str, ...]
    failures: tuple[tuple[str, str], ...]
    revision: int


class Credentials:
    """Credentials in a database.

    Args:
        database: where they are.
        master: closes their secrets.
    """

    def __init__(self, database: Database, master: MasterKey) -> None:
        self._database = database
        self._master = master

    async def issue(
        self,
        consumer: Key,
        kind: Kind,
        actor: str,
        *,
        label: str = "",
        expires_at: datetime | None = None,
        secret: Secret | None = None,
    ) -> Issued:
        """Makes a credential.

        Args:
            consumer: whose it is.
            kind: what it is.
            actor: who asks for it.
            label: what people call it.
            expires_at: when it ends by itself.
            secret: one that was made elsewhere; a new one by default.

        Raises:
            RefusedError: the secret is in use, or it would end before it begins.
        """
        async with self._database.changing(actor) as change:
            if expires_at is not None and expires_at <= change.at:
                raise RefusedError("it would have ended already", status=422)
            made = Credential(
                id=new_id(LETTERS[kind]),
                kind=kind,
                consumer=consumer,
                prefix="",
                label=label,
                created_at=change.at,
                created_by=actor,
                expires_at=expires_at,
            )
            return await self._insert(change, made, secret, "issue")

    async def rotate(
        self,
        credential_id: str,
        actor: str,
        *,
        overlap: timedelta,
        expires_at: datetime | None = None,
    ) -> Issued:
        """Makes another credential in place of one, which stays good for a while.

        Raises:
            RefusedError: there is none, or it is not good any more.
        """
        async with self._database.changing(actor) as change:
            old = await self._good(change, credential_id)
            ends = change.at + overlap
            if old.expires_at is not None:
                ends = min(ends, old.expires_at)
            await _update(change, old.id, expires_at=ends)
            made = replace(
                old,
                id=new_id(LETTERS[old.kind]),
                created_at=change.at,
                created_by=actor,
                expires_at=expires_at,
                replaces=old.id,
            )
            return await self._insert(change, made, None, "rotate")

    async def revoke(self, credential_id: str, actor: str) -> Credential:
        """Ends a credential now; one that has ended already stays as it is.

        Raises:
            RefusedError: there is none.
        """
        async with self._database.changing(actor) as change:
            found = await _get(change, credential_id)
            if found.revoked_at is not None:
                return found
            await _update(change, found.id, revoked_at=change.at)
            await change.audit("revoke", found.kind, found.id, _told(found))
            return replace(found, revoked_at=change.at)

    async def get(self, credential_id: str) -> Credential:
        """A credential.

        Raises:
            RefusedError: there is none.
        """
        async with self._database.reading() as connection:
            query = sa.select(CREDENTIAL).where(CREDENTIAL.c.id == credential_id)
            row = (await connection.execute(query)).first()
        if row is None:
            raise RefusedError(f"there is no credential {credential_id}", status=404)
        return _credential(row)

    async def list(
        self,
        *,
        consumer: Key | None = None,
        kind: Kind | None = None,
        state: State | None = None,
        after: str = "",
        limit: int = 100,
    ) -> tuple[Credential, ...]:
        """Credentials by id, those behind `after`; at most `limit`."""
        query = sa.select(CREDENTIAL).where(CREDENTIAL.c.id > after)
        if consumer is not None:
            query = query.where(*_of(consumer))
        if kind is not None:
            query = query.where(CREDENTIAL.c.kind == kind)
        if state is not None:
            query = query.where(_in_state(state, self._database.clock()))
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(CREDENTIAL.c.id).limit(limit))
            return tuple(map(_credential, rows))

    async def recognise(self, kind: Kind, secret: Secret) -> Credential | None:
        """Whose a secret is, good or not; None for nobody's."""
        digests = self._master.digests(secret.text)
        query = sa.select(CREDENTIAL).where(
            CREDENTIAL.c.kind == kind, CREDENTIAL.c.digest.in_(digests)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _credential(row)

    async def opened(self, since: int = -1) -> Opened:
        """Keys and passwords that have changed since a revision, with their secrets."""
        names = ("id", "kind", "namespace", "consumer", "sealed", "master_key")
        columns = [CREDENTIAL.c[name] for name in (*names, "expires_at", "revoked_at", "changed")]
        query = sa.select(*columns).where(
            CREDENTIAL.c.kind.in_(("key", "password")), CREDENTIAL.c.changed > since
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        active: list[Active] = []
        gone: list[str] = []
        failures: list[tuple[str, str]] = []
        for row in rows:
            if row.revoked_at is not None:
                gone.append(row.id)
                continue
            try:
                text = self._master.open(row.sealed, row.id, row.master_key)
            except StateError as error:
                failures.append((row.id, str(error)))
                continue
            consumer = Key("Consumer", row.namespace, row.consumer)
            active.append(Active(row.id, row.kind, consumer, Secret(text), row.expires_at))
        last = max((row.changed for row in rows), default=since)
        return Opened(tuple(active), tuple(gone), tuple(failures), last)

    async def rewrap(self, actor: str) -> int:
        """Closes all secrets by the master key in use; the number of those that were changed.

        Digests of clients stay, whose secrets nobody has: the old key must be kept for them.
        """
        async with self._database.changing(actor) as change:
            query = sa.select(CREDENTIAL).where(
                CREDENTIAL.c.master_key != self._master.id, CREDENTIAL.c.sealed.is_not(None)
            )
            rows = (await change.connection.execute(query)).all()
            for row in rows:
                text = self._master.open(row.sealed, row.id, row.master_key)
                await _update(
                    change,
                    row.id,
                    sealed=self._master.close(text, row.id),
                    digest=self._master.digest(text),
                    master_key=self._master.id,
                )
            await change.audit("rewrap", "credential", "*", {"changed": len(rows)})
            return len(rows)

    async def revoke_all(self, change: Change, consumer: Key) -> int:
        """Ends all credentials of a consumer, within a change; their number."""
        query = CREDENTIAL.update().where(*_of(consumer), CREDENTIAL.c.revoked_at.is_(None))
        values = {"revoked_at": change.at, "changed": change.revision}
        result = await change.connection.execute(query.values(values))
        return result.rowcount

    async def _good(self, change: Change, credential_id: str) -> Credential:
        found = await _get(change, credential_id)
        if found.state(change.at) != "active":
            raise RefusedError(f"credential {credential_id} is {found.state(change.at)}")
        return found

    async def _insert(
        self, change: Change, made: Credential, secret: Secret | None, action: str
    ) -> Issued:
        secret = secret or new_secret()
        taken = sa.select(CREDENTIAL.c.id).where(
            CREDENTIAL.c.kind == made.kind,
            CREDENTIAL.c.digest.in_(self._master.digests(secret.text)),
        )
        if (await change.connection.execute(taken)).first() is not None:
            raise RefusedError("the secret is that of another credential", status=409)
        made = replace(made, prefix=secret.prefix)
        kept = made.kind != "client"
        row = {
            "id": made.id,
            "kind": made.kind,
            "namespace": made.consumer.namespace,
            "consumer": made.consumer.name,
            "prefix": made.prefix,
            "label": made.label,
            "digest": self._master.digest(secret.text),
            "sealed": self._master.close(secret.text, made.id) if kept else None,
            "master_key": self._master.id,
            "created_at": made.created_at,
            "created_by": made.created_by,
            "expires_at": made.expires_at,
            "replaces": made.replaces,
            "changed": change.revision,
        }
        await change.connection.execute(CREDENTIAL.insert(), row)
        await change.audit(action, made.kind, made.id, _told(made))
        return Issued(made, secret)


async def _get(change: Change, credential_id: str) -> Credential:
    query = sa.select(CREDENTIAL).where(CREDENTIAL.c.id == credential_id)
    row = (await change.connection.execute(query)).first()
    if row is None:
        raise RefusedError(f"there is no credential {credential_id}", status=404)
    return _credential(row)


async def _update(change: Change, credential_id: str, **values: Any) -> None:
    query = CREDENTIAL.update().where(CREDENTIAL.c.id == credential_id)
    await change.connection.execute(query.values(**values, changed=change.revision))


def _of(consumer: Key) -> tuple[sa.ColumnElement[bool], ...]:
    columns = CREDENTIAL.c
    return columns.namespace == consumer.namespace, columns.consumer == consumer.name


def _in_state(state: State, now: datetime) -> sa.ColumnElement[bool]:
    columns = CREDENTIAL.c
    ended = sa.and_(columns.expires_at.is_not(None), columns.expires_at <= now)
    match state:
        case "revoked":
            return columns.revoked_at.is_not(None)
        case "expired":
            return sa.and_(columns.revoked_at.is_(None), ended)
        case "active":
            return sa.and_(columns.revoked_at.is_(None), sa.not_(ended))


def _told(made: Credential) -> dict[str, Any]:
    """What the audit log says of a credential."""
    return {
        "consumer": made.consumer.path,
        "prefix": made.prefix,
        "label": made.label,
        "expiresAt": None if made.expires_at is None else made.expires_at.isoformat(),
        "replaces": made.replaces,
    }


def _credential(row: Row) -> Credential:
    return Credential(
        id=row.id,
        kind=row.kind,
        consumer=Key("Consumer", row.namespace, row.consumer),
        prefix=row.prefix,
        label=row.label,
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        replaces=row.replaces,
    )
