"""One open stream: reads requests into its session, writes what the session wants sent.

It knows the messages of the protocol but not gRPC, which hands it a way to read and to write.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from pointsman.envoy.complaint import reason
from pointsman.xds.audience import Audience
from pointsman.xds.delta import DeltaRequest, DeltaSession
from pointsman.xds.nodes import Node
from pointsman.xds.session import Outcome
from pointsman.xds.snapshot import Snapshot
from pointsman.xds.state import StateRequest, StateSession

Read = Callable[[], Awaitable[Any | None]]
"""Gives the next request message, or None when the proxy has closed its side."""
Write = Callable[[bytes], Awaitable[None]]


class Stream:
    """A proxy's stream.

    Args:
        node: its entry in the registry.
        audience: the streams of the same node class.
        patience: seconds for which later steps wait for an acknowledgement.
    """

    def __init__(self, node: Node, audience: Audience, *, patience: float) -> None:
        self.node = node
        self._audience = audience
        self._wake = asyncio.Event()
        self._closing = False
        plans = audience.plans
        self._session: DeltaSession | StateSession = (
            DeltaSession(plans, patience=patience)
            if node.wire == "delta"
            else StateSession(plans, patience=patience)
        )

    @property
    def settled(self) -> bool:
        """Whether the proxy has answered for everything it wants."""
        return self._session.settled

    def offer(self, snapshot: Snapshot) -> None:
        """Go there next."""
        self._session.publish(snapshot)
        self._wake.set()

    def close(self) -> None:
        """End the stream once what is being written is written."""
        self._closing = True
        self._wake.set()

    async def run(self, first: Any, read: Read, write: Write) -> None:
        """Serve until the proxy or `close` ends the stream.

        Args:
            first: the request that named the node.
            read: see `Read`.
            write: sends one serialized answer.
        """
        self._audience.join(self)
        try:
            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(self._read_all(first, read))
                await self._write_all(write)
                reader.cancel()
        finally:
            self._audience.leave(self)

    async def _read_all(self, first: Any, read: Read) -> None:
        message: Any | None = first
        while message is not None:
            self._take(message)
            message = await read()
        self.close()

    def _take(self, message: Any) -> None:
        session = self._session
        outcome = (
            session.receive(_delta_request(message))
            if isinstance(session, DeltaSession)
            else session.receive(_state_request(message))
        )
        if outcome is not None:
            self._record(outcome)
            self._audience.hear(outcome)
        self._wake.set()

    def _record(self, outcome: Outcome) -> None:
        status = self.node.of(outcome.answer.type_url)
        if outcome.message is None:
            status.acked, status.message = outcome.answer.nonce, ""
            status.acks += 1
        else:
            status.nacked, status.message = outcome.answer.nonce, outcome.message
            status.nacks += 1

    async def _write_all(self, write: Write) -> None:
        loop = asyncio.get_running_loop()
        while not self._closing:
            self._wake.clear()
            for answer in self._session.poll(loop.time()):
                self.node.of(answer.type_url).sent = answer.nonce
                await write(answer.frame)
            self._audience.note(self)
            deadline = self._session.deadline
            timer = None if deadline is None else loop.call_at(deadline, self._wake.set)
            try:
                await self._wake.wait()
            finally:
                if timer is not None:
                    timer.cancel()


def _error(message: Any) -> str | None:
    return reason(message.error_detail.message) if message.HasField("error_detail") else None


def _delta_request(message: Any) -> DeltaRequest:
    return DeltaRequest(
        type_url=sys.intern(message.type_url),
        nonce=message.response_nonce,
        error=_error(message),
        # Interned: a thousand streams want the same names.
        subscribe=tuple(map(sys.intern, message.resource_names_subscribe)),
        unsubscribe=tuple(message.resource_names_unsubscribe),
        initial_versions=dict(message.initial_resource_versions),
    )


def _state_request(message: Any) -> StateRequest:
    return StateRequest(
        type_url=sys.intern(message.type_url),
        nonce=message.response_nonce,
        error=_error(message),
        names=tuple(map(sys.intern, message.resource_names)),
        version=message.version_info,
    )
