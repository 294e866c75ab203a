"""Authlib's authorization server, put together for one request.

Authlib has the protocol; what is kept, who the clients are and how tokens look is plugged in. An
instance lives for one request, because all of that is of one transaction.
"""

import logging
import secrets
from typing import Any, Final

from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import AuthorizationServer as Authlib
from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, OAuth2Payload, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter

from pointsman.graph.model.authorization_server import REFRESH_TOKEN
from pointsman.oauth import kept
from pointsman.oauth.ask import Answer, json_answer
from pointsman.oauth.client import OAuthClient, client_of
from pointsman.oauth.endpoints import Introspection, Revocation
from pointsman.oauth.tokens import TokenGenerator
from pointsman.oauth.work import Work

logging.getLogger("authlib").setLevel(logging.WARNING)
"""What it says below that has tokens in it."""
_SECRET: Final = ("client_secret_basic", "client_secret_post")
_ANY: Final = [*_SECRET, "none"]


class Payload(OAuth2Payload):  # type: ignore[misc]
    """Parameters of a request.

    Args:
        found: by name.
    """

    def __init__(self, found: dict[str, list[str]]) -> None:
        self._found = found
        self._data = {name: values[0] for name, values in found.items()}

    @property
    def data(self) -> dict[str, str]:
        """The first value of each."""
        return self._data

    @property
    def datalist(self) -> dict[str, list[str]]:
        """All values of each."""
        return self._found


class Request(OAuth2Request):  # type: ignore[misc]
    """A request as Authlib reads it.

    Args:
        method: HTTP method.
        uri: its address.
        found: its parameters.
        authorization: the header `Authorization`, if any.

    Attributes:
        audience: what the token is to be for, once it is known.
    """

    def __init__(
        self, method: str, uri: str, found: dict[str, list[str]], authorization: str | None = None
    ) -> None:
        headers = {} if authorization is None else {"Authorization": authorization}
        super().__init__(method, uri, headers=headers)
        self.payload = Payload(found)
        self.audience = ""

    @property
    def args(self) -> dict[str, str]:
        """Its parameters."""
        return self.payload.data

    @property
    def form(self) -> dict[str, str]:
        """Its parameters."""
        return self.payload.data


class User:
    """Who has consented.

    Args:
        subject: `NAMESPACE/NAME` of the consumer.
    """

    def __init__(self, subject: str) -> None:
        self.subject = subject

    def get_user_id(self) -> str:
        """What tokens have in `sub`."""
        return self.subject


class Server(Authlib):  # type: ignore[misc]
    """The authorization server for one request.

    Args:
        work: the request's surroundings.
    """

    def __init__(self, work: Work) -> None:
        super().__init__([name for name, _ in work.server.scopes])
        self.work = work
        self.tokens = TokenGenerator(work)
        self.register_token_generator("default", self.tokens)
        self.register_grant(ClientCredentials)
        self.register_grant(AuthorizationCode, [Pkce(required=True), CodeAudience()])
        self.register_grant(RefreshToken)
        self.register_endpoint(Revocation(self))
        self.register_endpoint(Introspection(self))
        self.issuer_parameter = Issuer(work.server.issuer)
        self.register_extension(lambda server: server.issuer_parameter(server))

    def query_client(self, client_id: Any) -> OAuthClient | None:
        """The client of an id."""
        return client_of(self.work, client_id)

    def save_token(self, token: dict[str, Any], request: Request) -> None:  # noqa: ARG002
        """Keeps a refresh token; access tokens are kept by whoever has them."""
        if "refresh_token" in token:
            kept.save_refresh(self.work, self.tokens.grant, token["refresh_token"])

    def create_oauth2_request(self, request: Request) -> Request:
        """It is one already."""
        return request

    def send_signal(self, *_: Any, **__: Any) -> None:
        """Nobody listens."""

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Answer:
        """An answer."""
        named = [(name.lower(), value) for name, value in headers]
        if isinstance(body, dict):
            plain = [item for item in named if item[0] != "content-type"]
            return json_answer(status, body, plain)
        # RFC 9700, section 4.12: a form that was posted must not be posted on.
        return Answer(303 if status == 302 else status, [*named, ("cache-control", "no-store")])

    def refused(self, request: Request, error: OAuth2Error) -> Answer:
        """What the authorization endpoint says of an error, with `iss` where it redirects."""
        answer: Answer = self.handle_error_response(request, error)
        self.issuer_parameter.add_issuer_parameter(self, answer)
        return answer


class Issuer(IssuerParameter):  # type: ignore[misc]
    """Tells clients who answers them (RFC 9207).

    Args:
        issuer: the issuer.
    """

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def get_issuer(self) -> str:
        """The issuer."""
        return self._issuer


