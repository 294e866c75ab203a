"""Rollout: how a new version takes over, and what brings the old one back."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.access_methods import Url
from pointsman.resources.kinds.base import Count, Duration, Flag, Name, Reference, Text, schema
from pointsman.resources.kinds.matching import Headers
from pointsman.resources.kinds.route_policy import Cohort

Share = Annotated[int, Strict(), Field(ge=1, le=100)]
Checks = Annotated[int, Strict(), Field(ge=1, le=10_000)]
Percentage = Annotated[float, Field(ge=0, le=100)]
HookType = Literal[
    "confirm-rollout",
    "pre-rollout",
    "rollout",
    "confirm-traffic-increase",
    "confirm-promotion",
    "post-rollout",
    "rollback",
    "event",
]


@schema
class RolloutTarget:
    """The route whose weights move."""

    kind: Literal["VirtualRouter", "GatewayRoute"]
    """A router, between two virtual nodes; or a gateway route, between two virtual services."""
    name: Name
    """metadata.name of the object, in the namespace of the Rollout."""
    route: Name | None = None
    """Name of the router's route; needed when the router has several."""


@schema
class RolloutStep:
    """One step of a canary."""

    weight: Share
    """Share of the requests for the candidate, in percent."""
    hold: Duration | None = None
    """How long it lasts at least; one interval by default."""
    pause: Flag = False
    """Whether it waits for `pointsman rollout resume` at its end."""


@schema
class CanaryStrategy:
    """The candidate's share grows step by step. Either `steps`, or `stepWeight`."""

    steps: Annotated[tuple[RolloutStep, ...], Field(max_length=100)] = ()
    """The steps, by growing weight."""
    step_weight: Share | None = None
    """By how much the share grows each interval."""
    max_weight: Share = 100
    """The share at which steps end; what is left follows at once."""
    mirror: Share | None = None
    """Before the first step, the candidate gets copies of so many percent of the requests, for one
    interval; nobody waits for its answers."""
    cohort: Cohort | None = None
    """Which requests stay with one version, so that no caller goes back and forth."""


@schema
class BlueGreenStrategy:
    """All requests go over at once, after the candidate has been warmed up. One of `mirror` and
    `headers` may say by what.
    """

    mirror: Share | None = None
    """The candidate gets copies of so many percent of the requests."""
    headers: Annotated[Headers, Field(max_length=10)] = ()
    """The candidate gets requests with these headers."""
    checks: Checks = 3
    """How many intervals the candidate has to pass before the switch; none without `mirror` and
    `headers`, which would be nothing to look at."""
    watch: Checks = 1
    """How many intervals it has to pass after the switch; until then it is switched back when it
    fails."""


@schema
class ABTestStrategy:
    """Some requests go to the candidate by what they carry, until the test is over."""

    headers: Annotated[Headers, Field(min_length=1, max_length=10)]
    """Conditions on headers, all of which must hold; a cookie is a part of the header `cookie`."""
    checks: Checks
    """How many intervals the candidate has to pass."""


@schema
class RolloutStrategy:
    """How requests move; exactly one field."""

    canary: CanaryStrategy | None = None
    """Step by step."""
    blue_green: BlueGreenStrategy | None = None
    """All at once."""
    ab_test: ABTestStrategy | None = None
    """By headers."""


@schema
class LatencyCheck:
    """How fast answers have to be."""

    quantile: Annotated[float, Field(gt=0, lt=1)] = 0.99
    """Which share of the requests."""
    max: Duration
    """Within which time they have to be answered."""


@schema
class Comparison:
    """The candidate must not fail more often than the stable version does at the same time."""

    margin: Percentage = 0.5
    """By how many percentage points its share of failures may be higher, whatever the test says."""
    risk: Annotated[float, Field(gt=0, le=0.1)] = 0.001
    """Chance that a candidate which is as good as the stable version fails, over all looks of a
    rollout together."""


@schema
class PrometheusCheck:
    """A value that a Prometheus knows; one of the bounds is needed."""

    name: Name
    """Name of the check, for people."""
    address: Url
    """The Prometheus, as `http://host:port`."""
    query: Annotated[str, Strict(), Field(min_length=1, max_length=4096)]
    """PromQL with one value as its result."""
    min: float | None = None
    """The least that is good."""
    max: float | None = None
    """The most that is good."""


@schema
class Analysis:
    """When a candidate passes an interval."""

    interval: Duration = Field(default_factory=lambda: Duration(unit="s", value=30))
    """Time between two looks; a second at least."""
    threshold: Checks = 1
    """How many intervals may fail before the rollout is rolled back. Failures add up: a good
    interval takes none of them back."""
    min_requests: Count = 50
    """How many requests the candidate must have had in a step before it can pass. Fewer are
    inconclusive: the weights stay, and the status says so."""
    success_rate: Percentage | None = None
    """Share of the requests, in percent, that must not fail; a status of 500 and more fails."""
    latency: LatencyCheck | None = None
    """How fast answers have to be."""
    compare: Comparison | None = Field(default_factory=Comparison)
    """Compares with the stable version; null leaves it out."""
    prometheus: Annotated[tuple[PrometheusCheck, ...], Field(max_length=16)] = ()
    """Values of one's own."""
    max_failed_requests: Count | None = None
    """The rollout is rolled back once so many requests have failed at the candidate."""


@schema
class RolloutWebhook:
    """A question to a service of one's own: the status 200, 201 or 202 approves."""

    type: HookType
    """When it is asked. `confirm-rollout`: before it begins; `pre-rollout`: before the first
    request; `rollout`: each interval; `confirm-traffic-increase`, `confirm-promotion`: before the
    step; `rollback`: each interval, and yes rolls back; `post-rollout`, `event`: told only."""
    name: Name
    """Name, for people."""
    url: Url
    """Where a POST with JSON goes to."""
    timeout: Duration | None = None
    """How long an answer may take; 10 s by default."""
    retries: Annotated[int, Strict(), Field(ge=0, le=10)] = 0
    """How often it is asked again when nobody answers."""
    metadata: Mapping[Text, Text] = Field(default_factory=dict)
    """Sent along."""


@schema
class RolloutAlert:
    """Who is told."""

    url: Url
    """Where a POST goes to."""
    format: Literal["slack", "json"] = "slack"
    """`slack`: a `text`, as Slack and its likes take it; `json`: the event as it is kept."""
    severity: Literal["info", "warn", "error"] = "info"
    """What is told: everything; what holds a rollout up, and failures; or failures alone."""


@schema
class RolloutSpec:
    """Spec of a Rollout."""

    target_ref: RolloutTarget
    """The route whose weights move."""
    stable: Reference
    """The version that serves: a virtual node, or a virtual service for a gateway route."""
    candidate: Reference
    """The version that is to take over; of the same kind."""
    revision: Annotated[str, Strict(), Field(max_length=255)] = ""
    """Any text; another one begins the rollout anew. So does another `stable` or `candidate`, and
    a change of the candidate's manifest."""
    strategy: RolloutStrategy
    """How requests move."""
    analysis: Analysis = Field(default_factory=Analysis)
    """What is looked at meanwhile."""
    approvals: Annotated[
        tuple[Literal["start", "traffic", "promotion"], ...], Field(max_length=3)
    ] = ()
    """What waits for `pointsman rollout resume`: the begin, each step, the promotion."""
    webhooks: Annotated[tuple[RolloutWebhook, ...], Field(max_length=32)] = ()
    """What services of one's own are asked."""
    alerts: Annotated[tuple[RolloutAlert, ...], Field(max_length=16)] = ()
    """Who is told."""
    suspend: Flag = False
    """Whether nothing moves."""
