"""The quota server, as a proxy that speaks RLQS sees it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from envoy.service.rate_limit_quota.v3 import rlqs_pb2
from envoy.type.v3 import ratelimit_strategy_pb2

from pointsman.graph.model.limits import Quota, Rate
from pointsman.limits.counts import Balance, Move, Record
from pointsman.limits.server import LimitServer
from pointsman.limits.store import CounterStore, MemoryStore, StoreError
from pointsman.limits.wire import METHOD, SERVICE
from pointsman.xds.admission import Cause, Refusal
from tests.support.leasing import LIMIT, Serving, defined, serving
from tests.support.wait import eventually

DENY = ratelimit_strategy_pb2.RateLimitStrategy.DENY_ALL
ALLOW = ratelimit_strategy_pb2.RateLimitStrategy.ALLOW_ALL
ACME = {"limit": LIMIT, "allowance": "base", "consumer": "acme"}


class Talk:
    """A stream, and what was said on it."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def report(
        self, allowed: int = 0, denied: int = 0, bucket: dict[str, str] = ACME
    ) -> None:
        usage = {
            "bucket_id": {"bucket": bucket},
            "num_requests_allowed": allowed,
            "num_requests_denied": denied,
        }
        await self._call.write(
            rlqs_pb2.RateLimitQuotaUsageReports(domain="d", bucket_quota_usages=[usage])
        )

    async def told(self) -> list[Any]:
        """The strategies of the next response."""
        async with asyncio.timeout(5):
            answer = await self._call.read()
        actions = answer.bucket_action
        return [item.quota_assignment_action.rate_limit_strategy for item in actions]

    async def tokens(self) -> int:
        """The size of the bucket that the next response has; 0 when it refuses all."""
        last = (await self.told())[-1]
        return int(last.token_bucket.max_tokens)

    async def code(self) -> grpc.StatusCode:
        code: grpc.StatusCode = await self._call.code()
        return code


@asynccontextmanager
async def talking(port: int) -> AsyncIterator[Talk]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        method = channel.stream_stream(
            f"/{SERVICE}/{METHOD}",
            request_serializer=rlqs_pb2.RateLimitQuotaUsageReports.SerializeToString,
            response_deserializer=rlqs_pb2.RateLimitQuotaResponse.FromString,
        )
        yield Talk(method())


async def test_a_new_bucket_gets_a_lease_that_is_full(caplog: pytest.LogCaptureFixture) -> None:
    async with (
        serving(MemoryStore(), Rate(60, "minute", 30)) as server,
        talking(server.port) as one,
    ):
        await one.report(denied=1)
        deny, bucket = await one.told()
    assert deny.blanket_rule == DENY
    assert bucket.token_bucket.max_tokens == 27
    interval = bucket.token_bucket.fill_interval
    per_s = bucket.token_bucket.tokens_per_fill.value / interval.seconds
    assert per_s == pytest.approx(1.0, rel=0.02)
    assert not caplog.records


async def test_nobody_answers_for_a_limit_that_was_never_known() -> None:
    async with (
        serving(MemoryStore(), Quota(3, "day")) as server,
        talking(server.port) as one,
    ):
        await one.report(denied=1, bucket=ACME | {"limit": "shop/plans/other"})
        await one.report(denied=1)
        assert await one.tokens() == 3


async def test_a_quota_that_is_used_up_is_refused_in_so_many_words() -> None:
    store = MemoryStore()
    async with serving(store, Quota(3, "day")) as server:
        async with talking(server.port) as one, talking(server.port) as two:
            await one.report(denied=1)
            assert await one.tokens() == 3
            await two.report(denied=1)
            (refusal,) = await two.told()
        assert refusal.blanket_rule == DENY
        assert refusal.WhichOneof("strategy") == "blanket_rule"


