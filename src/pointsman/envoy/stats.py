"""What Envoy counts, in the mesh's words: which statistics are wanted, and what each one says.

One table makes both the expression by which Envoy chooses what it sends and the reading of what
comes, so the two cannot differ. Whose cluster or route a name means is known to
`telemetry.subjects`.
"""

import re
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final


class Measure(IntEnum):
    """What is counted; each is a column of the window."""

    ANSWERED_1XX = 0
    ANSWERED_2XX = 1
    ANSWERED_3XX = 2
    ANSWERED_4XX = 3
    ANSWERED_5XX = 4
    TIMEOUT = 5
    """Requests, or tries of one, that took too long."""
    CONNECT_FAILURE = 6
    """Connections that did not come about."""
    RESET = 7
    """Streams reset, and connections closed, by the other side in the middle of a request."""
    OVERFLOW = 8
    """Requests refused because a connection pool was full."""
    RETRY = 9
    """Tries after the first."""
    EJECTION = 10
    """Endpoints taken out because they failed."""
    NO_ENDPOINT = 11
    """Requests for which there was no healthy endpoint."""
    LIMITED = 12
    """Requests refused by a rate limit of the proxy itself."""
    DENIED = 13
    """Requests refused because of who sent them."""
    NO_ROUTE = 14
    """Requests that no route takes."""
    CONNECTION = 15
    """Connections opened."""
    LATENCY_MS = 16
    """Time of all requests together, in ms."""


CAUSES: Final = tuple(Measure)[Measure.TIMEOUT : Measure.CONNECTION]
"""Why requests fail, or what was done about it."""
BUCKETS_MS: Final = (
    *(1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700),
    *(1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 20_000, 60_000),
)
"""Upper bounds of latencies, at most 2 apart as factors up to 10 s; above the last is one more."""
LATENCIES: Final = tuple(range(len(Measure), len(Measure) + len(BUCKETS_MS) + 1))
"""Columns of the window with latencies, by bucket."""
WIDTH: Final = len(Measure) + len(LATENCIES)
"""Columns of the window."""
TIME: Final = "_rq_time"
"""How the names of all wanted histograms end."""


class Scope(Enum):
    """What numbers are about."""

    PROXY = "proxy"
    """Requests that a gateway takes from clients, or a sidecar for its application."""
    NODE = "node"
    """Requests that a proxy sends to a virtual node."""
    ROUTE = "route"
    """Requests that a proxy sends on by one route."""
    CONSUMER = "consumer"
    """Requests of one consumer, where somebody asks for them."""


@dataclass(frozen=True, slots=True)
class Stat:
    """A statistic.

    Attributes:
        scope: what it is about.
        name: the cluster's, the route's as `names.route_stat` has it, or the consumer's; "" of the
            proxy itself.
        measure: what is counted; None for a histogram of latencies or a gauge of connections.
        cause: what is counted with the same numbers, beside a class of answers.
    """

    scope: Scope
    name: str
    measure: Measure | None
    cause: Measure | None = None


_CLASSES: Final = {f"{n}xx": Measure(n - 1) for n in range(1, 6)}
_CLUSTER: Final = {
    **{f"upstream_rq_{name}": measure for name, measure in _CLASSES.items()},
    "upstream_rq_timeout": Measure.TIMEOUT,
    "upstream_rq_per_try_timeout": Measure.TIMEOUT,
    "upstream_cx_connect_fail": Measure.CONNECT_FAILURE,
    "upstream_rq_rx_reset": Measure.RESET,
    "upstream_cx_destroy_remote_with_active_rq": Measure.RESET,
    "upstream_rq_pending_overflow": Measure.OVERFLOW,
    "upstream_rq_retry": Measure.RETRY,
    "outlier_detection.ejections_enforced_total": Measure.EJECTION,
    "upstream_cx_none_healthy": Measure.NO_ENDPOINT,
    "upstream_cx_total": Measure.CONNECTION,
    "upstream_cx_active": None,
    "upstream_rq_time": None,
}
_ROUTE: Final = {
    **{f"upstream_rq_{name}": measure for name, measure in _CLASSES.items()},
    "upstream_rq_timeout": Measure.TIMEOUT,
    "upstream_rq_retry": Measure.RETRY,
    "upstream_rq_time": None,
}
_INGRESS: Final = {
    **{f"downstream_rq_{name}": measure for name, measure in _CLASSES.items()},
    "downstream_rq_timeout": Measure.TIMEOUT,
    "downstream_rq_idle_timeout": Measure.TIMEOUT,
    "no_route": Measure.NO_ROUTE,
    "rbac.denied": Measure.DENIED,
    "jwt_authn.denied": Measure.DENIED,
    "ext_authz.denied": Measure.DENIED,
    "api_key_auth.unauthenticated": Measure.DENIED,
    "api_key_auth.unauthorized": Measure.DENIED,
    "basic_auth.denied": Measure.DENIED,
    "downstream_cx_total": Measure.CONNECTION,
    "downstream_cx_active": None,
    "downstream_rq_time": None,
}
_LIMIT: Final = {"http_local_rate_limit.enforced": Measure.LIMITED}
_TCP: Final = {"downstream_cx_total": Measure.CONNECTION}


