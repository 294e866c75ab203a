"""The aggregated discovery service over grpc.aio: connections in, bytes out.

Everything that decides is in the pure modules beside it; here are only sockets, streams and
their end.
"""

import asyncio
import random
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import grpc
import structlog
from grpc import aio

from pointsman.envoy.pb import DeltaDiscoveryRequest, DiscoveryRequest
from pointsman.xds.address import ListenOptions, listen
from pointsman.xds.admission import Admission, Anyone, Cause, Refusal
from pointsman.xds.audience import Acknowledgement, Audience
from pointsman.xds.callers import caller_of, refuse
from pointsman.xds.nodes import Newcomer, Node, Nodes, Wire
from pointsman.xds.quarantine import Quarantine
from pointsman.xds.refused import Refusals
from pointsman.xds.rejection import Rejection
from pointsman.xds.session import PATIENCE
from pointsman.xds.snapshot import Snapshot
from pointsman.xds.stream import Stream

_SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
LONGEST_REQUEST = 64 * 1024 * 1024
"""Bytes of a request."""
FIRST_S = 30.0
"""Seconds within which a new stream has to say who it is."""
_OPTIONS = (
    # A proxy that vanished without closing its connection is noticed within forty seconds.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    # A reconnecting proxy lists its versions, some 100 bytes each. With join tokens this much can
    # be sent by whoever connects.
    ("grpc.max_receive_message_length", LONGEST_REQUEST),
    # One resource may be of any size.
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),
)

log = structlog.get_logger(__name__)

Classify = Callable[[Newcomer], Hashable | None]
"""Decides the node class of a proxy; None refuses it, because nothing is configured for it."""

_ANYONE = Anyone()

EARLIEST_CLOSE, LATEST_CLOSE = 1.15, 1.4
"""Shares of the connections' age between which a stream is closed: gRPC has told its connection
to take no more streams by then, which it does at 0.9 to 1.1 of the age."""


def ignore(_node_class: Hashable, _rejection: Rejection) -> None:
    """The default for those who do not care about rejections."""


