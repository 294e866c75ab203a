"""How a rollout is doing: what `/v1/rollouts` carries and `pointsman rollout status` shows."""

from typing import TYPE_CHECKING, Any

from pydantic.dataclasses import dataclass

from pointsman.observe.travel import TRAVELS, Form
from pointsman.resources.key import Key
from pointsman.rollout.state import ANALYSED, State

if TYPE_CHECKING:
    # Manifests' kinds take a while, and those who only read views have no use for them.
    from pointsman.graph.rollout_target import Hold
    from pointsman.rollout.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True, config=TRAVELS)
class RolloutView:
    """A rollout, for people.

    Attributes:
        kind: Rollout or Canary.
        namespace: its namespace.
        name: its name.
        target: the route it holds.
        stable: the version that serves.
        candidate: the version that is to take over.
        phase: where it is.
        revision: what it is about.
        weight: the candidate's share, in percent.
        mirror: percent of the requests that are copied to it.
        routed: whether it gets the requests that the headers pick.
        stage: number of the stage, from 1; 0 before the first.
        stages: how many there are.
        passes: looks passed in the stage.
        checks: looks to be passed in it.
        failures: failed looks.
        threshold: how many end it.
        paused: whether somebody paused it.
        waits: why it does not go on; "".
        harmed: requests that failed at the candidate.
        moving: whether something is going on.
        next_at: when it is looked at again, in seconds since 1970.
        since: when the phase began, likewise.
        requests: of the candidate, in the newest interval.
        failed: of these.
        stable_requests: of the stable version, in the newest interval.
        stable_failed: of these.
    """

    kind: str
    namespace: str
    name: str
    target: str
    stable: str
    candidate: str
    phase: str
    revision: str
    weight: int
    mirror: int
    routed: bool
    stage: int
    stages: int
    passes: int
    checks: int
    failures: int
    threshold: int
    paused: bool
    waits: str
    harmed: int
    moving: bool
    next_at: float
    since: float = 0.0
    requests: int = 0
    failed: int = 0
    stable_requests: int = 0
    stable_failed: int = 0

    @property
    def path(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, config=TRAVELS)
class _Views:
    items: list[RolloutView]


_FORM = Form(_Views)


def views_json(views: list[RolloutView]) -> dict[str, Any]:
    """Plain values of several, as `{"items": […]}`."""
    return _FORM.json(_Views(views))


def parse_views(text: str | bytes) -> list[RolloutView]:
    """The views in a JSON text; unknown fields of newer instances are skipped.

    Raises:
        ValueError: it is something else.
    """
    return _FORM.parse(text).items


def view(rollout: Key, plan: "Plan", hold: "Hold", state: State) -> RolloutView:
    """How a rollout is doing."""
    analysed = state.phase in ANALYSED and state.stage >= 0
    newest = state.intervals[-1] if state.intervals else None
    return RolloutView(
        kind=rollout.kind,
        namespace=rollout.namespace,
        name=rollout.name,
        target=f"{hold.key}{f' route {hold.route}' if hold.route else ''}",
        stable=hold.stable.path,
        candidate=hold.candidate.path,
        phase=str(state.phase),
        revision=state.revision,
        weight=state.weight,
        mirror=state.mirror,
        routed=state.routed,
        stage=state.stage + 1,
        stages=len(plan.stages),
        passes=state.passes if analysed else 0,
        checks=plan.stages[state.stage].checks if analysed else 0,
        failures=state.failures,
        threshold=plan.threshold,
        paused=state.paused or plan.suspend,
        waits="suspended" if plan.suspend else state.waits,
        harmed=state.harmed,
        moving=state.is_moving,
        next_at=max(state.looked_at, state.stage_at) + plan.interval_s,
        since=state.phase_at,
        requests=newest.requests if newest else 0,
        failed=newest.failed if newest else 0,
        stable_requests=newest.stable if newest else 0,
        stable_failed=newest.stable_failed if newest else 0,
    )
