"""How often one may call: what a RateLimitPolicy means."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from pointsman.graph.model.match import HeaderCondition, PathCondition
from pointsman.resources.key import Key

Unit = Literal["second", "minute", "hour", "day", "week", "month"]
Window = Literal["calendar", "rolling", "firstUse"]
Away = Literal["deny", "allow", "local"]
Style = Literal["none", "draft", "legacy"]

SECONDS: Final[dict[Unit, int]] = {
    "second": 1,
    "minute": 60,
    "hour": 3_600,
    "day": 86_400,
    "week": 604_800,
    "month": 2_592_000,
}
"""Length of a unit of rates; a month is 30 days."""


class KeyKind(StrEnum):
    """What requests are counted by."""

    CONSUMER = "consumer"
    CREDENTIAL = "credential"
    GROUPS = "groups"
    IP = "ip"
    HEADER = "header"
    CLAIM = "claim"
    PATH = "path"
    ROUTE = "route"


@dataclass(frozen=True, slots=True)
class CountedBy:
    """A part of what requests are counted by.

    Attributes:
        kind: what it is.
        name: lower-case name of the header, or of the claim with dots.
        v4_bits: bits of an IPv4 address that count.
        v6_bits: bits of an IPv6 address that count.
    """

    kind: KeyKind
    name: str = ""
    v4_bits: int = 32
    v6_bits: int = 64


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket that is filled evenly.

    Attributes:
        requests: tokens that come in a unit.
        per: the unit.
        burst: tokens it holds.
    """

    requests: int
    per: Unit
    burst: int

    def wait_s(self, cost: int = 1) -> int:
        """Seconds after which an empty bucket admits a request again, rounded up."""
        return -(-cost * SECONDS[self.per] // self.requests)


@dataclass(frozen=True, slots=True)
class Quota:
    """Requests that are used up.

    Attributes:
        requests: how many.
        per: for how long.
        window: when it starts anew.
        timezone: whose calendar, an IANA name.
    """

    requests: int
    per: Unit
    window: Window = "calendar"
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Service:
    """A service that decides, by `envoy.service.ratelimit.v3`.

    Attributes:
        url: its address.
        domain: the domain it is asked about.
        timeout_ms: how long an answer may take, in ms.
        ca_file: authorities it is checked against; None for those of the system.
    """

    url: str
    domain: str
    timeout_ms: int = 100
    ca_file: str | None = None


Allowance = Rate | Quota
"""How many requests are admitted."""


@dataclass(frozen=True, slots=True)
class Override:
    """Another allowance for some callers: of one of the consumers or in one of the groups.

    Attributes:
        consumers: who calls.
        groups: groups of who calls.
        allowance: the allowance; None when the limit does not count for them.
    """

    consumers: tuple[Key, ...]
    groups: tuple[str, ...]
    allowance: Allowance | None


@dataclass(frozen=True, slots=True)
class Counted:
    """Which requests are counted. Of methods and paths one must hold where there are any.

    Attributes:
        methods: HTTP methods.
        paths: paths before any rewrite.
        headers: conditions, all of which must hold.
    """

    methods: tuple[str, ...] = ()
    paths: tuple[PathCondition, ...] = ()
    headers: tuple[HeaderCondition, ...] = ()


ALL_COUNT: Final = Counted()


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit.

    Attributes:
        name: of the limit, unique in its policy.
        by: what requests are counted by; all together when empty.
        allowance: how many pass, or who decides.
        overrides: the first one that fits counts instead.
        counted: which requests count.
        cost: as how many one counts.
        cost_header: lower-case name of the header that says so; None for `cost`.
        shared: whether all proxies count together.
        before: whether it counts before it is known who calls.
        shadow: whether it refuses nobody.
        away: what happens while whoever counts cannot be asked.
        strict: whether what nobody has counted yet is refused.
        style: response headers that tell how much is left.
        max_keys: values that a proxy counts at the same time.
    """

    name: str
    by: tuple[CountedBy, ...]
    allowance: Allowance | Service
    overrides: tuple[Override, ...] = ()
    counted: Counted = ALL_COUNT
    cost: int = 1
    cost_header: str | None = None
    shared: bool = False
    before: bool = False
    shadow: bool = False
    away: Away = "deny"
    strict: bool = False
    style: Style = "none"
    max_keys: int = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """A RateLimitPolicy, linked.

    Attributes:
        policy: the policy.
        limits: all of which have to admit a request, in this order.
    """

    policy: Key
    limits: tuple[Limit, ...]


def limit_id(policy: Key, limit: str) -> str:
    """`NAMESPACE/POLICY/LIMIT`, which refusals name."""
    return f"{policy.path}/{limit}"


def allowance_id(override: int | None) -> str:
    """Which allowance of a limit holds, as buckets of leases say it: `base`, or its place."""
    return "base" if override is None else str(override)
