"""What can be done with tokens that were issued: revoke them, and ask about them."""

from typing import Any, Final

from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from pointsman.oauth import kept
from pointsman.oauth.client import OAuthClient
from pointsman.oauth.tokens import AccessToken, read_access_token
from pointsman.oauth.work import Work

Token = AccessToken | kept.Refresh


def find_token(work: Work, text: str) -> Token | None:
    """The token in a text, whatever kind it is said to be (RFC 7009, section 2.1)."""
    return read_access_token(work, text) if "." in text else kept.find_refresh(work, text)


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """RFC 7009; a refresh token ends with all of its family."""

    CLIENT_AUTH_METHODS: Final = ["client_secret_basic", "client_secret_post", "none"]

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:  # noqa: ARG002
        """The token."""
        return find_token(self.server.work, token_string)

    def revoke_token(self, token: Token, request: Any) -> None:
        """Ends it."""
        work: Work = self.server.work
        if isinstance(token, AccessToken):
            kept.revoke_access(work, token.claims["jti"], token.expires_at)
        else:
            kept.revoke_grant(work, token.row.id, f"client:{request.client.id}", "it asked for it")


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    """RFC 7662, for clients that have a secret."""

    CLIENT_AUTH_METHODS: Final = ["client_secret_basic", "client_secret_post"]

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:  # noqa: ARG002
        """The token."""
        return find_token(self.server.work, token_string)

    def check_permission(self, token: Token, client: OAuthClient, request: Any) -> bool:  # noqa: ARG002
        """Its own client may ask, and who the token is for; to all others it is no token."""
        if token.check_client(client):
            return True
        if not isinstance(token, AccessToken) or not client.settings.introspects:
            return False
        return token.claims.get("aud") in client.settings.audiences

    def introspect_token(self, token: Token) -> dict[str, Any]:
        """What is said of it."""
        if isinstance(token, AccessToken):
            return {"active": True, "token_type": "Bearer", **token.claims}
        return {
            "active": True,
            "client_id": token.row.client,
            "sub": token.row.subject,
            "scope": token.row.scope,
            "aud": token.row.audience,
            "exp": int(min(token.row.refresh_expires_at, token.row.expires_at).timestamp()),
            "iss": self.server.work.server.issuer,
        }
