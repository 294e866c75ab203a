"""All streams of one node class: what they are served and how far they are.

Shared by the streams so that a publication is one comparison and one set of bytes, however many
proxies there are.
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakSet

from pointsman.xds.answer import Answer
from pointsman.xds.plan import Plans
from pointsman.xds.quarantine import Quarantine
from pointsman.xds.rejection import Rejection
from pointsman.xds.session import Outcome
from pointsman.xds.snapshot import Snapshot


class Member(Protocol):
    """A stream, as its audience knows it."""

    def offer(self, snapshot: Snapshot) -> None:
        """Go there next."""

    @property
    def settled(self) -> bool:
        """Whether the proxy has answered for everything it wants."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """How a publication went.

    Attributes:
        seconds: from the publication to the last answer of the last proxy.
        streams: how many proxies of the class are connected.
        rejections: what was rejected since the publication.
    """

    seconds: float
    streams: int
    rejections: tuple[Rejection, ...]


class Audience:
    """The streams of one node class.

    Args:
        node_class: whom it is for.
        quarantine: what to keep from it.
    """

    def __init__(self, node_class: Hashable, quarantine: Quarantine) -> None:
        self.plans = Plans()
        self._node_class = node_class
        self._quarantine = quarantine
        self._published: Snapshot | None = None
        self._served: Snapshot | None = None
        self._streams: set[Member] = set()
        self._unsettled: set[Member] = set()
        self._accepted: WeakSet[Answer] = WeakSet()
        self._rejections: list[Rejection] = []
        self._published_at = self._settled_at = 0.0
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_empty(self) -> bool:
        """Whether no stream is left."""
        return not self._streams

    def publish(self, snapshot: Snapshot) -> None:
        """Serve `snapshot` to all streams, less what is in quarantine."""
        self._published = snapshot
        self._published_at = self._settled_at = asyncio.get_running_loop().time()
        self._rejections.clear()
        self._offer()

    def withdraw(self) -> None:
        """Have nothing to serve: new streams wait, connected proxies keep what they have."""
        self._published = self._served = None

    def join(self, stream: Member) -> None:
        """Serve one more stream."""
        self._streams.add(stream)
        self._unsettled.add(stream)
        if self._served is not None:
            stream.offer(self._served)

    def leave(self, stream: Member) -> None:
        """Forget a stream."""
        self._streams.discard(stream)
        self._settle(stream)

    def hear(self, outcome: Outcome) -> None:
        """Learn from what a proxy said of an answer."""
        if outcome.message is None:
            if outcome.answer not in self._accepted:
                self._accepted.add(outcome.answer)
                self._quarantine.accept(self._node_class, outcome.answer.resources)
            return
        rejections = self._quarantine.reject(self._node_class, outcome.culprits, outcome.message)
        self._rejections.extend(rejections)
        if rejections and self._published is not None:
            self._offer()

    def note(self, stream: Member) -> None:
        """Look whether a stream has answered for everything."""
        if stream.settled:
            self._settle(stream)
        elif stream in self._streams:
            self._unsettled.add(stream)

    async def acknowledged(self, streams: int) -> Acknowledgement:
        """Wait until at least `streams` streams are connected and all have answered."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: not self._unsettled and len(self._streams) >= streams
            )
        seconds = self._settled_at - self._published_at
        return Acknowledgement(seconds, len(self._streams), tuple(self._rejections))

    def _offer(self) -> None:
        if self._published is None:
            return
        self._served = self._quarantine.serve(self._node_class, self._published)
        self._unsettled = set(self._streams)
        for stream in self._streams:
            stream.offer(self._served)
        if not self._streams:
            self._quarantine.settle(self._node_class, self._served)

    def _settle(self, stream: Member) -> None:
        if stream not in self._unsettled:
            return
        self._unsettled.discard(stream)
        if self._unsettled:
            return
        if self._served is not None:
            self._quarantine.settle(self._node_class, self._served)
        self._settled_at = asyncio.get_running_loop().time()
        task = asyncio.create_task(self._notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
