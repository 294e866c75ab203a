"""The quota service over grpc.aio: reports of proxies in, leases out.

Everything that decides is in the pure modules beside it; here are only streams, clocks and the
store. A stream is a proxy: reports do not tell whose they are, and one that comes back on a new
stream has a new lease, while the old one counts until it is surely over.
"""

import asyncio
import math
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count
from typing import Any, Final

import grpc
import structlog
from grpc import aio

from pointsman.graph.model.limits import Quota
from pointsman.limits.counts import Record, look
from pointsman.limits.definitions import Definitions, parse_key
from pointsman.limits.ledger import Ledger, Told, by_proxy
from pointsman.limits.rate_share import TTL_S
from pointsman.limits.store import CounterStore, StoreError
from pointsman.limits.terms import DELAY_S, Seen
from pointsman.limits.usage import Usage
from pointsman.limits.windows import span
from pointsman.limits.wire import METHOD, SERVICE, Reports, response
from pointsman.xds.admission import Caller, Refusal
from pointsman.xds.callers import caller_of, refuse

BEAT_S: Final = 1.0
"""Seconds between two signs of life of a control plane."""
SETTLE_S: Final = 2 * BEAT_S + TTL_S + 2 * DELAY_S
"""Seconds after which all others have noticed a control plane, and what they leased before they
did is over; and for which it is there after its last sign of life."""
_TICK_S: Final = 0.25
_RETRY_S: Final = 1.0

log = structlog.get_logger(__name__)

Admit = Callable[[Caller], Refusal | None]
"""Decides whether a caller may have leases."""


def everyone(_caller: Caller) -> Refusal | None:
    """Whoever can connect is trusted already."""
    return None


