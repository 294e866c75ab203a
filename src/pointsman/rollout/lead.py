"""Which of several control planes with one database carries rollouts out.

One of them has a lease, and renews it; the others have the weights it decides on, and take over
when it ends. The lease is counted by the database's own clock, so it does not matter whether those
of the machines agree.
"""

import asyncio
import contextlib
import math
import os
import time
from collections.abc import Callable
from typing import Final
from uuid import uuid4

from pointsman.errors import StateError
from pointsman.rollout.store import RolloutStore

LEASE_S: Final = 15.0
"""Seconds after which somebody else may take over."""
RENEW_S: Final = 5.0
"""Seconds between two renewals."""
ASK_S: Final = 1.0
"""Seconds between two questions of those that wait."""


class Lead:
    """Knows whether it is this control plane.

    Args:
        store: where the lease is.
        me: the name of this control plane; by default, its machine and process.
        clock: seconds that pass.

    Attributes:
        me: the name of this control plane.
        holder: who has the lease, as far as is known; "" while nobody was asked.
        mine: whether it is this one, as far as is known.
        term: how often it became this one. Before another term, somebody else may have decided.
    """

    def __init__(
        self,
        store: Callable[[], RolloutStore],
        me: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self.me = me or f"{os.uname().nodename}:{os.getpid()}:{uuid4().hex[:6]}"
        self._clock = clock
        self._ask_at = -math.inf
        self._asking = asyncio.Lock()
        self._until = 0.0
        self.holder = ""
        self.mine = False
        self.term = 0

    @property
    def other(self) -> str:
        """Who else has the lease, as far as is known; "" for nobody."""
        return "" if self.holder == self.me else self.holder

    async def ask(self) -> bool:
        """Whether it is this one; the lease is renewed in time.

        While the database does not answer, the lease counts until it ends. It has no end where
        nobody else can have it.

        Raises:
            StateError: the database does not answer, and this one has no lease.
        """
        # Who asks while another one does waits for its answer.
        async with self._asking:
            return await self._ask()

    async def _ask(self) -> bool:
        now = self._clock()
        if now < self._ask_at:
            return self.mine
        store, self._ask_at = self._store(), now + ASK_S
        try:
            self.holder = await store.lead(self.me, LEASE_S)
        except StateError:
            self.mine = self.mine and (not store.is_shared or self._clock() < self._until)
            if not self.mine:
                raise
            return True
        lapsed = store.is_shared and self._clock() >= self._until
        if self.holder == self.me and (lapsed or not self.mine):
            self.term += 1
        self.mine = self.holder == self.me
        if self.mine:
            self._ask_at, self._until = now + RENEW_S, now + LEASE_S
        return self.mine

    async def leave(self) -> None:
        """Lets somebody else take over at once."""
        if self.mine:
            self.mine = False
            with contextlib.suppress(StateError):
                await self._store().leave(self.me)
