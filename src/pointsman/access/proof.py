"""Whether a secret that is shown is that of a credential; within a transaction of others."""

import hmac
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pointsman.access.masterkey import MasterKey
from pointsman.access.schema import CREDENTIAL
from pointsman.resources.key import Key


def proves_client(
    connection: sa.Connection, master: MasterKey, consumer: Key, secret: str, now: datetime
) -> bool:
    """Whether a secret is that of one of a consumer's clients.

    Args:
        connection: where to look.
        master: makes digests.
        consumer: who it is said to be.
        secret: what is shown.
        now: the time.
    """
    columns = CREDENTIAL.c
    query = sa.select(columns.digest).where(
        columns.kind == "client",
        columns.namespace == consumer.namespace,
        columns.consumer == consumer.name,
        *_good(now),
    )
    stored = [row.digest for row in connection.execute(query)]
    return _any_equal(stored, master.digests(secret))


def proves_password(
    connection: sa.Connection,
    master: MasterKey,
    credential: str,
    secret: str,
    namespace: str,
    now: datetime,
) -> Key | None:
    """Whose password a secret is; None when it is not that of the credential.

    Args:
        connection: where to look.
        master: makes digests.
        credential: its id, which is the user name.
        secret: what is shown.
        namespace: where the consumer has to be.
        now: the time.
    """
    columns = CREDENTIAL.c
    query = sa.select(columns.digest, columns.namespace, columns.consumer).where(
        columns.id == credential,
        columns.kind == "password",
        columns.namespace == namespace,
        *_good(now),
    )
    row: Any = connection.execute(query).first()
    # Compared also when there is none, which takes as long.
    equal = _any_equal([row.digest if row is not None else b""], master.digests(secret))
    return Key("Consumer", row.namespace, row.consumer) if equal and row is not None else None


def is_good(connection: sa.Connection, credential: str, now: datetime) -> bool:
    """Whether a credential is neither revoked nor at its end."""
    query = sa.select(CREDENTIAL.c.id).where(CREDENTIAL.c.id == credential, *_good(now))
    return connection.execute(query).first() is not None


def _good(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    columns = CREDENTIAL.c
    lasts = sa.or_(columns.expires_at.is_(None), columns.expires_at > now)
    return columns.revoked_at.is_(None), lasts


def _any_equal(stored: list[bytes], given: tuple[bytes, ...]) -> bool:
    """Compares all with all, so that it does not show which one was equal."""
    found = [hmac.compare_digest(one, other) for one in stored for other in given]
    return any(found)
