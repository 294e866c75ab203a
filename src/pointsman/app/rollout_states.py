"""How far rollouts are, as it was decided, and written as soon as the database takes it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from pointsman.errors import StateError
from pointsman.resources.key import Key
from pointsman.rollout.state import Event, State
from pointsman.rollout.store import RolloutStore


class RolloutStates:
    """States by rollout.

    Args:
        store: where they are kept.

    Attributes:
        known: all of them; None while nobody knows how far they are.
        failure: why the database does not answer; "" while it does.
    """

    def __init__(self, store: Callable[[], RolloutStore]) -> None:
        self._store = store
        self._unsaved: dict[Key, tuple[Event, ...]] = {}
        self._writing = asyncio.Lock()
        self.known: dict[Key, State] | None = None
        self.failure = ""

    def of(self, rollout: Key) -> State:
        """How far one is; it has not begun where nothing is known."""
        return (self.known or {}).get(rollout, State())

    async def loaded(self) -> bool:
        """Whether it is known how far they are; reads it where it is not."""
        if self.known is None:
            try:
                found = await self._store().load()
            except StateError as error:
                self.failure = str(error)
            else:
                if self.known is None:
                    self.take(found)
        return self.known is not None

    def take(self, states: Mapping[Key, State]) -> None:
        """Goes by what is in the database: whoever has written it knows better."""
        self.known, self.failure = dict(states), ""
        self._unsaved.clear()

    async def keep(self, rollout: Key, state: State, events: Sequence[Event] = ()) -> None:
        """What was decided; it counts from now on, and is written, at once or by `catch_up`."""
        assert self.known is not None
        self.known[rollout] = state
        self._unsaved[rollout] = (*self._unsaved.get(rollout, ()), *events)
        await self._write(rollout)

    async def catch_up(self) -> None:
        """Writes what could not be written."""
        for rollout in tuple(self._unsaved):
            await self._write(rollout)

    async def _write(self, rollout: Key) -> None:
        """Writes the newest state with all that has happened; one after the other."""
        async with self._writing:
            events = self._unsaved.pop(rollout, None)
            state = (self.known or {}).get(rollout)
            if events is None or state is None:
                return
            try:
                await self._store().save(rollout, state, events)
            except BaseException as error:
                self._unsaved[rollout] = (*events, *self._unsaved.get(rollout, ()))
                if not isinstance(error, StateError):
                    raise
                self.failure = str(error)
            else:
                self.failure = ""

    async def forget(self, rollout: Key, *, written: bool) -> None:
        """A rollout is gone.

        Args:
            rollout: the rollout.
            written: whether what is written of it goes, too.
        """
        (self.known or {}).pop(rollout, None)
        async with self._writing:
            self._unsaved.pop(rollout, None)
            if written:
                try:
                    await self._store().forget(rollout)
                except StateError as error:
                    self.failure = str(error)
