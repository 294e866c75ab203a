"""What policies do to requests on their way, beyond choosing where they go."""

from dataclasses import dataclass
from typing import Literal

from pointsman.graph.model.cluster import Cluster, Stickiness


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """A change of one header, whose name is in lower case."""

    verb: Literal["set", "add", "remove"]
    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Mirror:
    """A cluster that gets copies of requests.

    Attributes:
        cluster: where they go.
        percent: share of the requests, 0 to 100.
    """

    cluster: Cluster
    percent: float


@dataclass(frozen=True, slots=True)
class Delay:
    """A share of the requests, in percent, that wait for some ms."""

    ms: int
    percent: float


@dataclass(frozen=True, slots=True)
class Abort:
    """A share of the requests, in percent, that are answered at once, with one of two statuses."""

    status: int | None
    grpc_status: int | None
    percent: float


@dataclass(frozen=True, slots=True)
class Fault:
    """Failures on purpose."""

    delay: Delay | None = None
    abort: Abort | None = None


@dataclass(frozen=True, slots=True)
class Cors:
    """Which scripts of other sites may read answers.

    Attributes:
        origins: where they may be from; `*` stands for any characters.
        methods: methods they may use.
        headers: request headers they may send.
        exposed: response headers they may read.
        max_age_s: how long browsers remember this, in seconds; None leaves it to them.
        credentials: whether they may send cookies.
    """

    origins: tuple[str, ...]
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age_s: int | None = None
    credentials: bool = False


@dataclass(frozen=True, slots=True)
class Effects:
    """All of them.

    Attributes:
        request_headers: changes of request headers, removals first and additions last.
        response_headers: the same of response headers.
        mirror: who gets copies.
        cohort: what keeps requests with one of several targets.
        trace_percent: share of the requests that are traced; None leaves it to the proxy.
        fault: failures on purpose.
        cors: which scripts of other sites may read answers.
    """

    request_headers: tuple[HeaderChange, ...] = ()
    response_headers: tuple[HeaderChange, ...] = ()
    mirror: Mirror | None = None
    cohort: Stickiness | None = None
    trace_percent: float | None = None
    fault: Fault | None = None
    cors: Cors | None = None


NO_EFFECTS = Effects()
