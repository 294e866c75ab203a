"""HygienePolicy: which requests are taken at all, and what answers give away."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.base import Duration, Flag, Method, Name, schema
from pointsman.resources.kinds.route_policy import HeaderField
from pointsman.resources.kinds.targets import TargetRefs, Targets

Bytes = Annotated[int, Strict(), Field(ge=1, le=2**40)]
Percent = Annotated[float, Strict(), Field(ge=1, le=100, allow_inf_nan=False)]


@schema
class ReceiveTimeouts:
    """How long clients may take."""

    headers: Duration | None = None
    """Until the headers of a request are there."""
    request: Duration | None = None
    """Until the whole request is there."""
    idle: Duration | None = None
    """Without a byte of a request or its answer."""


@schema
class AnswerHeaders:
    """What answers tell browsers, and what they keep to themselves."""

    recommended: Flag = False
    """Sets `strict-transport-security`, `x-content-type-options`, `x-frame-options` and
    `referrer-policy` where the backend has not, and takes away what tells of programs and their
    versions."""
    set: Annotated[tuple[HeaderField, ...], Field(max_length=32)] = ()
    """Headers that get this value, whatever the backend says."""
    hide: Annotated[tuple[Name, ...], Field(max_length=32)] = ()
    """Headers that are taken away."""


@schema
class Shedding:
    """Turns a share of the requests away while too many of them fail, so that the rest succeeds."""

    success_percent: Percent = 95
    """As long as so many succeed, all pass."""
    window: Duration | None = None
    """The time that is looked back over; 30 seconds by default, whole seconds."""
    most_percent: Percent = 80
    """The largest share that is turned away."""


@schema
class Concurrency:
    """Lets as many requests be in flight as do not make them slower."""

    most: Annotated[int, Strict(), Field(ge=1, le=100_000)] = 1_000
    """Never more than so many."""
    percentile: Annotated[float, Strict(), Field(ge=1, le=99.9, allow_inf_nan=False)] = 90
    """The percentile of latencies that is watched."""


COMPARED_BYTES: Final = 2**20
"""Bytes of a body that are compared, where the policy says nothing of its length."""


@schema
class OpenApi:
    """Compares JSON bodies of requests with an OpenAPI document, 3.0 or 3.1."""

    document: Annotated[str, Strict(), Field(min_length=1, max_length=2**20)]
    """The document itself, JSON or YAML."""
    unknown: Literal["pass", "refuse"] = "pass"
    """What becomes of paths and methods that it does not have; `refuse` answers 404 and 405."""
    when_away: Literal["deny", "allow"] = "deny"
    """What happens while the control plane, which compares, cannot be asked: requests are answered
    503, or pass as they are."""


@schema
class HygienePolicySpec:
    """Spec of a HygienePolicy."""

    TARGETS: ClassVar = Targets(
        ("VirtualGateway", "VirtualNode", "GatewayRoute"),
        frozenset({"VirtualGateway", "VirtualNode"}),
    )

    target_refs: TargetRefs
    """What it is attached to. A policy of a listener counts before that of its object. Of bodies,
    methods and answers the policy of a gateway route counts before both, as a whole; all other
    fields belong to listeners."""
    max_body_bytes: Bytes | None = None
    """Longer bodies are answered 413."""
    methods: Annotated[tuple[Method, ...], Field(max_length=9)] = ()
    """Other methods are answered 405. Preflight requests of browsers always pass."""
    answers: AnswerHeaders | None = None
    """Headers of answers."""
    openapi: OpenApi | None = None
    """What JSON bodies have to be like. They are held back until they are whole, up to
    `maxBodyBytes`, or one MiB."""
    max_headers_kib: Annotated[int, Strict(), Field(ge=1, le=8192)] | None = None
    """KiB of all headers together; more are answered 431. Envoy's 60 by default."""
    max_headers: Annotated[int, Strict(), Field(ge=1, le=10_000)] | None = None
    """Number of headers; more are answered 431. Envoy's 100 by default."""
    escaped_slashes: Literal["reject", "unescape", "keep"] | None = None
    """What becomes of `%2F` and `%5C` in paths: `reject` answers 400 and is the default, `unescape`
    makes slashes of them before any route is matched, `keep` leaves them to the backend, which may
    see another path than the one that was matched."""
    path_parameters: Literal["reject", "keep"] | None = None
    """What becomes of a `;` behind encoded dots, or an encoded one behind dots, as in `/%2e%2e;/`
    and `/..%3b/`, which some servers take for a step up: `reject` answers 400 and is the default.
    `/..;/` is a step up for Envoy, too, before any route is matched."""
    timeouts: ReceiveTimeouts | None = None
    """How long clients may take."""
    max_connections: Annotated[int, Strict(), Field(ge=1, le=2**31 - 1)] | None = None
    """Connections at the same time; more are closed at once."""
    trusted_hops: Annotated[int, Strict(), Field(ge=0, le=16)] | None = None
    """Proxies in front of a gateway whose `x-forwarded-for` is believed; none by default, so that
    the client's address is that of the connection."""
    shedding: Shedding | None = None
    """Turns requests away while too many fail."""
    concurrency: Concurrency | None = None
    """Turns requests away while they make each other slow."""
