"""Whether the proxies of all control planes that share a database have the split of a rollout.

Each control plane knows what its own proxies have acknowledged. Those that follow say so in the
database; the one that carries rollouts out waits for all that have said anything lately.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

import structlog

from pointsman.graph.rollout_target import Hold
from pointsman.resources.key import Key
from pointsman.rollout.split import Split
from pointsman.rollout.store import RolloutStore

AGAIN_S: Final = 3.0
"""Seconds after which a control plane says once more what it has said."""
LONGEST_S: Final = 5.0
"""Seconds for which others are waited for, right after a change."""
_PAUSE_S: Final = 0.3

log = structlog.get_logger(__name__)

Splits = Mapping[Key, str | None]
"""What all own proxies have, by rollout; None where some have not."""


class OwnProxies:
    """Remembers which splits all own proxies have acknowledged.

    What all have had once they go on having, until there is another split: who connects later gets
    the newest configuration.

    Args:
        has_all: waits until every proxy has answered, but not for ever, and tells whether all have
            what was published.
    """

    def __init__(self, has_all: Callable[[Hold], Awaitable[bool]]) -> None:
        self._has_all = has_all
        self._have: dict[Key, tuple[Hold, Split]] = {}
        self._asking: dict[Key, tuple[tuple[Hold, Split], asyncio.Task[None]]] = {}

    def have(self, rollout: Key, hold: Hold, split: Split) -> bool:
        """Whether they all have a split that is published; else it is found out meanwhile."""
        wanted = (hold, split)
        if self._have.get(rollout) == wanted:
            return True
        what, task = self._asking.get(rollout, (None, None))
        if task is None or task.done() or what != wanted:
            if task is not None:
                task.cancel()
            self._asking[rollout] = wanted, asyncio.create_task(self._ask(rollout, wanted))
        return False

    def forget(self, rollouts: Collection[Key]) -> None:
        """Proxies are given another split of these: what they had has to be asked anew."""
        for rollout in rollouts:
            self._have.pop(rollout, None)
            _, task = self._asking.pop(rollout, (None, None))
            if task is not None:
                task.cancel()

    async def _ask(self, rollout: Key, wanted: tuple[Hold, Split]) -> None:
        try:
            if await self._has_all(wanted[0]):
                self._have[rollout] = wanted
        except Exception:
            # It is asked again, and until then nobody says that they have it.
            log.exception("proxies cannot be asked", rollout=str(rollout))

    async def close(self) -> None:
        """Asks no longer."""
        tasks = [task for _, task in self._asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Acknowledgements:
    """Says what own proxies have, or hears what those of others have.

    Args:
        store: where it is said.
        me: the name of this control plane.

    Attributes:
        others: whether there are any, as far as is known.
    """

    def __init__(self, store: Callable[[], RolloutStore], me: str) -> None:
        self.others = False
        self._store = store
        self._me = me
        self._said: Splits = {}
        self._said_at = 0.0

    async def say(self, splits: Splits) -> None:
        """What own proxies have, for others to know.

        Raises:
            StateError: the database does not answer.
        """
        now = time.monotonic()
        if splits == self._said and now - self._said_at < AGAIN_S:
            return
        await self._store().acknowledge(self._me, splits)
        self._said, self._said_at = splits, now

    async def leave(self) -> None:
        """Nobody needs to wait for own proxies any more.

        Raises:
            StateError: the database does not answer.
        """
        if self._said:
            await self._store().acknowledge(self._me, {})

    async def elsewhere(self, rollout: Key, split: str, *, patient: bool) -> bool:
        """Whether the proxies of all others have a split.

        Args:
            rollout: the rollout.
            split: the split.
            patient: whether they are waited for, but not for long.

        Raises:
            StateError: the database does not answer.
        """
        until = time.monotonic() + LONGEST_S
        while True:
            found = await self._store().acknowledged(self._me)
            self.others = bool(found)
            if all(splits[rollout] == split for splits in found if rollout in splits):
                return True
            if not patient or time.monotonic() >= until:
                return False
            await asyncio.sleep(_PAUSE_S)
