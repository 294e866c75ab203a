"""What is kept of consents and of the tokens that came of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, TokenMixin

from pointsman.access.secrets import new_id
from pointsman.oauth.client import OAuthClient
from pointsman.oauth.schema import GRANT, REFRESH, REVOKED
from pointsman.oauth.work import Work
from pointsman.state.schema import AUDIT

GRACE = timedelta(days=1)
"""How long a grant is kept beyond its end: for as long as any access token of it may be good."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody consents to.

    Attributes:
        client: client id.
        subject: who.
        scope: scopes, with spaces between.
        audience: what tokens are for.
        redirect_uri: where the browser goes.
        challenge: PKCE's, of the method S256.
    """

    client: str
    subject: str
    scope: str
    audience: str
    redirect_uri: str
    challenge: str


class Code(AuthorizationCodeMixin):  # type: ignore[misc]
    """An authorization code.

    Args:
        row: the grant's.
    """

    def __init__(self, row: Any) -> None:
        self.row = row
        self.code_challenge: str = row.challenge

    def get_redirect_uri(self) -> str:
        """Where the browser was sent."""
        return str(self.row.redirect_uri)

    def get_scope(self) -> str:
        """What was consented to."""
        return str(self.row.scope)


class Refresh(TokenMixin):  # type: ignore[misc]
    """A refresh token.

    Args:
        row: the grant's, with the token's `digest`, `used_at` and `refresh_expires_at`.
        now: the time.
    """

    kind = "refresh_token"

    def __init__(self, row: Any, now: datetime) -> None:
        self.row = row
        self._now = now

    def check_client(self, client: OAuthClient) -> bool:
        """Whether it is that client's."""
        return bool(self.row.client == client.id)

    def get_scope(self) -> str:
        """What was consented to."""
        return str(self.row.scope)

    def is_expired(self) -> bool:
        """Whether it is at its end."""
        return bool(min(self.row.refresh_expires_at, self.row.expires_at) <= self._now)

    def is_revoked(self) -> bool:
        """Whether it, or all of its family, is good no more."""
        return self.row.revoked_at is not None or self.row.used_at is not None


def save_consent(work: Work, consent: Consent, code: str, *, refreshes: bool) -> None:
    """Writes down a consent, with the code for it."""
    length = work.server.refresh_s if refreshes else work.server.code_s
    row = {
        "id": new_id("g"),
        "server": work.server.key.path,
        "client": consent.client,
        "subject": consent.subject,
        "scope": consent.scope,
        "audience": consent.audience,
        "redirect_uri": consent.redirect_uri,
        "challenge": consent.challenge,
        "code_digest": work.master.digest(code),
        "code_expires_at": work.now + timedelta(seconds=work.server.code_s),
        "created_at": work.now,
        "expires_at": work.now + timedelta(seconds=length),
    }
    work.connection.execute(GRANT.insert(), row)


def find_code(work: Work, code: str, client: OAuthClient) -> Code | None:
    """The grant of a code; None when it is not good.

    One that was used before is known to somebody who should not know it: all tokens that came of
    it end (RFC 6749, section 4.1.2).
    """
    query = sa.select(GRANT).where(
        GRANT.c.code_digest.in_(work.master.digests(code)), GRANT.c.server == work.server.key.path
    )
    row = work.connection.execute(query.with_for_update()).first()
    if row is None or row.client != client.id or row.revoked_at is not None:
        return None
    if row.code_used_at is not None:
        revoke_grant(work, row.id, f"client:{client.id}", "the code was used twice")
        return None
    return Code(row) if row.code_expires_at > work.now else None


def use_code(work: Work, code: Code) -> None:
    """Notes that a code was used."""
    update = GRANT.update().where(GRANT.c.id == code.row.id)
    work.connection.execute(update.values(code_used_at=work.now))


def find_refresh(work: Work, text: str) -> Refresh | None:
    """A refresh token, good or not."""
    query = (
        sa.select(GRANT, REFRESH.c.digest, REFRESH.c.used_at)
        .add_columns(REFRESH.c.expires_at.label("refresh_expires_at"))
        .join(REFRESH, REFRESH.c.grant_id == GRANT.c.id)
        .where(
            REFRESH.c.digest.in_(work.master.digests(text)), GRANT.c.server == work.server.key.path
        )
    )
    row = work.connection.execute(query.with_for_update()).first()
    return None if row is None else Refresh(row, work.now)


def save_refresh(work: Work, grant: Any, text: str) -> None:
    """Writes down a refresh token."""
    idle = work.now + timedelta(seconds=work.server.idle_s)
    row = {
        "digest": work.master.digest(text),
        "grant_id": grant.id,
        "created_at": work.now,
        "expires_at": min(idle, grant.expires_at),
    }
    work.connection.execute(REFRESH.insert(), row)


def use_refresh(work: Work, token: Refresh) -> None:
    """Notes that a refresh token was used."""
    update = REFRESH.update().where(REFRESH.c.digest == token.row.digest)
    work.connection.execute(update.values(used_at=work.now))


def revoke_grant(work: Work, grant: str, actor: str, reason: str) -> None:
    """Ends a grant with all tokens of it, and puts it on record."""
    update = GRANT.update().where(GRANT.c.id == grant, GRANT.c.revoked_at.is_(None))
    if not work.connection.execute(update.values(revoked_at=work.now)).rowcount:
        return
    row = {
        "at": work.now,
        "actor": actor[:255],
        "action": "revoke",
        "kind": "grant",
        "object": grant,
        "detail": {"server": work.server.key.path, "reason": reason},
    }
    work.connection.execute(AUDIT.insert(), row)


def revoke_access(work: Work, jti: str, expires_at: datetime) -> None:
    """Notes that an access token is good no more."""
    found = work.connection.execute(sa.select(REVOKED.c.jti).where(REVOKED.c.jti == jti)).first()
    if found is None:
        work.connection.execute(REVOKED.insert(), {"jti": jti, "expires_at": expires_at})


def is_revoked(work: Work, jti: str) -> bool:
    """Whether an access token was revoked, by itself or with its grant."""
    found = work.connection.execute(sa.select(REVOKED.c.jti).where(REVOKED.c.jti == jti)).first()
    if found is not None:
        return True
    grant, dot, _ = jti.partition(".")
    if not dot:
        return False
    query = sa.select(GRANT.c.id).where(GRANT.c.id == grant, GRANT.c.revoked_at.is_(None))
    return work.connection.execute(query).first() is None
