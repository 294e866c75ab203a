"""AccessPolicy: how callers prove who they are, and who of them may do what."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.access_methods import (
    ApiKey,
    Basic,
    Certificate,
    ClaimCondition,
    Jwt,
    Scopes,
)
from pointsman.resources.kinds.access_servers import External, Introspection, Oidc
from pointsman.resources.kinds.base import Flag, Method, Name, Reference, schema
from pointsman.resources.kinds.matching import Headers, MatchText
from pointsman.resources.kinds.targets import TargetRefs, Targets

Expression = Annotated[str, Strict(), Field(min_length=1, max_length=1024)]


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
    introspection: Introspection | None = None
    """An opaque token."""
    oidc: Oidc | None = None
    """A login of browsers; the last method of a policy, since who has no session is sent to log
    in."""


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
    scopes: Scopes = ()
    """Scopes of the token, all of them."""
    claims: Annotated[tuple[ClaimCondition, ...], Field(max_length=32)] = ()
    """Claims of the token, all of them."""
    methods: Annotated[tuple[Method, ...], Field(max_length=9)] = ()
    """HTTP methods."""
    paths: Annotated[tuple[PathRule, ...], Field(max_length=64)] = ()
    """Paths."""
    headers: Headers = ()
    """Conditions on headers, all of them."""
    when: Expression | None = None
    """Expression of the Common Expression Language (CEL) that has to be true, over Envoy's
    attributes: `request`, `source`, `connection`, `metadata`."""


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
    external: External | None = None
    """A server that is asked about requests that methods and rules let pass."""
    default: Literal["allow", "deny"] | None = None
    """What becomes of requests for which no rule holds: deny when there is a rule that allows,
    else allow."""
    audit: Flag = False
    """Whether rules and addresses only count what they would turn away, and let it pass. Wrong
    credentials are turned away all the same."""
