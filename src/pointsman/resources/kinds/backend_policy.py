"""BackendPolicy: how the callers of a virtual node choose among its endpoints."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.base import Duration, Flag, Name, schema
from pointsman.resources.kinds.targets import TargetRefs, Targets

Algorithm = Literal["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM", "RING_HASH", "MAGLEV"]


@schema
class StickyCookie:
    """The cookie that tells sessions apart; who has none is given one."""

    name: Name
    """Name of the cookie."""
    path: Name = "/"
    """Paths for which browsers send it."""
    ttl: Duration | None = None
    """How long browsers keep it; until they are closed by default."""


@schema
class Stickiness:
    """By what requests are told apart that go to the same endpoint; exactly one."""

    cookie: StickyCookie | None = None
    """By a cookie, one for each session."""
    header: Name | None = None
    """By the value of a header; requests without it go anywhere."""
    source: Literal["IP"] | None = None
    """By the address of the client: at a gateway that of whoever connects to it."""


@schema
class SlowStart:
    """How an endpoint that is new or healthy again comes to its full share."""

    window: Duration
    """How long it takes."""
    min_percent: Annotated[int, Strict(), Field(ge=1, le=100)] = 10
    """The share it begins with, in percent of its full one."""


@schema
class BackendPolicySpec:
    """Spec of a BackendPolicy."""

    TARGETS: ClassVar = Targets(("VirtualNode",), frozenset({"VirtualNode"}))

    target_refs: TargetRefs
    """What it is attached to. A policy of a listener counts before that of its node."""
    algorithm: Algorithm | None = None
    """How an endpoint is chosen: ROUND_ROBIN by default, RING_HASH with stickiness."""
    stickiness: Stickiness | None = None
    """Which requests stay with one endpoint, for as long as it is there."""
    slow_start: SlowStart | None = None
    """How new endpoints come to their share; for ROUND_ROBIN and LEAST_REQUEST."""
    zone_aware: Flag = False
    """Whether endpoints in the caller's own zone come first; needs AWS Cloud Map."""
    panic_threshold: Annotated[int, Strict(), Field(ge=0, le=100)] | None = None
    """Below this percentage of healthy endpoints all of them are used; 50 by default, 0 never."""
    connect_timeout: Duration | None = None
    """How long connecting to an endpoint may take; 10 s by default."""
