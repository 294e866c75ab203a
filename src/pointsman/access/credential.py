"""A credential as it may be shown."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from pointsman.access.secrets import Secret
from pointsman.resources.key import Key

Kind = Literal["key", "password", "client"]
"""An API key; a password, whose user name is its id; the secret of an OAuth client, whose client
id is its consumer."""
KINDS: Final[tuple[Kind, ...]] = ("key", "password", "client")
LETTERS: Final = {"key": "k", "password": "p", "client": "c"}
State = Literal["active", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential without its secret.

    Attributes:
        id: names it everywhere; no secret.
        kind: what it is.
        consumer: whose it is.
        prefix: how its secret begins.
        label: what people call it.
        created_at: when it was issued.
        created_by: by whom.
        expires_at: when it ends by itself; None for never.
        revoked_at: when it was revoked.
        replaces: id of the one that it takes the place of.
    """

    id: str
    kind: Kind
    consumer: Key
    prefix: str
    label: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    replaces: str | None = None

    def state(self, now: datetime) -> State:
        """Whether it is good."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential that was just made, with its secret: nobody will see that again."""

    credential: Credential
    secret: Secret


@dataclass(frozen=True, slots=True)
class Active:
    """A credential that was not revoked, with its secret, for proxies.

    Attributes:
        id: its id.
        kind: key or password.
        consumer: whose it is.
        secret: the secret.
        expires_at: when it ends by itself.
    """

    id: str
    kind: Kind
    consumer: Key
    secret: Secret
    expires_at: datetime | None = None