class AdsServer:
    """Serves snapshots to proxies. All methods are to be called on the event loop's thread.

    Args:
        classify: see `Classify`; called once per stream.
        on_rejection: told of each resource a proxy rejected.
        admission: decides who may be which node.
        patience: seconds for which removals, and routes after their clusters, wait for an
            acknowledgement.
        age_s: seconds after which a proxy is asked to connect anew, give or take, so that proxies
            spread over several servers; None lets it stay.
        services: handlers of further services that proxies call, for `grpc.aio`.

    Attributes:
        refusals: proxies that were turned away.
    """

    def __init__(
        self,
        classify: Classify,
        on_rejection: Callable[[Hashable, Rejection], None] = ignore,
        *,
        admission: Admission = _ANYONE,
        patience: float = PATIENCE,
        age_s: float | None = None,
        services: tuple[Any, ...] = (),
    ) -> None:
        self._classify = classify
        self._services = services
        self._admission = admission
        self._patience = patience
        self._age_s = age_s
        self._quarantine = Quarantine(on_rejection)
        self._audiences: dict[Hashable, Audience] = {}
        self._nodes = Nodes()
        self.refusals = Refusals(time.time)
        self._streams: set[Stream] = set()
        self._numbers = count(1)
        self._server: Any = None
        self._stopping = False

    @property
    def nodes(self) -> Mapping[int, Node]:
        """Connected proxies by stream number: a read-only, live view."""
        return self._nodes.connected

    def publish(self, node_class: Hashable, snapshot: Snapshot) -> None:
        """Serve `snapshot` to all proxies of the class, now and until the next one."""
        self._audience(node_class).publish(snapshot)

    def forget(self, node_class: Hashable) -> None:
        """Stop serving a class. Connected proxies keep what they have, new ones wait."""
        self._quarantine.forget(node_class)
        audience = self._audiences.get(node_class)
        if audience is None:
            return
        audience.withdraw()
        if audience.is_empty:
            del self._audiences[node_class]

    async def acknowledged(self, node_class: Hashable, *, streams: int = 0) -> Acknowledgement:
        """Wait until all proxies of the class accepted or rejected all they were sent.

        Rejected resources count as answered once the proxies have taken what replaces them.
        There is no time limit of its own: use `asyncio.timeout`.

        Args:
            node_class: whose proxies.
            streams: wait for at least so many proxies to be connected.
        """
        return await self._audience(node_class).acknowledged(streams)

    async def start(self, where: str | ListenOptions) -> str:
        """Listen on `unix:PATH` or `HOST:PORT` (port 0 lets the system choose).

        Returns:
            The address, with the port in use.

        Raises:
            UsageError: the address cannot be listened on, or should not be.
        """
        options = ListenOptions(where) if isinstance(where, str) else where
        self._stopping = False
        server = aio.server(options=(*_OPTIONS, *self._age_options()))
        server.add_generic_rpc_handlers((self._handlers(), *self._services))
        bound = listen(server, options)
        await server.start()
        self._server = server
        log.info("serving proxies", address=bound, tls=options.tls is not None)
        return bound

    def _age_options(self) -> tuple[tuple[str, int], ...]:
        if self._age_s is None:
            return ()
        # The connection closes when its stream does; the grace only has to outlast that.
        age = int(self._age_s * 1000)
        return ("grpc.max_connection_age_ms", age), ("grpc.max_connection_age_grace_ms", age)

    async def stop(self, grace: float) -> None:
        """Stop accepting, end the streams spread over `grace` seconds, then close.

        Proxies keep their configuration and turn to another instance one after the other.
        """
        if self._server is None:
            return
        server, self._server = self._server, None
        self._stopping = True
        loop = asyncio.get_running_loop()
        streams = list(self._streams)
        closing = asyncio.create_task(server.stop(grace + 1.0))
        timers = [
            loop.call_later(grace * index / len(streams), stream.close)
            for index, stream in enumerate(streams)
        ]
        try:
            await closing
        finally:
            for timer in timers:
                timer.cancel()

    def _handlers(self) -> Any:
        return grpc.method_handlers_generic_handler(
            _SERVICE,
            {
                "StreamAggregatedResources": grpc.stream_stream_rpc_method_handler(
                    self._serve_state, request_deserializer=DiscoveryRequest.FromString
                ),
                "DeltaAggregatedResources": grpc.stream_stream_rpc_method_handler(
                    self._serve_delta, request_deserializer=DeltaDiscoveryRequest.FromString
                ),
            },
        )

    async def _serve_state(self, _requests: object, context: Any) -> None:
        await self._serve(context, "sotw")

    async def _serve_delta(self, _requests: object, context: Any) -> None:
        await self._serve(context, "delta")

    async def _serve(self, context: Any, wire: Wire) -> None:
        async def read() -> Any | None:
            message = await context.read()
            return None if message is aio.EOF else message

        first = None
        try:
            async with asyncio.timeout(FIRST_S):
                first = await read()
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "no request came")
        if first is None:
            return
        node = await self._admit(_newcomer(first.node, wire), context)
        stream = Stream(node, self._audience(node.node_class), patience=self._patience)
        self._streams.add(stream)
        self._nodes.add(node)
        log.info("proxy connected", node=node.id, stream=node.stream, peer=context.peer())
        retirement = self._retire_later(stream)
        try:
            await stream.run(first, read, context.write)
        finally:
            if retirement is not None:
                retirement.cancel()
            self._streams.discard(stream)
            self._nodes.remove(node.stream)
            log.info("proxy gone", node=node.id, stream=node.stream)

    def _retire_later(self, stream: Stream) -> asyncio.TimerHandle | None:
        if self._age_s is None:
            return None
        share = random.uniform(EARLIEST_CLOSE, LATEST_CLOSE)
        return asyncio.get_running_loop().call_later(self._age_s * share, stream.close)

    async def _admit(self, newcomer: Newcomer, context: Any) -> Node:
        if self._stopping:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "this instance is stopping")
        if not newcomer.id:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, "the first request must carry a node with an id"
            )
        refusal = self._admission.admitted(caller_of(context), newcomer.id)
        node_class: Hashable | None = None
        if isinstance(refusal, str):
            node_class = self._classify(replace(newcomer, id=refusal))
            refusal = Refusal(Cause.UNKNOWN, f"nothing is configured for node {newcomer.id!r}")
        if node_class is None:
            reason = str(refusal)
            log.warning("proxy refused", node=newcomer.id, peer=context.peer(), reason=reason)
            unknown = refusal.cause is Cause.UNKNOWN
            self.refusals.add(newcomer.id, reason, unknown=unknown, peer=context.peer())
            await refuse(context, refusal)
        self.refusals.admitted(newcomer.id)
        return Node(
            stream=next(self._numbers),
            id=newcomer.id,
            node_class=node_class,
            wire=newcomer.wire,
            envoy=newcomer.envoy,
            since=time.time(),
        )

    def _audience(self, node_class: Hashable) -> Audience:
        if node_class not in self._audiences:
            self._audiences[node_class] = Audience(node_class, self._quarantine)
        return self._audiences[node_class]


def _newcomer(node: Any, wire: Wire) -> Newcomer:
    return Newcomer(node.id, node.cluster, node.locality.zone, wire, _envoy_version(node))


def _envoy_version(node: Any) -> str:
    version = node.user_agent_build_version.version
    numbers = (version.major_number, version.minor_number, version.patch)
    return ".".join(map(str, numbers)) if any(numbers) else ""
