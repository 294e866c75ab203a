"""Whether a secret that is shown is that of a credential; within a transaction of others."""

import hmac
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from pointsman.access.masterkey import MasterKey
from pointsman.access.schema import CREDENTIAL
from pointsman.resources.key import Key

_COLUMNS: Final = CREDENTIAL.c
_GOOD: Final = (
    _COLUMNS.revoked_at.is_(None),
    sa.or_(_COLUMNS.expires_at.is_(None), _COLUMNS.expires_at > sa.bindparam("now")),
)
# Made once: putting a statement together costs more than running it.
_OF_CLIENT: Final = sa.select(_COLUMNS.digest).where(
    _COLUMNS.kind == "client",
    _COLUMNS.namespace == sa.bindparam("namespace"),
    _COLUMNS.consumer == sa.bindparam("consumer"),
    *_GOOD,
)
_OF_PASSWORD: Final = sa.select(_COLUMNS.digest, _COLUMNS.namespace, _COLUMNS.consumer).where(
    _COLUMNS.id == sa.bindparam("credential"),
    _COLUMNS.kind == "password",
    _COLUMNS.namespace == sa.bindparam("namespace"),
    *_GOOD,
)
_IS_GOOD: Final = sa.select(_COLUMNS.id).where(_COLUMNS.id == sa.bindparam("credential"), *_GOOD)


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
    given = {"namespace": consumer.namespace, "consumer": consumer.name, "now": now}
    stored = [row.digest for row in connection.execute(_OF_CLIENT, given)]
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
    given = {"credential": credential, "namespace": namespace, "now": now}
    row: Any = connection.execute(_OF_PASSWORD, given).first()
    # Compared also when there is none, which takes as long.
    equal = _any_equal([row.digest if row is not None else b""], master.digests(secret))
    return Key("Consumer", row.namespace, row.consumer) if equal and row is not None else None


def is_good(connection: sa.Connection, credential: str, now: datetime) -> bool:
    """Whether a credential is neither revoked nor at its end."""
    given = {"credential": credential, "now": now}
    return connection.execute(_IS_GOOD, given).first() is not None


def _any_equal(stored: list[bytes], given: tuple[bytes, ...]) -> bool:
    """Compares all with all, so that it does not show which one was equal."""
    found = [hmac.compare_digest(one, other) for one in stored for other in given]
    return any(found)
