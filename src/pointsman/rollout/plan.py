"""What a rollout is to do, whether a Rollout or a Canary says so: stages, gates and criteria."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    # Kinds take a while to be imported, and those who only show rollouts have no use for them.
    from pointsman.resources.kinds.matching import HeaderMatch
    from pointsman.resources.kinds.route_policy import Cohort


class Manner(StrEnum):
    """Whose rules apply where they differ (docs/rollouts.md lists all four places)."""

    FLAGGER = "flagger"
    POINTSMAN = "pointsman"


class Hook(StrEnum):
    """A question to somebody outside, or news for him."""

    CONFIRM_ROLLOUT = "confirm-rollout"
    PRE_ROLLOUT = "pre-rollout"
    ROLLOUT = "rollout"
    CONFIRM_TRAFFIC = "confirm-traffic-increase"
    CONFIRM_PROMOTION = "confirm-promotion"
    POST_ROLLOUT = "post-rollout"
    ROLLBACK = "rollback"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A service that is asked.

    Attributes:
        hook: what it is asked.
        name: for people.
        url: where a POST goes to.
        timeout_s: seconds an answer may take.
        retries: how often it is asked again when nobody answers.
        metadata: sent along.
        quiet: whether nobody is told that it is waited for.
    """

    hook: Hook
    name: str
    url: str
    timeout_s: float = 10.0
    retries: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Alert:
    """Somebody who is told of events from a level on."""

    url: str
    format: Literal["slack", "json"]
    level: Literal["info", "warn", "error"]


@dataclass(frozen=True, slots=True)
class Query:
    """A value that a Prometheus knows, and its bounds."""

    name: str
    address: str
    query: str
    min: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class Criteria:
    """When an interval is good.

    Attributes:
        min_requests: requests the candidate needs in a stage before it can pass.
        success: the least share of requests that do not fail; None leaves it out.
        latency_ms: the time within which `quantile` of the requests are answered; None likewise.
        quantile: see there.
        margin: by how much the candidate's share of failures may exceed the stable version's; None
            leaves the comparison out.
        risk: chance that the comparison wrongs a good candidate.
        max_failed: failed requests of the candidate at which it is rolled back; None for no limit.
        queries: values of a Prometheus.
        plain: whether bounds are compared with what one interval shows and nothing else, as
            Flagger does.
    """

    min_requests: int = 0
    success: float | None = None
    latency_ms: float | None = None
    quantile: float = 0.99
    margin: float | None = None
    risk: float = 0.001
    max_failed: int | None = None
    queries: tuple[Query, ...] = ()
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A split of requests that is held for a while.

    Attributes:
        weight: the candidate's share, in percent.
        checks: intervals it has to pass.
        mirror: percent of the requests that are copied to the candidate.
        routed: whether the candidate gets the requests that the headers pick.
        hold_s: seconds it lasts at least.
        pause: whether it ends only when somebody says so.
        gate: asked before it begins.
    """

    weight: int
    checks: int = 1
    mirror: int = 0
    routed: bool = False
    hold_s: float = 0.0
    pause: bool = False
    gate: Hook | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A rollout.

    Attributes:
        manner: whose rules apply.
        stages: one after the other.
        gate: asked after the last of them.
        interval_s: seconds between two looks.
        threshold: failed looks before it is rolled back.
        criteria: when a look is good.
        headers: which requests a routed stage picks.
        cohort: what keeps requests with one version; None for nothing.
        promotion_step: by how much the weight goes back to a primary that was promoted; 0 at once.
        deadline_s: seconds a candidate may take to be ready.
        approvals: hooks that wait for a person.
        webhooks: services that are asked.
        alerts: who is told.
        skip: whether it is promoted without a look.
        suspend: whether nothing moves.
    """

    manner: Manner
    stages: tuple[Stage, ...]
    gate: Hook | None = Hook.CONFIRM_PROMOTION
    interval_s: float = 60.0
    threshold: int = 1
    criteria: Criteria = Criteria()
    headers: "tuple[HeaderMatch, ...]" = ()
    cohort: "Cohort | None" = None
    promotion_step: int = 0
    deadline_s: float = 600.0
    approvals: frozenset[Hook] = frozenset()
    webhooks: tuple[Webhook, ...] = ()
    alerts: tuple[Alert, ...] = ()
    skip: bool = False
    suspend: bool = False

    def asks(self, hook: Hook) -> bool:
        """Whether anybody has a say."""
        return hook in self.approvals or any(item.hook is hook for item in self.webhooks)
