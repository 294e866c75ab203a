"""What a look at a rollout goes by, and what it leads to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pointsman.rollout.plan import Hook
from pointsman.rollout.state import Event, State
from pointsman.rollout.verdict import Interval


class Ready(StrEnum):
    """Whether a version can serve."""

    YES = "yes"
    NOT_YET = "not yet"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Counted:
    """What was measured since the last look.

    Attributes:
        interval: the counts; its stage is filled in here.
        values: what queries gave by their names.
    """

    interval: Interval
    values: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a look goes by.

    Attributes:
        revision: what is to be rolled out.
        acknowledged: whether all proxies have the split of the state.
        candidate: whether it can serve.
        stable: whether it can serve; of a Canary that promotes, whether it has the new version.
        answers: of hooks, as far as they were asked.
        counted: what was measured, if that was asked.
    """

    revision: str
    acknowledged: bool = True
    candidate: Ready = Ready.YES
    stable: Ready = Ready.YES
    answers: Mapping[Hook, bool] = field(default_factory=dict)
    counted: Counted | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a look or a command leads to: the state from now on, and what happened."""

    state: State
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What has to be known first: the answer of a hook, or, where it is None, counts."""

    hook: Hook | None
