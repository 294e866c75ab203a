"""BackendPolicy by traffic: which of several endpoints requests go to."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import pytest

from pointsman.envoy import pb
from pointsman.envoy.clusters import socket_address
from pointsman.graph.model.cluster import Address
from tests.support.gateway import Running, running
from tests.support.instrument import Messages
from tests.support.manifests import (
    MESH,
    Document,
    gateway,
    gateway_route,
    node,
    policy,
    route,
    router,
    service,
)
from tests.support.scenes import linked
from tests.support.upstream import Upstream, until, upstream

pytestmark = pytest.mark.envoy
Headers = tuple[tuple[str, str], ...]
COOKIE = {"cookie": {"name": "session", "path": "/", "ttl": {"unit": "s", "value": 60}}}
DOCUMENTS = (
    MESH,
    gateway(),
    node("books", 80, serviceDiscovery={"dns": {"hostname": "b", "responseType": "ENDPOINTS"}}),
    node("other", 80, serviceDiscovery={"dns": {"hostname": "o", "responseType": "ENDPOINTS"}}),
    service("books", router="books"),
    router("books", route("all", {"prefix": "/"}, ("books", 1), ("other", 0))),
    gateway_route("books", {"prefix": "/"}, "books"),
)


def spread(backends: list[Upstream]) -> Callable[[Messages], None]:
    """Gives the cluster of the node all backends as endpoints."""

    def change(messages: Messages) -> None:
        (cluster,) = (item for item in messages.clusters if "_books_" in item.name)
        del cluster.load_assignment.endpoints[:]
        loads = [
            {"endpoint": {"address": socket_address(Address("127.0.0.1", item.port))}}
            for item in backends
        ]
        cluster.load_assignment.MergeFrom(
            pb.ClusterLoadAssignment(endpoints=[{"lb_endpoints": loads}])
        )

    return change


@asynccontextmanager
async def serving(count: int, **spec: Any) -> AsyncIterator[tuple[Running, list[Upstream]]]:
    """A gateway in front of one node with some endpoints and a policy."""
    documents: tuple[Document, ...] = DOCUMENTS
    if spec:
        documents = (*documents, policy("BackendPolicy", "p", "VirtualNode/books/80", **spec))
    async with AsyncExitStack() as stack:
        backends = [await stack.enter_async_context(upstream()) for _ in range(count)]
        result = linked(*documents, books=backends[0].port, other=backends[0].port)
        with running(result.graph, echo=False, change=spread(backends)) as envoy:
            yield envoy, backends


async def ask(envoy: Running, headers: Headers = ()) -> str | None:
    async with envoy.client(8080) as client:
        answer = await client.ask("GET", "/", headers=headers)
    assert answer.status == 200
    return answer.header("set-cookie")


def counts(backends: list[Upstream]) -> list[int]:
    return sorted(len(backend.seen) for backend in backends)


async def test_without_a_policy_requests_go_round() -> None:
    async with serving(3) as (envoy, backends):
        for _ in range(30):
            await ask(envoy, (("x-user", "ann"),))
    assert counts(backends) == [10, 10, 10]


@pytest.mark.parametrize("algorithm", [None, "RING_HASH", "MAGLEV"])
async def test_a_session_stays_by_its_cookie(algorithm: str | None) -> None:
    spec: dict[str, Any] = {"stickiness": COOKIE}
    if algorithm is not None:
        spec["algorithm"] = algorithm
    async with serving(3, **spec) as (envoy, backends):
        homes: Counter[int] = Counter()
        for _ in range(30):
            before = [len(backend.seen) for backend in backends]
            cookie = await ask(envoy)
            assert cookie is not None
            assert "Max-Age=60" in cookie
            assert "Path=/" in cookie
            pair = cookie.partition(";")[0]
            again = [await ask(envoy, (("cookie", pair),)) for _ in range(4)]
            assert again == [None] * 4
            grown = [len(item.seen) - old for item, old in zip(backends, before, strict=True)]
            assert sorted(grown) == [0, 0, 5]
            homes[grown.index(5)] += 1
    assert len(homes) == 3, "all sessions are at the same few endpoints"


async def test_requests_stay_by_a_header_and_go_round_without() -> None:
    async with serving(3, stickiness={"header": "X-User"}) as (envoy, backends):
        for user in range(40):
            before = [len(backend.seen) for backend in backends]
            for _ in range(3):
                await ask(envoy, (("x-user", f"user-{user}"),))
            grown = [len(item.seen) - old for item, old in zip(backends, before, strict=True)]
            assert sorted(grown) == [0, 0, 3]
        assert min(counts(backends)) > 0
        before = counts(backends)
        for _ in range(60):
            await ask(envoy)
        assert all(old < new for old, new in zip(before, counts(backends), strict=True))


async def test_clients_stay_by_their_address() -> None:
    async with serving(3, stickiness={"source": "IP"}) as (envoy, backends):
        for _ in range(30):
            await ask(envoy)
    assert counts(backends) == [0, 0, 30]


async def test_requests_go_where_the_fewest_are() -> None:
    gate = asyncio.Event()

    async with serving(2, algorithm="LEAST_REQUEST") as (envoy, backends):
        busy, idle = backends

        async def wait_once(_: object) -> int:
            if busy.waiting == 1:
                await gate.wait()
            return 200

        busy.reply = wait_once
        held = []
        while not busy.waiting:
            before = len(busy.seen) + len(idle.seen)
            held.append(asyncio.create_task(ask(envoy)))
            await until(partial(_has_more, backends, before))
        before = len(busy.seen)
        for _ in range(160):
            await ask(envoy)
        # Of two that are looked at, both are the busy one in a quarter of all cases: 40 expected,
        # 80 by turns; five standard deviations are 27.
        assert len(busy.seen) - before <= 67
        gate.set()
        await asyncio.gather(*held)


def _has_more(backends: list[Upstream], than: int) -> bool:
    return sum(len(item.seen) for item in backends) > than


async def test_a_new_endpoint_comes_to_its_share_slowly() -> None:
    window = {"window": {"unit": "s", "value": 600}, "minPercent": 100}
    async with serving(2, slowStart=window) as (envoy, backends):
        for _ in range(20):
            await ask(envoy)
    # Both are as new, and begin with all of their share.
    assert counts(backends) == [10, 10]


async def test_an_endpoint_that_does_not_answer_is_given_up_in_time() -> None:
    with deaf_port() as port:
        documents = (*DOCUMENTS, policy("BackendPolicy", "p", "VirtualNode/books", **QUICK))
        result = linked(*documents, books=port, other=port)
        with running(result.graph, echo=False) as envoy:
            async with envoy.client(8080) as client, asyncio.timeout(5):
                assert (await client.ask("GET", "/")).status == 503


QUICK = {"connectTimeout": {"unit": "ms", "value": 50}}


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose queue is full, so that the kernel lets connections to it wait."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(server.getsockname())
        yield server.getsockname()[1]
