"""AuthorizationServer: tokens that the gateway itself issues (OAuth 2.0)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.access_methods import Scopes, Url
from pointsman.resources.kinds.base import Duration, Flag, Name, Reference, schema
from pointsman.resources.kinds.targets import TargetRefs, Targets

Audiences = Annotated[tuple[Url, ...], Field(max_length=32)]
Description = Annotated[str, Strict(), Field(max_length=255)]
Grant = Literal["clientCredentials", "authorizationCode", "refreshToken"]


@schema
class Lifetimes:
    """How long what is issued is good."""

    access_token: Duration | None = None
    """Access tokens; 10 minutes by default, at most a day. They are good until they end, even if
    they are revoked, wherever their signature alone is looked at."""
    refresh_token: Duration | None = None
    """A login, however often it is refreshed; 30 days by default."""
    refresh_token_idle: Duration | None = None
    """A refresh token that is not used; 7 days by default."""
    code: Duration | None = None
    """Authorization codes; 60 seconds by default, at most 10 minutes."""
    session: Duration | None = None
    """How long browsers stay logged in at the authorization server; an hour by default."""


@schema
class ScopeField:
    """A scope that clients may ask for."""

    name: Name
    """Its name, as tokens have it in `scope`."""
    description: Description = ""
    """What it allows, in the words that people see who are asked for it."""


@schema
class Signing:
    """Keys that tokens are signed with. They are made and kept by the control plane."""

    algorithm: Literal["ES256", "RS256"] = "ES256"
    """The algorithm, as RFC 7518 names it."""
    rotate_every: Duration | None = None
    """How long a key signs until the next one does; 30 days by default, at least an hour."""


@schema
class OAuthClient:
    """A consumer that gets tokens. Its client id is `NAMESPACE/NAME` of the consumer, its secrets
    are issued by `pointsman key issue --kind client`.
    """

    consumer: Reference
    """The consumer; its namespace is the server's by default."""
    grants: Annotated[tuple[Grant, ...], Field(max_length=3)] = ()
    """Ways in which it gets tokens."""
    redirect_uris: Annotated[tuple[Url, ...], Field(max_length=32)] = ()
    """Where browsers are sent back to, compared exactly. The port of an http address on loopback
    (`127.0.0.1`, `[::1]`) may be any (RFC 8252, section 7.3)."""
    scopes: Scopes = ()
    """Scopes it may ask for, of those the server has; it gets all of them when it names none."""
    audiences: Audiences = ()
    """Audiences it may ask for, of those the server has; any of these when empty. The first one is
    that of tokens for which it names none."""
    public: Flag = False
    """Whether it has no secret that would be one, as in browsers and on phones."""
    introspect: Flag = False
    """Whether it may ask about tokens of others, if they are for one of its audiences."""


@schema
class AuthorizationServerSpec:
    """Spec of an AuthorizationServer."""

    TARGETS: ClassVar = Targets(("VirtualGateway",), frozenset({"VirtualGateway"}))

    target_refs: TargetRefs
    """The gateways, or listeners of gateways, that it is answered at."""
    issuer: Url
    """Its address as clients know it, which tokens have in `iss`: https, or http on loopback, and
    no slash at the end. Its endpoints are below it."""
    lifetimes: Lifetimes | None = None
    """How long what is issued is good."""
    audiences: Audiences = ()
    """Resources that tokens may be for: what `aud` may be, and `resource` of requests (RFC 8707).
    The issuer itself when empty."""
    scopes: Annotated[tuple[ScopeField, ...], Field(max_length=64)] = ()
    """Scopes there are."""
    signing: Signing | None = None
    """Keys that tokens are signed with."""
    clients: Annotated[tuple[OAuthClient, ...], Field(max_length=512)] = ()
    """Who gets tokens."""
    login: Literal["password"] | None = None
    """How people prove who they are to the page that asks for their consent: `password` takes id
    and secret of a password of a Consumer in the namespace of the server. Needed for
    authorizationCode."""
