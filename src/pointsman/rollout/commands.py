"""What people tell a rollout to do; pure, like a look."""

from enum import StrEnum

from pointsman.errors import UsageError
from pointsman.rollout.inputs import Inputs, Step
from pointsman.rollout.machine import Look
from pointsman.rollout.plan import Manner, Plan
from pointsman.rollout.state import ANALYSED, Phase, State


class Command(StrEnum):
    """A command of `pointsman rollout`."""

    PAUSE = "pause"
    RESUME = "resume"
    PROMOTE = "promote"
    ABORT = "abort"
    SET_WEIGHT = "set-weight"


def obey(
    plan: Plan, state: State, command: Command, revision: str, now: float, weight: int = 0
) -> Step:
    """What a command leads to.

    Args:
        plan: what is to be done.
        state: how far it is.
        command: what is told.
        revision: what is to be rolled out.
        now: seconds since 1970.
        weight: the candidate's share, for `SET_WEIGHT`.

    Raises:
        UsageError: it makes no sense in this phase.
    """
    look = Look(plan, state, Inputs(revision), now)
    forward = command in (Command.PROMOTE, Command.SET_WEIGHT)
    if forward and state.phase in ANALYSED and state.revision != revision:
        raise UsageError(
            "a newer revision has not begun yet",
            hint="it begins at the next look that is not held up",
        )
    if command is Command.PAUSE:
        _pause(look)
    elif command is Command.RESUME:
        _resume(look)
    elif command is Command.PROMOTE:
        _promote(look)
    elif command is Command.ABORT:
        _abort(look, revision)
    else:
        _set_weight(look, weight)
    return look.done()


def _refuse(look: Look, what: str) -> UsageError:
    return UsageError(f"the rollout is {look.state.phase}: {what}")


def _pause(look: Look) -> None:
    if look.state.paused:
        raise _refuse(look, "it is paused already")
    look.set(paused=True, waits="paused")
    look.say("warn", "paused")


def _resume(look: Look) -> None:
    state = look.state
    if state.paused:
        look.set(paused=False, waits="")
    elif state.asked is not None:
        look.set(approved=(*state.approved, state.asked), asked=None, waits="")
    elif state.phase in ANALYSED and state.stage >= 0 and look.plan.stages[state.stage].pause:
        look.set(released=True, waits="")
    else:
        raise _refuse(look, "it waits for nobody")
    look.say("info", "resumed")


def _promote(look: Look) -> None:
    state = look.state
    if state.phase is Phase.PROMOTING and look.plan.manner is Manner.FLAGGER:
        look.set(carried=True, paused=False, waits="")
        look.say("info", "the primary is said to have the new version")
    elif state.phase in ANALYSED:
        look.set(paused=False, waits="", asked=None)
        look.promote("promoted by hand")
    else:
        raise _refuse(look, "there is nothing to promote")


def _abort(look: Look, revision: str) -> None:
    phase, manner = look.state.phase, look.plan.manner
    done = phase is Phase.SUCCEEDED and manner is Manner.POINTSMAN
    if phase not in (*ANALYSED, Phase.WAITING, Phase.PROMOTING) and not done:
        raise _refuse(look, "there is nothing to abort")
    look.set(paused=False, waits="", asked=None, revision=revision)
    look.roll_back("aborted by hand")


def _set_weight(look: Look, weight: int) -> None:
    if look.state.phase not in ANALYSED:
        raise _refuse(look, "its weight cannot be set")
    if not 0 <= weight <= 100:
        raise UsageError(f"a weight is from 0 to 100, not {weight}")
    reached = [i for i, stage in enumerate(look.plan.stages) if stage.weight <= weight]
    look.split(weight=weight)
    look.set(stage=max(reached, default=-1), passes=0, paused=True, waits="paused", asked=None)
    look.say("warn", f"the candidate gets {weight} % by hand; paused")
