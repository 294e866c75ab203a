"""Whether the proxies of all control planes that share a database have the split of a rollout.

Each control plane knows what its own proxies have acknowledged. Those that follow say so in the
database; the one that carries rollouts out waits for all that have said anything lately.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

from pointsman.resources.key import Key
from pointsman.rollout.store import RolloutStore

AGAIN_S: Final = 3.0
"""Seconds after which a control plane says once more what it has said."""
LONGEST_S: Final = 10.0
"""Seconds for which others are waited for, before the next look."""
_PAUSE_S: Final = 0.3

Splits = Mapping[Key, str | None]
"""What all own proxies have, by rollout; None where some have not."""


class Acknowledgements:
    """Says what own proxies have, or hears what those of others have.

    Args:
        store: where it is said.
        me: the name of this control plane.
    """

    def __init__(self, store: Callable[[], RolloutStore], me: str) -> None:
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

    async def elsewhere(self, rollout: Key, split: str) -> bool:
        """Whether the proxies of all others have a split; waits for it, but not for long.

        Raises:
            StateError: the database does not answer.
        """
        until = time.monotonic() + LONGEST_S
        while True:
            others = await self._store().acknowledged(self._me)
            if all(splits[rollout] == split for splits in others if rollout in splits):
                return True
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(_PAUSE_S)