class Pkce(CodeChallenge):  # type: ignore[misc]
    """Every client proves that it has asked for the code itself, by S256 (RFC 9700, 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD: Final = ["S256"]
    CODE_CHALLENGE_METHODS: Final = {"S256": CodeChallenge.CODE_CHALLENGE_METHODS["S256"]}

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """There is a challenge, of the method S256; what Authlib lets be left out is refused."""
        data = grant.request.payload.data
        if "code_challenge" not in data or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge of the method S256 is needed (RFC 7636)")
        super().validate_code_challenge(grant, redirect_uri)

    def get_authorization_code_challenge_method(self, authorization_code: Any) -> str:  # noqa: ARG002
        """S256."""
        return "S256"


def audience(request: Request, client: OAuthClient, granted: str | None = None) -> str:
    """What a token is for (RFC 8707).

    Args:
        request: names it as `resource`, or leaves it to the server.
        client: the client.
        granted: what was consented to.

    Raises:
        OAuth2Error: the client gets no tokens for that.
    """
    allowed = client.settings.audiences if granted is None else (granted,)
    wanted = request.payload.datalist.get("resource", [])
    if not wanted:
        return allowed[0]
    if len(wanted) > 1:
        raise OAuth2Error("a token is for one resource", error="invalid_target")
    if wanted[0] not in allowed or wanted[0] not in client.settings.audiences:
        raise OAuth2Error("the client gets no tokens for this resource", error="invalid_target")
    return wanted[0]


class CodeAudience:
    """Sees to the resource of codes, as an extension of their grant."""

    def __call__(self, grant: Any) -> None:
        """Hooks itself into the grant."""
        grant.register_hook("after_validate_authorization_request_payload", self.asked)
        grant.register_hook("after_validate_token_request", self.redeemed)

    def asked(self, grant: Any, _redirect_uri: str) -> None:
        """When consent is asked for."""
        grant.request.audience = audience(grant.request, grant.request.client)

    def redeemed(self, grant: Any, _result: Any) -> None:
        """When the code is redeemed."""
        row = grant.request.authorization_code.row
        grant.server.tokens.audience = audience(grant.request, grant.client, row.audience)


class ClientCredentials(grants.ClientCredentialsGrant):  # type: ignore[misc]
    """A client asks for itself (RFC 6749, section 4.4)."""

    TOKEN_ENDPOINT_AUTH_METHODS: Final = list(_SECRET)

    def validate_token_request(self) -> None:
        """Who asks, for what, and what for."""
        super().validate_token_request()
        self.server.tokens.audience = audience(self.request, self.client)


class AuthorizationCode(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """Somebody consents (RFC 6749, section 4.1)."""

    TOKEN_ENDPOINT_AUTH_METHODS: Final = list(_ANY)

    @staticmethod
    def validate_authorization_redirect_uri(request: Request, client: OAuthClient) -> str:
        """The address is there, and is the client's: where it is not, nobody is sent anywhere."""
        found = request.payload.redirect_uri
        if not found or not client.check_redirect_uri(found):
            raise InvalidRequestError("redirect_uri is none of those of the client")
        return str(found)

    def generate_authorization_code(self) -> str:
        """256 random bits."""
        return secrets.token_urlsafe(32)

    def save_authorization_code(self, code: str, request: Request) -> None:
        """Keeps the consent."""
        data = request.payload.data
        consent = kept.Consent(
            client=request.client.id,
            subject=request.user.subject,
            scope=request.scope or "",
            audience=request.audience,
            redirect_uri=data["redirect_uri"],
            challenge=data["code_challenge"],
        )
        refreshes = request.client.check_grant_type(REFRESH_TOKEN)
        kept.save_consent(self.server.work, consent, code, refreshes=refreshes)

    def query_authorization_code(self, code: str, client: OAuthClient) -> kept.Code | None:
        """What was consented to."""
        return kept.find_code(self.server.work, code, client)

    def delete_authorization_code(self, authorization_code: kept.Code) -> None:
        """It is used."""
        kept.use_code(self.server.work, authorization_code)

    def authenticate_user(self, authorization_code: kept.Code) -> User | None:
        """Who has consented, as long as there is such a consumer."""
        return _user(self.server, authorization_code.row)


class RefreshToken(grants.RefreshTokenGrant):  # type: ignore[misc]
    """A token in place of one that ends (RFC 6749, section 6), and another one to go on with."""

    TOKEN_ENDPOINT_AUTH_METHODS: Final = list(_ANY)
    INCLUDE_NEW_REFRESH_TOKEN: Final = True

    def authenticate_refresh_token(self, refresh_token: str) -> kept.Refresh | None:
        """The token, if it is good.

        One that was used before is known to two: all of its family end (RFC 9700, section 4.14).
        """
        work: Work = self.server.work
        found = kept.find_refresh(work, refresh_token)
        if found is None or not found.check_client(self.client):
            return None
        if found.row.used_at is not None:
            actor = f"client:{self.client.id}"
            kept.revoke_grant(work, found.row.id, actor, "a refresh token was used twice")
        return None if found.is_revoked() or found.is_expired() else found

    def validate_token_request(self) -> None:
        """Who asks, by what, and what for."""
        super().validate_token_request()
        row = self.request.refresh_token.row
        self.server.tokens.audience = audience(self.request, self.client, row.audience)

    def issue_token(self, user: User, refresh_token: kept.Refresh) -> Any:
        """What was consented to, as far as the client may still ask for it."""
        allowed = set(self.client.settings.scopes)
        granted = [name for name in refresh_token.get_scope().split() if name in allowed]
        if refresh_token.get_scope() and not granted:
            raise InvalidScopeError()
        scope = self.request.payload.scope or " ".join(granted)
        return self.generate_token(user=user, scope=scope, include_refresh_token=True)

    def authenticate_user(self, refresh_token: kept.Refresh) -> User | None:
        """Who has consented, as long as there is such a consumer."""
        return _user(self.server, refresh_token.row)

    def revoke_old_credential(self, refresh_token: kept.Refresh) -> None:
        """It is used."""
        kept.use_refresh(self.server.work, refresh_token)


def _user(server: Server, row: Any) -> User | None:
    server.tokens.grant = row
    return User(row.subject) if server.work.is_known(row.subject) else None
