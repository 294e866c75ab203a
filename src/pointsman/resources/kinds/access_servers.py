"""Ways to prove who one is that ask a server: logins of browsers, and opaque tokens; and servers
that decide for an AccessPolicy.
"""

from typing import Annotated, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.access_methods import (
    ClaimCondition,
    ClaimHeader,
    HeaderNames,
    Jwks,
    Scopes,
    Skew,
    TokenConsumer,
    Url,
)
from pointsman.resources.kinds.base import Duration, Flag, Name, schema
from pointsman.resources.kinds.matching import MatchText

FieldNames = Annotated[tuple[Name, ...], Field(max_length=32)]
BodyBytes = Annotated[int, Strict(), Field(ge=1, le=1_048_576)]


@schema
class SecretFile:
    """A secret that stands in a file, alone and without a line break at its end."""

    file: Name
    """Path of the file."""


@schema
class OidcEndpoints:
    """Where the provider is reached, as its discovery document (OpenID Connect Discovery 1.0,
    section 3) names it.
    """

    authorization: Url
    """Where browsers are sent to log in: `authorization_endpoint`."""
    token: Url
    """Where the proxy exchanges codes for tokens: `token_endpoint`."""
    end_session: Url | None = None
    """Where browsers are sent after logging out: `end_session_endpoint`."""


@schema
class Oidc:
    """A login of browsers at an OpenID provider, by the code flow with PKCE."""

    issuer: Url
    """What `iss` of ID tokens has to be."""
    client_id: Name
    """What the provider knows the gateway as; ID tokens have to be for it."""
    client_secret: SecretFile
    """The client's secret, on the machines of the proxies."""
    client_authentication: Literal["basic", "body"] = "basic"
    """How the secret is sent: in the `Authorization` header or in the body."""
    cookie_secret: SecretFile
    """What cookies are signed and encrypted with, on the machines of the proxies: 32 random bytes
    or more, the same for all proxies of a gateway."""
    endpoints: OidcEndpoints
    """Where the provider is reached."""
    jwks: Jwks
    """The provider's public keys."""
    ca_file: Name | None = None
    """Authorities that the token endpoint is checked against, a file on the machines of the
    proxies; those of Debian and its kin by default."""
    scopes: Scopes = ()
    """What is asked for beside `openid`."""
    redirect_path: MatchText | None = None
    """Where the provider sends browsers back to; `/.pointsman/NAMESPACE/NAME/callback` by
    default. The provider has to know it, with the origin before it."""
    logout_path: MatchText | None = None
    """Where browsers log out; `/.pointsman/NAMESPACE/NAME/logout` by default."""
    origin: Url | None = None
    """Scheme and host under which browsers reach the gateway, such as `https://shop.example`;
    by default those of the request."""
    refresh: Flag = True
    """Whether a session goes on by a refresh token, if the provider gives one."""
    keep: Flag = False
    """Whether the backend sees the access token, behind `Authorization: Bearer`."""
    clock_skew: Skew = 60
    """Seconds by which clocks may differ."""
    claims: Annotated[tuple[ClaimCondition, ...], Field(max_length=32)] = ()
    """Conditions on the ID token, all of which must hold."""
    claim_headers: Annotated[tuple[ClaimHeader, ...], Field(max_length=32)] = ()
    """Claims of the ID token that the backend gets as headers."""
    consumer: TokenConsumer | None = None
    """Which consumer the user is. Without it users are no consumers, and rules look at claims."""


@schema
class Introspection:
    """An opaque token, about which the control plane asks whoever issued it (RFC 7662)."""

    url: Url
    """The introspection endpoint."""
    client_id: Name
    """What the endpoint knows the control plane as."""
    client_secret: SecretFile
    """The client's secret, on the machine of the control plane."""
    issuer: Name | None = None
    """What `tokens` of a Consumer name as their issuer; by default the endpoint's address."""
    ca_file: Name | None = None
    """Authorities that the endpoint is checked against, a file on the machine of the control
    plane; those of the system by default."""
    headers: HeaderNames = ()
    """Headers that may hold the token; `authorization`, behind `Bearer `, when no place is
    named."""
    keep: Flag = False
    """Whether the backend sees the token, too."""
    timeout: Duration | None = None
    """How long asking may take; 2 seconds by default."""
    cache_for: Duration | None = None
    """How long an answer is good, and so how long a revoked token may still pass; 10 seconds by
    default, and never beyond the token's own end."""
    when_away: Literal["deny", "stale"] = "deny"
    """What happens when the endpoint does not answer: `deny` turns tokens away with 503; `stale`
    goes on with answers that `cacheFor` is over for, at most 5 minutes."""
    audiences: FieldNames = ()
    """Of these `aud` has to have one."""
    scopes: Scopes = ()
    """All of these the token has to have."""
    claims: Annotated[tuple[ClaimCondition, ...], Field(max_length=32)] = ()
    """Further conditions on the answer, all of which must hold."""
    consumer: TokenConsumer | None = None
    """Which consumer the token speaks for; a token of nobody known is turned away."""


@schema
class ExternalBody:
    """The part of requests' bodies that a server sees."""

    max_bytes: BodyBytes
    """How many bytes at most."""
    partial: Flag = False
    """Whether longer bodies are cut; without it such requests are answered 413."""


@schema
class External:
    """A server that is asked about every request that got so far (Envoy's `ext_authz`)."""

    grpc: Url | None = None
    """Address of a server of `envoy.service.auth.v3.Authorization`, such as
    `http://authz.example:9000`; exactly one of the two."""
    http: Url | None = None
    """Address of an HTTP server; the path of the request is added behind its path. 200 lets the
    request pass, every other answer goes to the caller."""
    ca_file: Name | None = None
    """Authorities that the server is checked against, a file on the machines of the proxies;
    those of Debian and its kin by default."""
    timeout: Duration | None = None
    """How long an answer may take; 1 second by default."""
    when_away: Literal["deny", "allow"] = "deny"
    """What happens when the server does not answer: 503, or the request passes unasked."""
    headers: FieldNames = ("authorization", "cookie")
    """Headers that the server sees, beside method, host, path and who calls."""
    take_over: FieldNames = ()
    """Headers of its answer that the backend gets; what callers send in them is taken away."""
    body: ExternalBody | None = None
    """The part of the body that the server sees; none by default."""
