"""AccessPolicy: how callers prove who they are, and who of them may do what."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.base import Duration, Flag, Method, Name, Reference, Text, schema
from pointsman.resources.kinds.matching import Headers, MatchText
from pointsman.resources.kinds.targets import TargetRefs, Targets

HeaderNames = Annotated[tuple[Name, ...], Field(max_length=8)]
Url = Annotated[str, Strict(), Field(min_length=1, max_length=2048)]
Skew = Annotated[int, Strict(), Field(ge=1, le=3600)]
Values = Annotated[tuple[Name, ...], Field(min_length=1, max_length=64)]


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
    """A signed token, checked against the keys of its issuer."""

    issuer: Url
    """What `iss` has to be."""
    audiences: Annotated[tuple[Name, ...], Field(max_length=16)] = ()
    """Of these `aud` has to have one."""
    jwks: Jwks
    """The issuer's public keys."""
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
    scopes: Annotated[tuple[Name, ...], Field(max_length=32)] = ()
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


@schema
class AccessMethod:
    """One way to prove who one is; exactly one field."""

    api_key: ApiKey | None = None
    """A key of a consumer."""
    jwt: Jwt | None = None
    """A signed token."""
    basic: Basic | None = None
    """User name and password."""
    certificate: Certificate | None = None
    """A client certificate."""


@schema
class Sources:
    """Addresses that requests may come from."""

    allow: Annotated[tuple[Name, ...], Field(max_length=256)] = ()
    """Addresses and ranges; all others are turned away when there are any."""
    deny: Annotated[tuple[Name, ...], Field(max_length=256)] = ()
    """Addresses and ranges that are turned away, even if they are allowed."""


@schema
class PathRule:
    """Paths, as they are before any rewrite; exactly one of the three."""

    exact: MatchText | None = None
    """The path itself."""
    prefix: MatchText | None = None
    """How the path starts."""
    regex: MatchText | None = None
    """RE2 expression for the whole path."""


@schema
class AccessRule:
    """Requests that are allowed, or denied. All fields that are there must hold, and of each
    list one entry.
    """

    name: Name
    """Name of the rule; logs and explanations show it."""
    action: Literal["allow", "deny"] = "allow"
    """What becomes of such requests. Denial wins over allowance, whatever the order."""
    consumers: Annotated[tuple[Reference, ...], Field(max_length=256)] = ()
    """Who calls."""
    groups: Annotated[tuple[Name, ...], Field(max_length=32)] = ()
    """Groups of who calls."""
    scopes: Annotated[tuple[Name, ...], Field(max_length=32)] = ()
    """Scopes of the token, all of them."""
    claims: Annotated[tuple[ClaimCondition, ...], Field(max_length=32)] = ()
    """Claims of the token, all of them."""
    methods: Annotated[tuple[Method, ...], Field(max_length=9)] = ()
    """HTTP methods."""
    paths: Annotated[tuple[PathRule, ...], Field(max_length=64)] = ()
    """Paths."""
    headers: Headers = ()
    """Conditions on headers, all of them."""


@schema
class AccessPolicySpec:
    """Spec of an AccessPolicy."""

    TARGETS: ClassVar = Targets(
        (
            "VirtualGateway",
            "GatewayRoute",
            "VirtualService",
            "VirtualRouter",
            "VirtualNode",
        ),
        frozenset({"VirtualGateway", "VirtualRouter", "VirtualNode"}),
    )

    target_refs: TargetRefs
    """What it is attached to. The most specific one counts, as a whole: a named route, its
    router, the virtual service, the gateway route, the gateway's listener, the gateway. That of a
    node or its listener is enforced by the node's own proxy, for whatever comes in."""
    methods: Annotated[tuple[AccessMethod, ...], Field(max_length=8)] = ()
    """Ways to prove who one is. The first one whose credential is in the request decides."""
    anonymous: Flag = False
    """Whether requests without any credential pass on to the rules. A wrong credential never
    passes."""
    sources: Sources | None = None
    """Addresses that requests may come from."""
    rules: Annotated[tuple[AccessRule, ...], Field(max_length=128)] = ()
    """Who may do what."""
    default: Literal["allow", "deny"] | None = None
    """What becomes of requests for which no rule holds: deny when there is a rule that allows,
    else allow."""
    audit: Flag = False
    """Whether rules and addresses only count what they would turn away, and let it pass. Wrong
    credentials are turned away all the same."""
