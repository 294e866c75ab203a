"""Where rollouts are kept: in memory, or in the database of the instance."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from pointsman.resources.key import Key
from pointsman.rollout.elsewhere import Reading
from pointsman.rollout.state import Event, State

KEPT_EVENTS: Final = 1000
"""Events of a rollout that are kept; older ones are dropped."""


class RolloutStore(Protocol):
    """Keeps states and events; all methods raise StateError when they cannot.

    Attributes:
        is_shared: whether control planes on other machines may have the same.
    """

    is_shared: bool

    async def lead(self, me: str, seconds: float) -> str:
        """Who carries rollouts out: `me` from now on for so long, if nobody else does."""

    async def leave(self, me: str) -> None:
        """Ends the lease of `me`, if it has it."""

    async def tell(self, readings: Sequence[Reading]) -> None:
        """Tells whoever carries rollouts out what proxies did."""

    async def hear(self) -> Sequence[Reading]:
        """What others have told since the last time; nobody else will hear it."""

    async def acknowledge(self, me: str, splits: Mapping[Key, str | None]) -> None:
        """Says which splits all proxies of a control plane have; None of those they have not."""

    async def acknowledged(self, me: str) -> Sequence[Mapping[Key, str | None]]:
        """What control planes other than `me` have said lately."""

    async def load(self) -> Mapping[Key, State]:
        """All states."""

    async def save(self, rollout: Key, state: State, events: Sequence[Event]) -> None:
        """Keeps a state and what has happened, both or neither."""

    async def forget(self, rollout: Key) -> None:
        """Drops the state of a rollout that is gone; its events stay."""

    async def events(self, rollout: Key, limit: int) -> Sequence[Mapping[str, Any]]:
        """The newest events of a rollout, the newest first, as plain values."""


class MemoryStore:
    """Keeps them as long as the process lives."""

    is_shared = False

    def __init__(self) -> None:
        self._states: dict[Key, State] = {}
        self._events: dict[Key, list[Event]] = {}

    async def lead(self, me: str, _seconds: float) -> str:
        """Nobody else can."""
        return me

    async def leave(self, _me: str) -> None:
        """Nobody else could."""

    async def tell(self, readings: Sequence[Reading]) -> None:
        """There is nobody else."""

    async def hear(self) -> Sequence[Reading]:
        """There is nobody else."""
        return ()

    async def acknowledge(self, _me: str, _splits: Mapping[Key, str | None]) -> None:
        """There is nobody else."""

    async def acknowledged(self, _me: str) -> Sequence[Mapping[Key, str | None]]:
        """There is nobody else."""
        return ()

    async def load(self) -> Mapping[Key, State]:
        """All states."""
        return dict(self._states)

    async def save(self, rollout: Key, state: State, events: Sequence[Event]) -> None:
        """Keeps a state and what has happened."""
        self._states[rollout] = state
        kept = self._events.setdefault(rollout, [])
        kept += events
        del kept[:-KEPT_EVENTS]

    async def forget(self, rollout: Key) -> None:
        """Drops the state of a rollout that is gone."""
        self._states.pop(rollout, None)

    async def events(self, rollout: Key, limit: int) -> Sequence[Mapping[str, Any]]:
        """The newest events of a rollout, the newest first."""
        newest = reversed(self._events.get(rollout, [])[-limit:])
        return [event_json(event) for event in newest]


def event_json(event: Event) -> dict[str, Any]:
    """An event as plain values."""
    return {
        "at": event.at,
        "level": event.level,
        "phase": str(event.phase),
        "weight": event.weight,
        "text": event.text,
        "detail": dict(event.detail),
    }