async def test_what_was_used_can_be_seen_and_forgotten() -> None:
    async with (
        serving(MemoryStore(), Quota(9, "day")) as server,
        talking(server.port) as one,
    ):
        await one.report(denied=1)
        assert await one.tokens() == 9
        await one.report(allowed=9)

        async def is_used() -> bool:
            return [item.used for item in await server.limits.usage(LIMIT, consumer="acme")] == [9]

        await eventually(is_used)
        (found,) = await server.limits.usage()
        assert (found.limit, found.allowance, found.who) == (LIMIT, "base", {"consumer": "acme"})
        assert (found.most, found.held, found.proxies) == (9, 0, 1)
        assert found.resets_at is not None
        assert await server.limits.usage(consumer="globex") == ()
        assert await server.limits.reset(LIMIT, consumer="globex") == 0
        await one.report(denied=1)
        assert await one.tokens() == 0
        assert await server.limits.reset(LIMIT, consumer="acme") == 1
        await one.report(denied=1)
        assert await one.tokens() > 0


async def test_what_was_used_is_seen_without_a_proxy() -> None:
    store = MemoryStore()
    for _ in range(2):
        async with serving(store, Quota(9, "day")) as server:
            if not await server.limits.usage():
                async with talking(server.port) as one:
                    await one.report(allowed=4)
                    await one.told()
                continue
            (found,) = await server.limits.usage()
    assert (found.used, found.most, found.proxies, found.who) == (4, 9, 0, {"consumer": "acme"})


async def test_an_edit_counts_at_once() -> None:
    async with (
        serving(MemoryStore(), Quota(3, "day")) as server,
        talking(server.port) as one,
    ):
        await one.report(denied=1)
        assert await one.tokens() == 3
        server.limits.define(defined(Quota(3, "day"), shadow=True))
        (allow,) = await one.told()
        assert allow.blanket_rule == ALLOW
        server.limits.define(defined(Rate(100, "second", 20)))
        # What it was told before may be in force for a second.
        while (tokens := await one.tokens()) == 0:
            pass
        assert tokens <= 20


class Failing(MemoryStore):
    """A store that cannot be reached at times."""

    fails = False

    async def settle(self, plane: str, wall: int, moves: Sequence[Move]) -> list[Balance]:
        if self.fails:
            raise StoreError("gone")
        return await super().settle(plane, wall, moves)

    async def records(self, prefix: str) -> dict[str, Record]:
        if self.fails:
            raise StoreError("gone")
        return await super().records(prefix)


async def test_nothing_is_leased_that_could_not_be_noted() -> None:
    store = Failing()
    async with (
        serving(store, Quota(30, "day")) as server,
        talking(server.port) as one,
    ):
        store.fails = True
        await one.report(allowed=2, denied=1)
        with pytest.raises(StoreError):
            await server.limits.usage()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await one.told()


async def test_a_store_that_comes_back_is_told_what_was_used() -> None:
    store = Failing()
    async with (
        serving(store, Quota(30, "day")) as server,
        talking(server.port) as one,
    ):
        store.fails = True
        await one.report(allowed=2, denied=1)
        await asyncio.sleep(0)
        store.fails = False
        assert await one.tokens() == 10
        (found,) = await server.limits.usage()
        assert found.used >= 2


async def test_a_control_plane_that_is_not_alone_gives_rates_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store: CounterStore = MemoryStore()
    monkeypatch.setattr("pointsman.limits.server.SETTLE_S", 0.5)
    async with serving(store, Rate(60, "minute", 30)) as one:
        first = one.limits
        async with serving(store, Rate(60, "minute", 30)) as two, talking(two.port) as talk:
            assert first is not two.limits
            start = asyncio.get_running_loop().time()
            await talk.report(denied=1)
            tokens = await talk.tokens()
            while tokens == 0:
                tokens = await talk.tokens()
            assert asyncio.get_running_loop().time() >= start + 0.4
            assert tokens <= 15


async def test_callers_that_are_not_admitted_get_nothing() -> None:
    refusal = Refusal(Cause.UNPROVEN, "no token")
    limits = LimitServer(MemoryStore(), admit=lambda _: refusal)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((limits.handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with talking(port) as one:
        assert await one.code() is grpc.StatusCode.UNAUTHENTICATED
    await server.stop(0.0)


async def test_stopping_ends_streams() -> None:
    made = Serving(MemoryStore(), defined(Quota(3, "day")))
    await made.start()
    async with talking(made.port) as one:
        await one.report(denied=1)
        assert await one.tokens() == 3
        made.limits.stop()
        assert await one.code() is grpc.StatusCode.OK
    await made.stop()
