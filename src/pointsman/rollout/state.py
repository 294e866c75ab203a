"""How far a rollout is, as a value that can be kept, and what happens to it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Literal, Self

from pointsman.rollout.plan import Hook
from pointsman.rollout.verdict import Interval

Level = Literal["info", "warn", "error"]


class Phase(StrEnum):
    """Where a rollout is; the names are Flagger's."""

    INITIALIZING = "Initializing"
    INITIALIZED = "Initialized"
    WAITING = "Waiting"
    PROGRESSING = "Progressing"
    WAITING_PROMOTION = "WaitingPromotion"
    PROMOTING = "Promoting"
    FINALISING = "Finalising"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


ANALYSED = (Phase.PROGRESSING, Phase.WAITING_PROMOTION)
"""Phases in which the candidate is looked at."""
MOVING = (*ANALYSED, Phase.PROMOTING, Phase.FINALISING)
"""Phases in which something is going on."""


@dataclass(frozen=True, slots=True)
class State:
    """How far a rollout is.

    Attributes:
        phase: where it is.
        revision: what it is about.
        stage: index of the plan's stage; -1 before the first.
        passes: looks passed in the stage.
        weight: the candidate's share, in percent.
        mirror: percent of the requests that are copied to the candidate.
        routed: whether the candidate gets the requests that the headers pick.
        failures: failed looks.
        paused: whether somebody paused it.
        released: whether somebody ended the pause of the stage.
        carried: whether the primary has the new version, by somebody's word.
        approved: hooks that somebody approved.
        asked: the hook that somebody has to approve.
        waits: why it does not go on; "" while it does.
        phase_at: when the phase began, in seconds since 1970, as all moments here.
        stage_at: when proxies had the stage's split.
        looked_at: when it was looked at last.
        settled: whether the proxies have the split of a rollout that has ended.
        harmed: requests that failed at the candidate.
        versions: names of the stable version and the candidate; none where nobody has looked yet.
        intervals: what was counted so far.
    """

    phase: Phase = Phase.INITIALIZING
    revision: str = ""
    stage: int = -1
    passes: int = 0
    weight: int = 0
    mirror: int = 0
    routed: bool = False
    failures: int = 0
    paused: bool = False
    released: bool = False
    carried: bool = False
    approved: tuple[Hook, ...] = ()
    asked: Hook | None = None
    waits: str = ""
    phase_at: float = 0.0
    stage_at: float = 0.0
    looked_at: float = 0.0
    settled: bool = True
    harmed: int = 0
    versions: tuple[str, ...] = ()
    intervals: tuple[Interval, ...] = ()

    @property
    def is_moving(self) -> bool:
        """Whether something is going on, or proxies may still have another split."""
        return self.phase in MOVING or not self.settled

    @property
    def split(self) -> str:
        """What proxies are to have, as control planes tell each other."""
        return f"{self.weight} {self.mirror} {self.routed} {self.revision}"

    def known_at(self, now: float) -> Self:
        """The same, without moments that have not come yet by the clock of who goes on with it."""
        return replace(
            self,
            phase_at=min(self.phase_at, now),
            stage_at=min(self.stage_at, now),
            looked_at=min(self.looked_at, now),
        )

    def json(self) -> dict[str, Any]:
        """Plain values, from which `read` makes the same state."""
        return asdict(self)

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Self:
        """The state of plain values; fields of later versions are left out.

        Raises:
            ValueError: a value is none of ours.
        """
        known = {item.name for item in fields(cls)}
        values = {name: value for name, value in found.items() if name in known}
        values["phase"] = Phase(values["phase"])
        values["approved"] = tuple(map(Hook, values["approved"]))
        values["asked"] = Hook(values["asked"]) if values["asked"] else None
        values["versions"] = tuple(values.get("versions", ()))
        values["intervals"] = tuple(Interval(**item) for item in values["intervals"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        at: when, in seconds since 1970.
        level: how much it matters.
        phase: the phase it led to.
        weight: the candidate's share from then on.
        text: what happened, in words.
        detail: the verdict it comes from, and the counts the verdict comes from.
        tells: the hook that is told of it besides `event`.
    """

    at: float
    level: Level
    phase: Phase
    weight: int
    text: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    tells: Hook | None = None