@dataclass(frozen=True, slots=True)
class _Family:
    """Statistics whose names begin and end alike."""

    scope: Scope
    begin: str
    name: str
    ends: dict[str, Measure | None] | dict[str, Measure]

    @property
    def regex(self) -> str:
        ends = "|".join(re.escape(end) for end in self.ends)
        return rf"{self.begin}{self.name}\.(?:{ends})"


_FAMILIES: Final = (
    _Family(Scope.NODE, r"cluster\.", r"cds_egress_.*", _CLUSTER),
    _Family(Scope.ROUTE, r"vhost\..*\.route\.", r".*", _ROUTE),
    _Family(Scope.PROXY, r"http\.", r"ingress(?:\.[a-z0-9]+\.[0-9]+)?", _INGRESS),
    _Family(Scope.PROXY, r"tcp\.", r"ingress(?:\.[a-z0-9]+\.[0-9]+)?", _TCP),
    _Family(Scope.PROXY, r"", r"pointsman\.limit.*", _LIMIT),
)
CONSUMERS: Final = "pointsman.consumer"
"""How names of what is counted by consumer begin: see `consumer_stats`."""
CONSUMER_REQUESTS: Final = "rq"
CONSUMER_TIME: Final = "rq_time"
_CONSUMER: Final = re.compile(r"(?:rq\.code\.([1-5]\d\d)|rq_time)\.consumer\.(.+)")
_TOO_MANY: Final = "429"
_ENDS: Final = re.compile(
    r"(?:listener|cluster)\..*\.ssl\.certificate\.certificate:([^,]+),.*"
    r"\.expiration_unix_time_seconds"
)
"""Until when a certificate in files is good: see `names.certificate_secret`."""
UNWANTED: Final = r"cluster\..*\.(?:external|internal|canary|retry|default|zone\..*)\.upstream_.*"
"""Parts of what `WANTED` has as a whole; they count before it. In the syntax of RE2."""
WANTED: Final = "|".join(
    (
        *(f"(?:{family.regex})" for family in _FAMILIES),
        rf"(?:{re.escape(CONSUMERS)}\..*)",
        f"(?:{_ENDS.pattern})",
    )
)
"""The names of statistics that Envoy is to send. In the syntax of RE2."""


def expiring_file(name: str) -> str | None:
    """The file of which a statistic tells until when its certificate is good, if it does."""
    match = _ENDS.fullmatch(name)
    return None if match is None else match[1]


def parse(name: str) -> Stat | None:
    """What a statistic says, by its full name; None for one that is not wanted."""
    prefix, _, rest = name.partition(".")
    match prefix:
        case "cluster":
            return _found(Scope.NODE, rest, _CLUSTER)
        case "vhost":
            # A prefix has no dots of its own: see `names.route_stat`.
            host, _, counted = rest.rpartition(".route.")
            return _found(Scope.ROUTE, counted, _ROUTE) if host else None
        case "http" | "tcp":
            found = _found(Scope.PROXY, rest, _INGRESS if prefix == "http" else _TCP)
            is_ingress = rest.partition(".")[0] == "ingress"
            return Stat(Scope.PROXY, "", found.measure) if found and is_ingress else None
        case "pointsman" if rest.startswith("consumer."):
            return _of_consumer(rest.removeprefix("consumer."))
        case "pointsman":
            found = _found(Scope.PROXY, rest, _LIMIT)
            return Stat(Scope.PROXY, "", found.measure) if found else None
    return None


def _of_consumer(text: str) -> Stat | None:
    match = _CONSUMER.fullmatch(text)
    if match is None:
        return None
    code, consumer = match.groups()
    if code is None:
        return Stat(Scope.CONSUMER, consumer, None)
    cause = Measure.LIMITED if code == _TOO_MANY else None
    return Stat(Scope.CONSUMER, consumer, Measure(int(code[0]) - 1), cause)


def _found(
    scope: Scope, text: str, ends: dict[str, Measure | None] | dict[str, Measure]
) -> Stat | None:
    """The part before one of the known ends, which have one dot at most."""
    name, _, end = text.rpartition(".")
    if end in ends:
        return Stat(scope, name, ends[end])
    name, _, before = name.rpartition(".")
    end = f"{before}.{end}"
    return Stat(scope, name, ends[end]) if end in ends else None
