"""Drives the machine with virtual time, as a controller would."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from pointsman.rollout.commands import Command, obey
from pointsman.rollout.inputs import Counted, Inputs, Question, Ready
from pointsman.rollout.machine import step
from pointsman.rollout.plan import Criteria, Hook, Manner, Plan, Stage, Webhook
from pointsman.rollout.read_canary import canary_weights
from pointsman.rollout.state import Event, Phase, State
from pointsman.rollout.verdict import Interval

GOOD = Interval(requests=1000, failed=0, stable=1000, stable_failed=0)
BAD = Interval(requests=1000, failed=500, stable=1000, stable_failed=0)
NOTHING = Interval(known=False)

SUCCESS = Criteria(success=0.99, plain=True)
"""What a Canary with a success rate of 99 % goes by."""


def canary(
    step: int = 0,
    most: int = 100,
    steps: tuple[int, ...] = (),
    *,
    hooks: tuple[Hook, ...] = (),
    threshold: int = 3,
    promotion: int = 0,
    mirror: int = 0,
    skip: bool = False,
) -> Plan:
    """A plan in Flagger's manner."""
    weights = canary_weights(step, most, steps)
    stages = tuple(Stage(weight, gate=Hook.CONFIRM_TRAFFIC) for weight in weights)
    if mirror:
        first = Stage(0, mirror=mirror, gate=Hook.CONFIRM_TRAFFIC)
        stages = (first, Stage(weights[0]), *stages[1:])
    return Plan(
        Manner.FLAGGER,
        stages,
        interval_s=10,
        threshold=threshold,
        criteria=SUCCESS,
        promotion_step=promotion,
        webhooks=webhooks(*hooks),
        skip=skip,
    )


def webhooks(*hooks: Hook) -> tuple[Webhook, ...]:
    return tuple(Webhook(hook, f"a {hook}", "http://hooks.example/") for hook in hooks)


@dataclass
class Drive:
    """A rollout on its way.

    Attributes:
        plan: what is to be done.
        revision: of the candidate.
        answers: of hooks.
        interval: what is measured at each look.
        acknowledged: whether proxies follow.
        candidate: whether it is ready.
        stable: the same.
    """

    plan: Plan
    revision: str = "1"
    answers: dict[Hook, bool] = field(default_factory=dict)
    interval: Interval = GOOD
    acknowledged: bool = True
    candidate: Ready = Ready.YES
    stable: Ready = Ready.YES
    state: State = field(default_factory=State)
    now: float = 1000.0
    events: list[Event] = field(default_factory=list)
    asked: list[Hook | None] = field(default_factory=list)
    restart: Callable[[State], State] = field(default=lambda state: state)

    def tick(self) -> State:
        """One look, with all its questions."""
        self.now += self.plan.interval_s
        self.state = self.restart(self.state)
        answers: dict[Hook, bool] = {}
        inputs = Inputs(self.revision, self.acknowledged, self.candidate, self.stable)
        while True:
            result = step(self.plan, self.state, replace(inputs, answers=dict(answers)), self.now)
            if not isinstance(result, Question):
                break
            self.asked.append(result.hook)
            if result.hook is None:
                inputs = replace(inputs, counted=Counted(self.interval, self.values()))
            else:
                answers[result.hook] = self.answers.get(
                    result.hook, result.hook is not Hook.ROLLBACK
                )
        self.state = result.state
        self.events += result.events
        return self.state

    def values(self) -> Mapping[str, float | None]:
        return {}

    def ticks(self, number: int) -> list[int]:
        """The candidate's weight after each of so many looks."""
        return [self.tick().weight for _ in range(number)]

    def tell(self, command: Command, weight: int = 0) -> State:
        """A command."""
        result = obey(self.plan, self.state, command, self.revision, self.now, weight)
        self.state = result.state
        self.events += result.events
        return self.state

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events]


def begun(plan: Plan, **more: object) -> Drive:
    """A Canary with a new revision: Progressing, at weight 0."""
    drive = Drive(plan, **more)  # type: ignore[arg-type]
    answers, drive.answers = drive.answers, {}
    drive.tick()
    drive.revision = "2"
    drive.tick()
    drive.answers = answers
    assert drive.state.phase is Phase.PROGRESSING
    drive.events.clear()
    drive.asked.clear()
    return drive
