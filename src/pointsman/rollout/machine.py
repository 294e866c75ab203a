"""When a rollout moves on, moves back, or waits: one look at a time, without clock and I/O.

    step(plan, state, inputs, now) -> Step | Question

A look may need an answer from outside: of a webhook, or counts. Then `step` gives a `Question`;
whoever asks it calls again with the answer among the inputs, and everything up to there comes out
the same. So a question is asked only where the table of phases asks it, and a look is made
either as a whole or not at all. Commands of people are in `commands`.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from pointsman.rollout.inputs import Inputs, Question, Ready, Step
from pointsman.rollout.plan import Hook, Manner, Plan, Stage
from pointsman.rollout.state import ANALYSED, Event, Level, Phase, State
from pointsman.rollout.verdict import Interval, Outcome, Verdict, judge

KEPT_INTERVALS = 500
"""Intervals that a rollout remembers; older ones are forgotten."""


class _Asked(Exception):  # noqa: N818 - it is no error
    def __init__(self, hook: Hook | None) -> None:
        super().__init__()
        self.hook = hook


def step(plan: Plan, state: State, inputs: Inputs, now: float) -> Step | Question:
    """One look.

    Args:
        plan: what is to be done.
        state: how far it is.
        inputs: what is known.
        now: seconds since 1970.
    """
    look = Look(plan, state, inputs, now)
    try:
        look.take()
    except _Asked as asked:
        return Question(asked.hook)
    return look.done()


class Look:
    """A look on its way: the state as it becomes, and what happens."""

    def __init__(self, plan: Plan, state: State, inputs: Inputs, now: float) -> None:
        self.plan = plan
        self.state = state
        self._inputs = inputs
        self._now = now
        self._before = state
        self._events: list[Event] = []

    def done(self) -> Step:
        """What the look leads to."""
        return Step(self.state, tuple(self._events))

    def take(self) -> None:
        """Looks."""
        if self.plan.suspend or self.state.paused:
            return
        self.set(looked_at=self._now, waits="", asked=None)
        if self._is_new() and self._begin():
            return
        if self.state.phase is Phase.WAITING and not self._is_new():
            self.enter(Phase.INITIALIZED, "info", "there is nothing to roll out any more")
        elif self.state.phase in ANALYSED:
            self._progress()
        elif self.state.phase is Phase.PROMOTING:
            self._promote()
        elif self.state.phase is Phase.FINALISING:
            self._finalise()
        elif not self.state.settled:
            self._settle()

    # What changes.

    def set(self, **changes: Any) -> None:
        """Changes fields of the state."""
        self.state = replace(self.state, **changes)

    def split(self, *, weight: int, mirror: int = 0, routed: bool = False) -> None:
        """Changes where requests go; the stage begins when proxies have it."""
        self.set(weight=weight, mirror=mirror, routed=routed, stage_at=self._now)

    def enter(self, phase: Phase, level: Level, text: str, **more: Any) -> None:
        """Begins a phase and says so."""
        self.set(phase=phase, phase_at=self._now)
        self.say(level, text, **more)

    def say(
        self,
        level: Level,
        text: str,
        verdict: Verdict | None = None,
        tells: Hook | None = None,
    ) -> None:
        """Adds an event."""
        detail: dict[str, Any] = {}
        if verdict is not None:
            # All counts where they decide something; else what is new among them.
            kept = self.state.intervals if verdict.outcome is Outcome.FAIL else ()
            counts = [asdict(interval) for interval in kept or self.state.intervals[-1:]]
            detail = {"verdict": verdict.json(), "intervals": counts}
        state = self.state
        self._events.append(Event(self._now, level, state.phase, state.weight, text, detail, tells))

    def hold(self, why: str, level: Level = "warn", verdict: Verdict | None = None) -> None:
        """Waits; said once for each reason."""
        self.set(waits=why)
        if self._before.waits != why:
            self.say(level, why, verdict)

    # What is asked.

    def _is_new(self) -> bool:
        return self._inputs.revision != self.state.revision

    def _answer(self, hook: Hook, *, default: bool) -> bool:
        """What a hook says: `default` where nobody has a say in it."""
        if hook in self.plan.approvals:
            if hook not in self.state.approved:
                self.set(asked=hook)
                return False
            default = True
        if not any(item.hook is hook for item in self.plan.webhooks):
            return default
        if hook not in self._inputs.answers:
            raise _Asked(hook)
        return self._inputs.answers[hook]

    def _gate(self, hook: Hook | None) -> bool:
        """Whether a gate is open; an approval counts for one time."""
        if hook is None:
            return True
        is_open = self._answer(hook, default=True)
        if is_open and hook in self.state.approved:
            self.set(approved=tuple(item for item in self.state.approved if item is not hook))
        return is_open

    def _count(self) -> tuple[Interval, Mapping[str, float | None]]:
        """What was measured since the last look, which is now remembered."""
        counted = self._inputs.counted
        if counted is None:
            raise _Asked(None)
        interval = replace(counted.interval, stage=self.state.stage)
        self.set(
            intervals=(*self.state.intervals, interval)[-KEPT_INTERVALS:],
            harmed=self.state.harmed + (0 if self._has_copies() else interval.failed),
        )
        return interval, counted.values

    def _has_copies(self) -> bool:
        """Whether the candidate gets copies, or is rolled back from where it got them."""
        if self.state.phase is not Phase.FAILED:
            return bool(self.state.mirror)
        last = self.state.intervals[-1].stage if self.state.intervals else -1
        return 0 <= last < len(self.plan.stages) and bool(self.plan.stages[last].mirror)

    # Phases.

    def _begin(self) -> bool:
        """Takes up a new revision; whether the look is over by that."""
        phase = self.state.phase
        if phase in (Phase.PROMOTING, Phase.FINALISING):
            return False
        if phase in ANALYSED:
            self._start("there is a newer revision: it begins anew")
            return True
        if phase is Phase.INITIALIZING and self.plan.manner is Manner.FLAGGER:
            self._first_sight()
            return True
        if not self._gate(Hook.CONFIRM_ROLLOUT):
            self._wait("a new revision waits for its approval")
            return True
        self._start("a new revision is rolled out")
        return True

    def _first_sight(self) -> None:
        """The version that is found first is the one that serves."""
        if self._inputs.stable is not Ready.YES:
            self.hold("the primary is not ready", "info")
            return
        self.split(weight=0)
        self.set(revision=self._inputs.revision)
        self.enter(Phase.INITIALIZED, "info", "the primary has all requests")

    def _wait(self, why: str) -> None:
        if self.state.phase is not Phase.WAITING:
            self.set(phase=Phase.WAITING, phase_at=self._now)
        quiet = any(item.quiet for item in self.plan.webhooks if item.hook is Hook.CONFIRM_ROLLOUT)
        self.hold(why, "info" if quiet else "warn")

    def _start(self, text: str) -> None:
        self.split(weight=0)
        self.set(
            revision=self._inputs.revision,
            stage=-1,
            passes=0,
            failures=0,
            released=False,
            approved=(),
            carried=False,
            settled=False,
            harmed=0,
            intervals=(),
        )
        self.enter(Phase.PROGRESSING, "info", text)

    def _progress(self) -> None:
        if self._answer(Hook.ROLLBACK, default=False):
            self.roll_back("a rollback webhook asks for it")
        elif not self._inputs.acknowledged:
            self.set(stage_at=self._now)
            self.hold("proxies do not have the weights yet", "info")
        elif self._inputs.candidate is not Ready.YES:
            self._unready()
        elif self.plan.skip:
            self.promote("the analysis is skipped")
        elif self.state.failures >= self.plan.threshold:
            self.roll_back(f"{self.state.failures} checks failed")
        elif self.state.stage < 0:
            self._prepare()
        else:
            self._analyse()

    def _unready(self) -> None:
        since = max(self.state.phase_at, self.state.stage_at)
        never = self._inputs.candidate is Ready.NEVER
        if never or self._now - since >= self.plan.deadline_s:
            self.roll_back("the candidate does not get ready")
        else:
            self.hold("the candidate is not ready")

    def _prepare(self) -> None:
        """Before the first request."""
        if not self._answer(Hook.PRE_ROLLOUT, default=True):
            self._failed("a pre-rollout webhook refuses")
            return
        if self.plan.manner is Manner.POINTSMAN:
            self._count()
        self._next()

    def _analyse(self) -> None:
        if not self._answer(Hook.ROLLOUT, default=True):
            self._failed("a rollout webhook refuses")
            return
        _, values = self._count()
        verdict = judge(self.plan.criteria, self.state.intervals, values)
        strict = self.plan.manner is Manner.FLAGGER
        if verdict.outcome is Outcome.FAIL or (strict and verdict.outcome is Outcome.INCONCLUSIVE):
            self._failed(verdict.text, verdict)
        elif verdict.outcome is Outcome.INCONCLUSIVE:
            self.hold(f"inconclusive: {_plain(verdict)}", "warn", verdict)
        else:
            self._passed(verdict)

    def _failed(self, why: str, verdict: Verdict | None = None) -> None:
        self.set(failures=self.state.failures + 1)
        now = self.state.failures >= self.plan.threshold
        if now and self.plan.manner is Manner.POINTSMAN:
            self.roll_back(why, verdict)
        else:
            text = f"check {self.state.failures} of {self.plan.threshold} failed: {why}"
            self.say("warn", text, verdict)

    def _passed(self, verdict: Verdict) -> None:
        stage = self.plan.stages[self.state.stage]
        self.set(passes=self.state.passes + 1)
        lasted = self._now - self.state.stage_at
        if self.state.passes < stage.checks or lasted < stage.hold_s:
            self.say("info", f"check {self.state.passes} of {stage.checks} passed", verdict)
        elif stage.pause and not self.state.released:
            self.set(passes=stage.checks - 1)
            self.hold("the step waits for `rollout resume`", "info", verdict)
        else:
            self._next(verdict)

    def _next(self, verdict: Verdict | None = None) -> None:
        """The next stage, or, after the last one, the promotion."""
        following = self.state.stage + 1
        if following == len(self.plan.stages):
            if self._gate_of(self.plan.gate):
                self.promote("all checks passed", verdict)
            return
        stage = self.plan.stages[following]
        if self._gate_of(stage.gate):
            self._enter_stage(following, stage, verdict)

    def _gate_of(self, hook: Hook | None) -> bool:
        """Asks before a stage or the promotion; while it is closed, the analysis goes on."""
        if self._gate(hook):
            return True
        if self.state.stage >= 0:
            self.set(passes=self.plan.stages[self.state.stage].checks - 1)
        if hook is Hook.CONFIRM_PROMOTION:
            if self.state.phase is not Phase.WAITING_PROMOTION:
                self.set(phase=Phase.WAITING_PROMOTION, phase_at=self._now)
            self.hold("the promotion waits for its approval")
        else:
            self.hold("the next step waits for its approval", "info")
        return False

    def _enter_stage(self, index: int, stage: Stage, verdict: Verdict | None) -> None:
        self.split(weight=stage.weight, mirror=stage.mirror, routed=stage.routed)
        self.set(stage=index, passes=0, released=False)
        what = f"the candidate gets {stage.weight} %"
        if stage.mirror:
            what = f"the candidate gets copies of {stage.mirror} %"
        elif stage.routed:
            what = "the candidate gets the requests that the headers pick"
        if self.state.phase is Phase.WAITING_PROMOTION:
            self.set(phase=Phase.PROGRESSING, phase_at=self._now)
        self.say("info", what, verdict)

    def promote(self, text: str, verdict: Verdict | None = None) -> None:
        """All of it has passed."""
        if self.plan.manner is Manner.POINTSMAN:
            self.split(weight=100)
            text = f"{text}: the candidate gets all requests"
        else:
            text = f"{text}: the primary is to get the new version"
        self.enter(Phase.PROMOTING, "info", text, verdict=verdict)

    def roll_back(self, why: str, verdict: Verdict | None = None) -> None:
        """All requests go to the stable version."""
        self.split(weight=0)
        self.set(settled=False, stage=-1, passes=0)
        text = f"rolled back: {why}"
        self.enter(Phase.FAILED, "error", text, verdict=verdict, tells=Hook.POST_ROLLOUT)

    def _promote(self) -> None:
        if self.plan.manner is Manner.POINTSMAN:
            if not self._inputs.acknowledged:
                self.hold("proxies do not have the weights yet", "info")
                return
            self._succeed()
        elif self._is_primary_good():
            self._shift()

    def _is_primary_good(self) -> bool:
        """Whether a primary that was promoted can take requests; one that never will gets none."""
        if self._inputs.stable is Ready.NEVER:
            self.split(weight=100)
            self.set(settled=False)
            text = "the primary cannot serve; the candidate keeps all requests"
            self.enter(Phase.FAILED, "error", text, tells=Hook.POST_ROLLOUT)
            return False
        if self._inputs.stable is Ready.NOT_YET:
            self.hold("the primary does not have the new version yet", "info")
            return False
        if not self._inputs.acknowledged:
            self.hold("proxies do not have the weights yet", "info")
            return False
        return True

    def _shift(self) -> None:
        """Requests go back to the primary, which has the new version."""
        left = self.state.weight - (self.plan.promotion_step or 100)
        self.split(weight=max(0, left))
        if left > 0:
            self.say("info", f"the primary gets {100 - left} %")
        else:
            self.enter(Phase.FINALISING, "info", "the primary gets all requests")

    def _finalise(self) -> None:
        if self._is_primary_good():
            self._succeed()

    def _succeed(self) -> None:
        self.set(settled=True)
        self.enter(Phase.SUCCEEDED, "info", "the rollout is done", tells=Hook.POST_ROLLOUT)

    def _settle(self) -> None:
        """Tells when a rollback is in force, and how many requests failed until then."""
        before = self.state.intervals
        self._count()
        if not self._inputs.acknowledged:
            # It may take long, and what the verdict was about is to be kept.
            self.set(intervals=before)
            self.hold("proxies do not have the weights yet", "warn")
            return
        self.set(settled=True)
        text = (
            f"all proxies have the rollback; {self.state.harmed} requests failed at the candidate"
        )
        self.say("info", text)


def _plain(verdict: Verdict) -> str:
    """Why it is inconclusive, without numbers that change at each look."""
    names = [check.name for check in verdict.checks if check.outcome is Outcome.INCONCLUSIVE]
    return f"{', '.join(names)} {'says' if len(names) == 1 else 'say'} too little"
