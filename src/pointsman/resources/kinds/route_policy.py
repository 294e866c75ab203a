"""RoutePolicy: what happens to requests on their way, beyond App Mesh's timeouts and retries."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.base import Duration, Flag, Name, Port, Reference, schema
from pointsman.resources.kinds.targets import TargetRefs, Targets
from pointsman.resources.kinds.virtual_router import (
    GrpcRetryEvent,
    HttpRetryEvent,
    HttpTimeout,
    TcpRetryEvent,
)

Percent = Annotated[float, Strict(), Field(ge=0, le=100, allow_inf_nan=False)]
HeaderValue = Annotated[str, Strict(), Field(max_length=4096)]
HttpStatus = Annotated[int, Strict(), Field(ge=200, le=599)]
GrpcStatus = Annotated[int, Strict(), Field(ge=1, le=16)]
Names = Annotated[tuple[Name, ...], Field(max_length=32)]


@schema
class Retry:
    """When a request is tried again, in App Mesh's words and by status."""

    max_retries: Annotated[int, Strict(), Field(ge=0, le=100)]
    """Tries after the first."""
    per_retry_timeout: Duration | None = None
    """Time for each try, the first included; that of the whole request by default."""
    http_retry_events: tuple[HttpRetryEvent, ...] = ()
    """HTTP events."""
    tcp_retry_events: tuple[TcpRetryEvent, ...] = ()
    """TCP events."""
    grpc_retry_events: tuple[GrpcRetryEvent, ...] = ()
    """gRPC status codes."""
    status_codes: Annotated[tuple[HttpStatus, ...], Field(max_length=32)] = ()
    """Further HTTP statuses that are tried again, such as 429."""


@schema
class Mirror:
    """A copy of the requests for one more node, whose answers nobody waits for."""

    virtual_node_ref: Reference
    """The node."""
    port: Port | None = None
    """Its listener; required when the node has several."""
    percent: Percent = 100
    """The share of the requests that is copied."""


@schema
class RouteTraces:
    """Traces of a route's requests."""

    sample_percent: Percent
    """The share of the requests that is traced, instead of that of the proxy."""


@schema
class Cohort:
    """By what callers are told apart that stay with one of several weighted targets; exactly one.
    While weights move, a target that gets more keeps all it had.
    """

    header: Name | None = None
    """By the value of a header, such as a user's id; requests without it go anywhere."""
    cookie: Name | None = None
    """By the value of a cookie that the application sets; requests without it go anywhere."""
    source: Literal["IP"] | None = None
    """By the address of the client: at a gateway that of whoever connects to it."""


@schema
class HeaderField:
    """A header and its value."""

    name: Name
    """Name of the header."""
    value: HeaderValue
    """Its value, taken literally."""


@schema
class HeaderChange:
    """What becomes of headers: first `remove`, then `set`, then `add`."""

    set: Annotated[tuple[HeaderField, ...], Field(max_length=32)] = ()
    """Headers that get this value, whatever they had."""
    add: Annotated[tuple[HeaderField, ...], Field(max_length=32)] = ()
    """Headers that get this value beside those they have."""
    remove: Names = ()
    """Headers that are taken away."""


@schema
class FaultDelay:
    """Requests that wait before they go on."""

    duration: Duration
    """How long."""
    percent: Percent = 100
    """The share of the requests."""


@schema
class FaultAbort:
    """Requests that are answered at once; one of the two statuses."""

    http_status: HttpStatus | None = None
    """The answer's HTTP status."""
    grpc_status: GrpcStatus | None = None
    """The answer's gRPC status; for routes of gRPC only, as other clients see 200."""
    percent: Percent = 100
    """The share of the requests."""


@schema
class Fault:
    """Failures on purpose, to see what callers make of them; at least one of the two."""

    delay: FaultDelay | None = None
    """Some requests wait."""
    abort: FaultAbort | None = None
    """Some requests are answered by the proxy; they are not tried again."""


@schema
class Cors:
    """Which scripts of other sites browsers let read the answers."""

    allow_origins: Annotated[tuple[Name, ...], Field(min_length=1, max_length=32)]
    """Origins such as `https://app.example`; `*` stands for any characters within one."""
    allow_methods: Names = ()
    """Methods such requests may have."""
    allow_headers: Names = ()
    """Headers such requests may have; `*` for any."""
    expose_headers: Names = ()
    """Headers of the answer that scripts may read."""
    max_age: Duration | None = None
    """How long browsers remember the answer to a preflight request."""
    allow_credentials: Flag = False
    """Whether such requests may have cookies."""


@schema
class RoutePolicySpec:
    """Spec of a RoutePolicy. Each block that is there takes the place of the route's own."""

    TARGETS: ClassVar = Targets(
        ("GatewayRoute", "VirtualService", "VirtualRouter"), frozenset({"VirtualRouter"})
    )

    target_refs: TargetRefs
    """What it is attached to. The most specific one counts: a route, its router, the service.
    That of a gateway route counts before all of them, for what comes through it."""
    timeout: HttpTimeout | None = None
    """How long a request may take."""
    retry: Retry | None = None
    """When a request is tried again."""
    mirror: Mirror | None = None
    """A node that gets copies of the requests."""
    traces: RouteTraces | None = None
    """Which of them are traced, where proxies have a TelemetryPolicy."""
    cohort: Cohort | None = None
    """Which requests stay with one of the targets of a router's route."""
    request_headers: HeaderChange | None = None
    """What becomes of the headers of requests. Routes are matched by what came."""
    response_headers: HeaderChange | None = None
    """What becomes of the headers of responses."""
    fault: Fault | None = None
    """Failures on purpose."""
    cors: Cors | None = None
    """Which scripts of other sites may read the answers."""
