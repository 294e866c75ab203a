"""Envoy's access log service over grpc.aio: records of proxies in, nothing out."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, Final

import grpc
import structlog

from pointsman.envoy import pb
from pointsman.telemetry.callers import Callers
from pointsman.telemetry.clocks import Clocks
from pointsman.telemetry.requests_decode import decode
from pointsman.telemetry.requests_pace import Pace
from pointsman.telemetry.requests_ring import Ring
from pointsman.xds.admission import Admission, Refusal
from pointsman.xds.callers import caller_of, refuse

_SERVICE: Final = "envoy.service.accesslog.v3.AccessLogService"

log = structlog.get_logger(__name__)

VersionAt = Callable[[str, float], str]
"""Which version of its configuration a node had at a moment; "" when nobody knows."""


class RequestsService:
    """Is told of requests by proxies. All methods are to be called on the event loop's thread.

    Args:
        ring: keeps them.
        admission: who may tell of which node's requests.
        version_at: see `VersionAt`.
        callers: counts those for versions of APIs.
        clocks: compares clocks.
    """

    def __init__(
        self,
        ring: Ring,
        admission: Admission,
        version_at: VersionAt,
        callers: Callers,
        clocks: Clocks,
    ) -> None:
        self._ring = ring
        self._admission = admission
        self._version_at = version_at
        self._callers = callers
        self._clocks = clocks
        self._pace = Pace()
        self._streams: set[asyncio.Task[Any]] = set()
        self._stopping = False

    @property
    def handler(self) -> Any:
        """For `AdsServer(services=(…,))`, or any other server of `grpc.aio`."""
        method = grpc.stream_unary_rpc_method_handler(
            self._serve,
            request_deserializer=pb.StreamAccessLogsMessage.FromString,
            response_serializer=pb.StreamAccessLogsResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(_SERVICE, {"StreamAccessLogs": method})

    def stop(self) -> None:
        """Ends all streams; proxies turn to another instance."""
        self._stopping = True
        for stream in self._streams:
            stream.cancel()

    async def _serve(self, messages: AsyncIterator[Any], context: Any) -> Any:
        stream = asyncio.current_task()
        assert stream is not None
        self._streams.add(stream)
        try:
            await self._take(messages, context)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            stream.uncancel()
        finally:
            self._streams.discard(stream)
        return pb.StreamAccessLogsResponse()

    async def _take(self, messages: AsyncIterator[Any], context: Any) -> None:
        node = ""
        async for message in messages:
            if not node:
                node = await self._node(message, context)
            entries = message.http_logs.log_entry
            for entry in entries:
                found = decode(entry, node)
                self._ring.add(replace(found, version=self._version_at(node, found.start)))
                self._callers.add(found)
                self._clocks.heard(node, found.start + found.duration / 1000, time.time())
            await self._pace.after(len(entries))

    async def _node(self, message: Any, context: Any) -> str:
        """Whose requests a stream tells of; its first message says so."""
        found = self._admission.admitted(caller_of(context), message.identifier.node.id)
        if isinstance(found, Refusal):
            log.warning("records refused", peer=context.peer(), reason=str(found))
            await refuse(context, found)
        return found