class _Stream:
    """What is to be written to a proxy."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.wake = asyncio.Event()
        self.closing = False
        self._told: list[Told] = []
        self._since = math.inf

    def say(self, told: Iterable[Told], now: float) -> None:
        self._told += told
        self._since = min(self._since, now)
        self.wake.set()

    def close(self) -> None:
        self.closing = True
        self.wake.set()

    def take(self, now: float) -> list[Told]:
        """What there is; raises TimeoutError when it is too old to be in force in time."""
        if now > self._since + DELAY_S / 2:
            raise TimeoutError
        told, self._told, self._since = self._told, [], math.inf
        return told


class LimitServer:
    """Leases limits to proxies. All methods are to be called on the event loop's thread.

    Args:
        store: keeps counts of quotas; closed by whoever made it.
        admit: see `Admit`.
        alone: whether no proxy can have a lease of an earlier control plane.
        clock: seconds on a clock that is never set.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        store: CounterStore,
        *,
        admit: Admit = everyone,
        alone: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._admit = admit
        self._alone = alone
        self._clock = clock
        self._wall = wall
        self._name = uuid.uuid4().hex
        # Until it is known whether there are others, nothing of a rate is given.
        self._ledger = Ledger(not_before=math.inf)
        self._streams: dict[int, _Stream] = {}
        self._numbers = count(1)
        self._settle = asyncio.Event()
        self._alive = clock()
        self._ready = asyncio.Event()
        self._failures: dict[str, str] = {}
        self._stopping = False

    @property
    def handler(self) -> Any:
        """For `AdsServer(services=(…,))`, or any other server of `grpc.aio`."""
        method = grpc.stream_stream_rpc_method_handler(
            self._serve, request_deserializer=Reports.FromString
        )
        return grpc.method_handlers_generic_handler(SERVICE, {METHOD: method})

    def define(self, definitions: Definitions) -> None:
        """There are these limits now."""
        now = self._clock()
        self._send(self._ledger.define(definitions, now), now)
        self._settle.set()

    async def usage(self, limit: str = "", **who: str) -> tuple[Usage, ...]:
        """How limits stand, as far as anything is known of them.

        Args:
            limit: how their names begin.
            who: values they are counted by.

        Raises:
            StoreError: it is not known now.
        """
        live = {item.key: item for item in self._ledger.usage(self._clock())}
        wall = self._wall()
        for key, record in (await self._store.records(limit)).items():
            if key not in live:
                found = _kept(key, record, self._ledger.definitions, wall)
                live.update({key: found} if found is not None else {})
        return tuple(
            usage
            for _, usage in sorted(live.items())
            if usage.limit.startswith(limit) and who.items() <= usage.who.items()
        )

    async def reset(self, limit: str, **who: str) -> int:
        """Forgets what was used of quotas; what leases hold goes on to count.

        Args:
            limit: `NAMESPACE/POLICY/LIMIT`.
            who: values they are counted by; of all without any.

        Returns:
            How many there were.

        Raises:
            StoreError: it may not have happened.
        """
        records = await self._store.records(f"{limit} ")
        keys = [key for key in records if who.items() <= parse_key(key)[1].items()]
        await self._store.reset(keys)
        self._ledger.touch(keys)
        self._settle.set()
        return len(keys)

    async def run(self) -> None:
        """Gives leases until it is cancelled; then `stop` has to be called."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat())
            tasks.create_task(self._keep_time())
            tasks.create_task(self._keep_counts())

    def stop(self) -> None:
        """Ends all streams. Proxies go on with their leases until these end."""
        self._stopping = True
        for stream in self._streams.values():
            stream.close()

    async def end(self) -> None:
        """Notes what is not noted yet; call it when `run` has ended."""
        wall = self._wall()
        moves = self._ledger.ending(self._clock(), wall)
        with suppress(StoreError):
            if moves:
                await self._store.settle(self._name, int(wall), moves)

    async def leave(self) -> None:
        """Lets others have the rates at once; no proxy may have a lease of this one any more."""
        wall = int(self._wall())
        with suppress(StoreError):
            await self._store.attend(self._name, wall, wall)

    @property
    def failure(self) -> str:
        """Why nothing can be counted now; "" when it can."""
        return next(iter(self._failures.values()), "")

    def _failed(self, task: str, error: StoreError) -> None:
        if self._failures.get(task) != str(error):
            log.warning("counts cannot be kept", error=str(error))
        self._failures[task] = str(error)

    # --- clocks -------------------------------------------------------------------------------

    async def _beat(self) -> None:
        """Finds out how many control planes there are."""
        first = True
        while True:
            wall = self._wall()
            try:
                planes = await self._store.attend(self._name, int(wall), int(wall + SETTLE_S) + 1)
            except StoreError as error:
                self._failed("beat", error)
            else:
                self._failures.pop("beat", None)
                now = self._clock()
                if first:
                    # Others, or this one before it died, have given what there was.
                    waits = planes > 1 and not self._alone
                    self._ledger.not_before = now + SETTLE_S if waits else now
                    first = False
                    self._ready.set()
                self._ledger.crowd(planes, now)
            await asyncio.sleep(BEAT_S)

    async def _keep_time(self) -> None:
        await self._ready.wait()
        while True:
            now = self._alive = self._clock()
            self._plan(now)
            await asyncio.sleep(_TICK_S)

    def _plan(self, now: float) -> None:
        due = self._ledger.deadline
        self._send(self._ledger.plan(now), now)
        if due is not None and due <= now:
            self._settle.set()

    async def _keep_counts(self) -> None:
        await self._ready.wait()
        while True:
            await self._settle.wait()
            self._settle.clear()
            asked = self._ledger.moves(self._clock(), self._wall())
            if not asked:
                continue
            wall = self._wall()
            try:
                moves = [item.move for item in asked]
                balances = await self._store.settle(self._name, int(wall), moves)
            except StoreError as error:
                self._failed("counts", error)
                self._ledger.refused(asked)
                await asyncio.sleep(_RETRY_S)
                self._settle.set()
                continue
            except BaseException:
                self._ledger.refused(asked)
                raise
            self._failures.pop("counts", None)
            now = self._clock()
            self._send(self._ledger.granted(asked, balances, now, wall), now)

    # --- streams ------------------------------------------------------------------------------

    async def _serve(self, _requests: object, context: Any) -> None:
        if self._stopping:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "this instance is stopping")
        refusal = self._admit(caller_of(context))
        if refusal is not None:
            log.warning("leases refused", peer=context.peer(), reason=str(refusal))
            await refuse(context, refusal)
        await self._ready.wait()
        stream = _Stream(next(self._numbers))
        self._streams[stream.number] = stream
        log.info("proxy reports usage", stream=stream.number, peer=context.peer())
        reader = asyncio.create_task(self._read(stream, context))
        try:
            await self._write(stream, context)
        finally:
            reader.cancel()
            del self._streams[stream.number]
            self._ledger.gone(stream.number, self._clock())
            self._settle.set()
            log.info("proxy reports no more", stream=stream.number)

    async def _read(self, stream: _Stream, context: Any) -> None:
        try:
            while (message := await context.read()) is not aio.EOF:
                self._take(stream, message)
        finally:
            stream.close()

    def _take(self, stream: _Stream, message: Any) -> None:
        # When the loop was held up, a report may have come as early as it was.
        arrived = min(self._clock(), self._alive + 2 * _TICK_S)
        told: list[Told] = []
        for usage in message.bucket_quota_usages:
            seen = Seen(usage.num_requests_allowed, usage.num_requests_denied)
            bucket = dict(usage.bucket_id.bucket)
            told += self._ledger.report(stream.number, bucket, seen, arrived)
        now = self._clock()
        told += self._ledger.plan(now)
        self._send(told, now)
        self._settle.set()

    def _send(self, told: Iterable[Told], now: float) -> None:
        for number, words in by_proxy(told).items():
            stream = self._streams.get(number)
            if stream is not None:
                stream.say(words, now)

    async def _write(self, stream: _Stream, context: Any) -> None:
        with suppress(TimeoutError):
            while not stream.closing:
                told = stream.take(self._clock())
                stream.wake.clear()
                if told:
                    async with asyncio.timeout(DELAY_S / 2):
                        await context.write(response(told).SerializeToString())
                else:
                    await stream.wake.wait()


def _kept(key: str, record: Record, definitions: Definitions, wall: float) -> Usage | None:
    """What a store has of a quota that no proxy asks for."""
    place, who = parse_key(key)
    definition = definitions.get(place)
    if definition is None or not isinstance(definition.allowance, Quota):
        return None
    quota = definition.allowance
    used, held, resets = look(record, int(wall), span(quota, wall))
    return Usage(key, "quota", *place, who, used, held, quota.requests, resets, 0)
