"""What Envoy does with assignments of RLQS, which leases rely on; docs/leases.md tells it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from envoy.service.rate_limit_quota.v3 import rlqs_pb2

from pointsman.limits.ledger import Told
from pointsman.limits.terms import Blanket, Forget, Terms, Tokens, Word
from pointsman.limits.wire import METHOD, SERVICE, Reports, response
from tests.support.leasing import LIMIT, Leasing, leasing
from tests.support.wait import eventually

pytestmark = pytest.mark.envoy
BUCKET = {"limit": LIMIT, "allowance": "base", "consumer": "acme"}


class Service:
    """Writes what it is told to, and keeps the reports it gets."""

    def __init__(self) -> None:
        self.reports: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        self._context: Any = None

    async def serve(self, _requests: object, context: Any) -> None:
        self._context = context
        while (message := await context.read()) is not grpc.aio.EOF:
            for usage in message.bucket_quota_usages:
                await self.reports.put((usage.num_requests_allowed, usage.num_requests_denied))

    async def tell(self, *terms: Terms, ttl: int = 60) -> None:
        """Sends a response, and waits until it must have been taken."""
        told = [Told(BUCKET, Word(1, item, ttl)) for item in terms]
        await self._context.write(response(told))
        await asyncio.sleep(0.2)


@asynccontextmanager
async def talking(folder: Path, *, strict: bool = True) -> AsyncIterator[tuple[Service, Leasing]]:
    service = Service()
    method = grpc.stream_stream_rpc_method_handler(
        service.serve, Reports.FromString, rlqs_pb2.RateLimitQuotaResponse.SerializeToString
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, {METHOD: method}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with leasing(folder, port, strict=strict) as envoy:
            assert await envoy.ask() == {429 if strict else 200: 1}
            async with asyncio.timeout(5):
                assert await service.reports.get() == ((0, 1) if strict else (1, 0))
            yield service, envoy
    finally:
        await server.stop(0.0)


async def test_what_becomes_of_tokens_when_a_bucket_is_replaced(tmp_path: Path) -> None:
    async with talking(tmp_path) as (service, envoy):
        await service.tell(Tokens(10, 0.0, fresh=False))
        assert (await envoy.ask(5))[200] == 5
        # The same again is kept.
        await service.tell(Tokens(10, 0.0, fresh=False))
        assert (await envoy.ask(1))[200] == 1
        # Another one begins as full in proportion: 4 of 10.
        await service.tell(Tokens(100, 0.0, fresh=False))
        assert (await envoy.ask(60))[200] == 40
        await service.tell(Tokens(7, 0.0, fresh=False))
        assert (await envoy.ask(3))[200] == 0
        # A fresh one, which comes after a refusal in the same response, is full.
        await service.tell(Tokens(7, 0.0, fresh=True))
        assert (await envoy.ask(10))[200] == 7
        await service.tell(Blanket(allow=True))
        assert (await envoy.ask(10))[200] == 10


async def test_a_bucket_ends_with_its_lease_and_when_it_is_to_be_forgotten(tmp_path: Path) -> None:
    async with talking(tmp_path) as (service, envoy):
        await service.tell(Tokens(9, 0.0, fresh=True), ttl=1)
        assert (await envoy.ask(2))[200] == 2
        await asyncio.sleep(1)
        assert (await envoy.ask(2))[200] == 0
        await service.tell(Tokens(9, 0.0, fresh=False), Forget())
        while not service.reports.empty():
            service.reports.get_nowait()
        # What was not reported is lost; the next request asks anew, at once.
        assert (await envoy.ask(1))[429] == 1
        async with asyncio.timeout(1):
            assert await service.reports.get() == (0, 1)


async def test_what_is_not_strict_passes_before_the_first_lease_and_not_after_the_last(
    tmp_path: Path,
) -> None:
    async with talking(tmp_path, strict=False) as (service, envoy):
        assert (await envoy.ask(5))[200] == 5
        await service.tell(Tokens(2, 0.0, fresh=True), ttl=1)
        assert (await envoy.ask(5))[200] == 2
        # Reports go on, and what is not reported yet tells that the lease is over.
        await eventually(lambda: _reported(service, denied=3), 10)
        assert (await envoy.ask(5))[200] == 0
        await service.tell(Tokens(2, 0.0, fresh=True))
        assert (await envoy.ask(5))[200] == 2
        await service.tell(Forget())
        assert (await envoy.ask(5))[200] == 5


def _reported(service: Service, denied: int) -> bool:
    return not service.reports.empty() and service.reports.get_nowait()[1] == denied


async def test_a_rate_is_as_exact_as_its_digits(tmp_path: Path) -> None:
    async with talking(tmp_path) as (service, envoy):
        await service.tell(Tokens(3, 12.345, fresh=True))
        assert (await envoy.ask(8))[200] in (3, 4)
        before = asyncio.get_running_loop().time()
        admitted = 0
        while admitted < 12:
            admitted += (await envoy.ask())[200]
        elapsed = asyncio.get_running_loop().time() - before
    assert elapsed == pytest.approx(12 / 12.345, abs=0.25)
