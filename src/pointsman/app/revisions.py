"""The history of a running instance's manifests: recorded, and gone back in."""

import time
from collections.abc import Awaitable, Callable

from pointsman.control.history import Changes, History, Texts


class Revisions:
    """Makes changes of files live, or keeps them waiting.

    Args:
        change: makes changes of sources live.

    Attributes:
        history: what was in force, and when.
    """

    def __init__(self, change: Callable[[Changes], Awaitable[None]]) -> None:
        self._change = change
        self.history = History()

    def begin(self, files: Texts) -> None:
        """Takes what files say at the start."""
        self.history.begin(files, time.time())

    async def edited(self, changes: Changes) -> None:
        """Files were edited."""
        await self._change(self.history.edited(changes, time.time()))

    async def go_back(self, number: int, by: str) -> None:
        """Makes an earlier revision count again; edits wait from now on.

        Raises:
            RefusedError: it is not known, or in force.
        """
        await self._change(self.history.go_back(number, time.time(), by))

    async def release(self, by: str) -> None:
        """Makes files count again.

        Raises:
            RefusedError: no revision is held.
        """
        await self._change(self.history.release(time.time(), by))
