"""Ways to prove who one is to an AccessPolicy: keys, passwords, certificates and signed tokens."""

from typing import Annotated, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.base import Duration, Flag, Name, Reference, Text, schema

HeaderNames = Annotated[tuple[Name, ...], Field(max_length=8)]
Url = Annotated[str, Strict(), Field(min_length=1, max_length=2048)]
Skew = Annotated[int, Strict(), Field(ge=1, le=3600)]
Values = Annotated[tuple[Name, ...], Field(min_length=1, max_length=64)]
Scopes = Annotated[tuple[Name, ...], Field(max_length=32)]


@schema
class ApiKey:
    """A key in the request, which is taken out before the backend sees it."""

    headers: HeaderNames = ()
    """Headers that may hold it; `x-api-key` when no place is named."""
    query: HeaderNames = ()
    """Query parameters that may hold it; they end up in the logs of others."""
    cookies: HeaderNames = ()
    """Cookies that may hold it."""
    keep: Flag = False
    """Whether the backend sees the key, too."""


@schema
class ClaimHeader:
    """A claim that the backend gets as a header."""

    claim: Name
    """Name of the claim; dots lead into objects."""
    header: Name
    """Name of the header; what callers send in it is taken away."""


@schema
class Jwks:
    """Where the public keys of an issuer come from; exactly one of the three."""

    url: Url | None = None
    """https or http address of the key set."""
    file: Name | None = None
    """File of the key set, on the machines of the proxies."""
    inline: Text | None = None
    """The key set itself, as JSON."""
    cache_for: Duration | None = None
    """How long keys from a URL are good; 5 minutes by default."""
    timeout: Duration | None = None
    """How long fetching them may take; 5 seconds by default."""
    outage: Literal["refuse", "keep"] = "refuse"
    """What happens when keys cannot be fetched anew: `refuse` turns tokens away once `cacheFor`
    is over; `keep` goes on with the keys fetched last."""
    ca_file: Name | None = None
    """Authorities that the server of the URL is checked against, a file on the machines of the
    proxies; those of Debian and its kin by default."""


@schema
class ClaimCondition:
    """A condition on a claim."""

    claim: Name
    """Name of the claim; dots lead into objects."""
    values: Values
    """One of these is its value, or an element of it where it is a list."""


@schema
class TokenConsumer:
    """Which consumer a token speaks for."""

    claim: Name = "client_id"
    """The claim that `tokens` of a Consumer are compared with."""


@schema
class Jwt:
    """A signed token, checked against the keys of its issuer: either `issuer` and `jwks`, or
    `authorizationServer`.
    """

    issuer: Url | None = None
    """What `iss` has to be."""
    audiences: Annotated[tuple[Name, ...], Field(max_length=16)] = ()
    """Of these `aud` has to have one; those of the authorization server by default."""
    jwks: Jwks | None = None
    """The issuer's public keys."""
    authorization_server: Reference | None = None
    """An AuthorizationServer, in place of issuer and jwks: its keys come with the configuration,
    and its tokens speak for their client unless `consumer` says otherwise."""
    headers: HeaderNames = ()
    """Headers that may hold the token; `authorization`, behind `Bearer `, when no place is
    named."""
    query: HeaderNames = ()
    """Query parameters that may hold it."""
    cookies: HeaderNames = ()
    """Cookies that may hold it."""
    keep: Flag = False
    """Whether the backend sees the token, too."""
    clock_skew: Skew = 60
    """Seconds by which clocks may differ."""
    scopes: Scopes = ()
    """All of these the token has to have in `scope` or `scp`."""
    claims: Annotated[tuple[ClaimCondition, ...], Field(max_length=32)] = ()
    """Further conditions, all of which must hold."""
    claim_headers: Annotated[tuple[ClaimHeader, ...], Field(max_length=32)] = ()
    """Claims that the backend gets as headers."""
    consumer: TokenConsumer | None = None
    """Which consumer the token speaks for; a token of nobody known is turned away. Without it
    tokens speak for no consumer, and rules look at claims."""


@schema
class Basic:
    """User name and password: id and secret of a consumer's password."""

    realm: Name = "pointsman"
    """What browsers show when they ask for the password."""
    keep: Flag = False
    """Whether the backend sees the password, too."""


@schema
class Certificate:
    """A client certificate with a name that a Consumer has in `certificates`; the listener has to
    ask for certificates, by its TLS or a MeshTLS.
    """
