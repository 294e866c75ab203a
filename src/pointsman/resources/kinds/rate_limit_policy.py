"""RateLimitPolicy: how many requests whoever calls may make, and how they are counted."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.access_methods import Url
from pointsman.resources.kinds.access_policy import PathRule
from pointsman.resources.kinds.base import Duration, Flag, Method, Name, Reference, schema
from pointsman.resources.kinds.matching import Headers
from pointsman.resources.kinds.targets import TargetRefs, Targets

Requests = Annotated[int, Strict(), Field(ge=1, le=1_000_000_000)]
Unit = Literal["second", "minute", "hour", "day", "week", "month"]
LimitName = Annotated[str, Strict(), Field(min_length=1, max_length=63)]


@schema
class ByIp:
    """The client's address, or the range it is in."""

    v4_bits: Annotated[int, Strict(), Field(ge=0, le=32)] = 32
    """How many bits of an IPv4 address count."""
    v6_bits: Annotated[int, Strict(), Field(ge=0, le=128)] = 64
    """How many bits of an IPv6 address count; 64 are what one customer usually has."""


@schema
class ByHeader:
    """The value of a request header."""

    name: Name
    """Name of the header."""


@schema
class ByClaim:
    """A claim of the token; requests whose token lacks it count as one."""

    name: Name
    """Name of the claim; dots lead into objects."""


@schema
class Simple:
    """A key without anything to set."""


@schema
class LimitKey:
    """What requests are counted by; exactly one field."""

    consumer: Simple | None = None
    """Who calls."""
    credential: Simple | None = None
    """The credential of who calls."""
    groups: Simple | None = None
    """All groups of who calls: those with the same groups count as one."""
    ip: ByIp | None = None
    """The client's address."""
    header: ByHeader | None = None
    """A request header."""
    claim: ByClaim | None = None
    """A claim of the token."""
    path: Simple | None = None
    """The path without the query, before any rewrite."""
    route: Simple | None = None
    """The route that takes the request."""


@schema
class Rate:
    """A token bucket: it holds `burst` requests and is filled evenly, with `requests` in each
    unit of time. So at most `requests` and `burst` together pass in any such time.
    """

    requests: Requests
    """How many pass in the long run."""
    per: Unit
    """In which time; a month is 30 days."""
    burst: Requests | None = None
    """How many may come at once; `requests` by default."""
    smooth: Flag = False
    """Whether they have to come evenly spaced, one by one: a burst of one."""


@schema
class Quota:
    """Requests that are used up: counted by the control plane, and kept when it restarts."""

    requests: Requests
    """How many there are."""
    per: Unit
    """For how long."""
    window: Literal["calendar", "rolling", "firstUse"] = "calendar"
    """When it starts anew: with the calendar's minute, hour, day, week (Monday) or month; never,
    with each request free again after the time; or after the time since the first request."""
    timezone: Name = "UTC"
    """Whose calendar, a name of the IANA time zone database."""


@schema
class ExternalLimit:
    """A service that decides: `envoy.service.ratelimit.v3.RateLimitService`, as envoyproxy's own
    `ratelimit` is one. It gets `limit`, the name, and an entry for each of `by`.
    """

    address: Url
    """http or https address with host and port; the protocol is gRPC."""
    domain: Name
    """The domain its configuration is for."""
    timeout: Duration | None = None
    """How long an answer may take; 100 ms by default."""
    ca_file: Name | None = None
    """Authorities that an https service is checked against, a file on the machines of the
    proxies; those of Debian and its kin by default."""


@schema
class LimitOverride:
    """Another allowance for some. Of the consumers and groups one has to fit; the first override
    that fits counts.
    """

    consumers: Annotated[tuple[Reference, ...], Field(max_length=256)] = ()
    """Who calls."""
    groups: Annotated[tuple[Name, ...], Field(max_length=32)] = ()
    """Groups of who calls."""
    rate: Rate | None = None
    """Instead of the limit's rate."""
    quota: Quota | None = None
    """Instead of the limit's quota."""
    unlimited: Flag = False
    """Whether the limit does not count for them."""


@schema
class LimitMatch:
    """Which requests are counted. All fields that are there must hold, and of each list one
    entry; of the headers all.
    """

    methods: Annotated[tuple[Method, ...], Field(max_length=9)] = ()
    """HTTP methods."""
    paths: Annotated[tuple[PathRule, ...], Field(max_length=64)] = ()
    """Paths."""
    headers: Headers = ()
    """Conditions on headers."""


@schema
class Cost:
    """As how many requests one counts; exactly one of the two."""

    requests: Requests | None = None
    """As so many."""
    header: Name | None = None
    """As many as a request header says: a whole number above zero, else one. Whoever writes the
    header has to be trusted."""


@schema
class Limit:
    """One limit."""

    name: LimitName
    """Name of the limit, of lower-case letters, digits and `-`; refusals name it."""
    by: Annotated[tuple[LimitKey, ...], Field(max_length=4)] = ()
    """What requests are counted by: each combination of values has an allowance of its own.
    Without any, all requests count together. A request that lacks one of the headers, or whose
    consumer is not known, counts under its address instead."""
    rate: Rate | None = None
    """So many in a time. Exactly one of `rate`, `quota` and `external` is needed."""
    quota: Quota | None = None
    """So many until it starts anew."""
    external: ExternalLimit | None = None
    """A service of one's own says how many."""
    scope: Literal["proxy", "shared"] | None = None
    """Who counts a rate: each proxy, and each of its listeners, by itself, which is the default;
    or all proxies together."""
    overrides: Annotated[tuple[LimitOverride, ...], Field(max_length=16)] = ()
    """Other allowances for some consumers and groups."""
    match: LimitMatch | None = None
    """Which requests are counted; all by default."""
    cost: Cost | None = None
    """As how many requests one counts; one by default."""
    stage: Literal["before", "after"] = "after"
    """Whether requests are counted before or after it is known who calls and whether they may.
    Before, guesses at credentials count, too."""
    shadow: Flag = False
    """Whether it only counts what it would refuse, and lets it pass."""
    when_away: Literal["deny", "allow", "local"] | None = None
    """What happens while whoever counts cannot be asked: requests are refused; they pass; or each
    proxy counts by itself, as if it were the only one. `deny` by default."""
    strict: Flag = False
    """Whether a proxy refuses the first requests of a value, until it has a lease for it; so the
    limit is never exceeded. Else they pass, and are counted."""
    headers: Literal["none", "draft", "legacy"] = "none"
    """Which response headers tell how much is left: `RateLimit-Limit`, `-Remaining` and `-Reset`,
    or the same with `X-` in front. One limit of a policy may have them."""
    max_keys: Annotated[int, Strict(), Field(ge=1, le=1_000_000)] = 10_000
    """How many values a proxy counts at the same time. Beyond, it forgets what it has not seen for
    the longest time, and that starts anew."""


@schema
class RateLimitPolicySpec:
    """Spec of a RateLimitPolicy."""

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
    limits: Annotated[tuple[Limit, ...], Field(min_length=1, max_length=16)]
    """The limits, all of which have to admit a request. They are asked in this order, and those
    before the one that refuses have counted it."""
