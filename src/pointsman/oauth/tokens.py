"""Access tokens: JSON Web Tokens as RFC 9068 has them."""

import secrets
from datetime import UTC, datetime
from typing import Any, Final

from authlib.oauth2.rfc6749 import TokenMixin
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from joserfc import jwt
from joserfc.errors import JoseError

from pointsman.access.secrets import new_secret
from pointsman.oauth.client import OAuthClient
from pointsman.oauth.kept import is_revoked
from pointsman.oauth.work import Work

ALGORITHMS: Final = ("ES256", "RS256")
"""What tokens may be signed by; a token that says otherwise is none."""
_TYPE: Final = "at+jwt"
_NUMBERS: Final = ("exp", "iat")
_TEXTS: Final = ("iss", "sub", "client_id", "jti")


class TokenGenerator(JWTBearerTokenGenerator):  # type: ignore[misc]
    """Makes the tokens of one request.

    Args:
        work: its surroundings.

    Attributes:
        audience: what tokens are for.
        grant: row of the grant they come of; None for client credentials.
    """

    def __init__(self, work: Work) -> None:
        super().__init__(
            work.server.issuer,
            work.keys.algorithm,
            lambda **_: new_secret().text,
            lambda _client, _grant_type: work.server.access_s,
        )
        self._work = work
        self.audience = ""
        self.grant: Any = None

    def get_jwks(self) -> Any:
        """The key that signs, alone in a set, so that its id is in the token's header."""
        return self._work.keys.signing

    def get_allowed_scope(self, client: Any, scope: str | None) -> str:
        """The scopes of the token; of a grant never more than was consented to."""
        if self.grant is not None and not scope:
            return ""
        return str(super().get_allowed_scope(client, scope))

    def get_audiences(self, client: Any, user: Any, scope: Any) -> str:  # noqa: ARG002
        """What the token is for."""
        return self.audience

    def get_jti(self, client: Any, grant_type: Any, user: Any, scope: Any) -> str:  # noqa: ARG002
        """The token's id; that of its grant stands in front, so that both end together."""
        own = secrets.token_urlsafe(16)
        return own if self.grant is None else f"{self.grant.id}.{own}"

    def get_extra_claims(self, client: Any, grant_type: Any, user: Any, scope: Any) -> Any:  # noqa: ARG002
        """Groups of whom the token speaks for, and times by the clock of everything else."""
        now = int(self._work.now.timestamp())
        claims: dict[str, Any] = {"iat": now, "exp": now + self._work.server.access_s}
        groups = self._work.groups(client.id if user is None else user.get_user_id())
        if groups:
            claims["groups"] = list(groups)
        return claims


class AccessToken(TokenMixin):  # type: ignore[misc]
    """An access token that somebody shows, whose signature is right.

    Args:
        claims: what it says.
        work: tells whether it was revoked.
    """

    kind = "access_token"

    def __init__(self, claims: dict[str, Any], work: Work) -> None:
        self.claims = claims
        self._work = work

    @property
    def expires_at(self) -> datetime:
        """Its end."""
        return datetime.fromtimestamp(self.claims["exp"], UTC)

    def check_client(self, client: OAuthClient) -> bool:
        """Whether it was issued to that client."""
        return bool(self.claims["client_id"] == client.id)

    def is_expired(self) -> bool:
        """Whether it is at its end."""
        return self.expires_at <= self._work.now

    def is_revoked(self) -> bool:
        """Whether it was revoked."""
        return is_revoked(self._work, self.claims["jti"])


def read_access_token(work: Work, text: str) -> AccessToken | None:
    """The access token in a text, if it is one of ours (RFC 9068, section 4)."""
    try:
        token = jwt.decode(text, work.keys.published, algorithms=list(ALGORITHMS))
    except (JoseError, ValueError):
        return None
    claims = token.claims
    shaped = all(isinstance(claims.get(name), int) for name in _NUMBERS) and all(
        isinstance(claims.get(name), str) for name in _TEXTS
    )
    ours = token.header.get("typ") == _TYPE and claims.get("iss") == work.server.issuer
    return AccessToken(claims, work) if shaped and ours else None
