"""A rollout that holds a route: what it is to do, and whom it is about."""

from dataclasses import dataclass, replace
from typing import Final

from pointsman.graph.rollout_target import Hold
from pointsman.resources.key import Key
from pointsman.resources.resource_set import ResourceSet
from pointsman.rollout.measures import Subject
from pointsman.rollout.plan import Plan
from pointsman.rollout.read_rollout import read_plan, revision_of
from pointsman.rollout.split import Split
from pointsman.rollout.state import Phase, State

_SETTLE_S: Final = 1.0
"""Seconds between two looks at whether proxies have a rollback."""


@dataclass(frozen=True, slots=True)
class Running:
    """See above.

    Attributes:
        plan: what is to be done.
        hold: the route, and its two versions.
        revision: tells this candidate from others of the same rollout.
    """

    plan: Plan
    hold: Hold
    revision: str

    @property
    def subjects(self) -> tuple[Subject, Subject]:
        """Whom verdicts are about: the candidate, and the stable version."""
        candidate, stable = (
            Subject(version, self.hold.key, self.hold.route)
            for version in (self.hold.candidate, self.hold.stable)
        )
        return candidate, stable

    @property
    def versions(self) -> tuple[str, str]:
        """Names of the stable version and the candidate."""
        return str(self.hold.stable), str(self.hold.candidate)

    def is_about(self, state: State) -> bool:
        """Whether a state is about these two versions; else manifests changed since, or before."""
        return state.versions in ((), self.versions)

    def _is_done(self, state: State) -> bool:
        """Whether the candidate is what a state about other versions has as the stable one.

        Manifests are older than the state, or the next release was taken back.
        """
        changed_places = self.versions == state.versions[::-1]
        return self.versions[1] == state.versions[0] and not changed_places

    def split(self, state: State) -> Split:
        """What is in force in a state.

        Where that is about other versions, a candidate gets nothing until somebody has looked. But
        where both have changed places, each keeps what it has; and where it is the stable version
        of the state, these manifests are older, and it has it all.
        """
        if not self.is_about(state):
            weight = 100 if self._is_done(state) else 0
            if self.versions == state.versions[::-1]:
                weight = 100 - state.weight
            return Split(weight, 0, (), self.plan.cohort)
        headers = self.plan.headers if state.routed else ()
        return Split(state.weight, state.mirror, headers, self.plan.cohort)

    def taken_up(self, state: State) -> State:
        """A state as it is for this plan and these two versions, from where a look goes on.

        A strategy that was changed meanwhile may have fewer stages; and whatever was decided about
        another pair of versions is nothing that could go on.
        """
        stage = min(state.stage, len(self.plan.stages) - 1)
        if self.is_about(state):
            return replace(state, stage=stage, versions=self.versions)
        if self._is_done(state):
            return State(
                phase=Phase.SUCCEEDED,
                phase_at=state.phase_at,
                revision=self.revision,
                weight=100,
                looked_at=state.looked_at,
                stage_at=state.stage_at,
                paused=state.paused,
                waits=state.waits,
                versions=self.versions,
            )
        ended = state.phase in (Phase.PROMOTING, Phase.FINALISING)
        return replace(
            state,
            phase=Phase.INITIALIZED if ended else state.phase,
            revision="",
            stage=stage,
            weight=self.split(state).weight,
            mirror=0,
            routed=False,
            versions=self.versions,
        )

    def is_due(self, state: State, now: float, late_s: float) -> bool:
        """Whether it is time for a look; after a rollback, once all that failed is counted.

        Args:
            state: how far it is.
            now: in seconds since 1970.
            late_s: seconds after which a request is counted at the latest.
        """
        if state.phase is Phase.FAILED and not state.settled:
            return now - state.looked_at >= _SETTLE_S and now - state.stage_at >= late_s
        return now - max(state.looked_at, state.stage_at) >= self.plan.interval_s or (
            state.looked_at == 0
        )


def running(resources: ResourceSet, key: Key, hold: Hold) -> Running:
    """The rollout with a key, which holds a route of these resources."""
    rollout, candidate = resources.get(key), resources.get(hold.candidate)
    assert rollout is not None
    assert candidate is not None
    return Running(read_plan(rollout), hold, revision_of(rollout, candidate))
