"""Retries, timeouts, connection pools, shares: what routing alone does not show."""

import asyncio
from collections import Counter
from functools import partial

import pytest

from tests.support.gateway import Running, running
from tests.support.manifests import (
    MESH,
    Document,
    document,
    gateway,
    gateway_route,
    node,
    route,
    router,
    service,
)
from tests.support.scenes import linked, serving
from tests.support.upstream import Seen, Upstream, until, upstream

pytestmark = pytest.mark.envoy
POOL_CLUSTER = "cds_ingress_mesh_gateway_shop_self_redirect_8080_http_15001"
SECOND = {"unit": "s", "value": 1}


def one_route(**more: object) -> tuple[Document, ...]:
    return (
        MESH,
        gateway(),
        node("books", 80),
        service("books", router="books"),
        router("books", route("all", {"prefix": "/"}, ("books", 1), **more)),
        gateway_route("books", {"prefix": "/"}, "books"),
    )


async def ask(envoy: Running, *headers: tuple[str, str]) -> int:
    async with envoy.client(8080) as client:
        return (await client.ask("GET", "/", "shop.test", headers)).status


def policy(max_retries: int, *events: str) -> Document:
    return {
        "maxRetries": max_retries,
        "perRetryTimeout": SECOND,
        "httpRetryEvents": list(events),
    }


@pytest.mark.parametrize(
    ("written", "status", "tries"),
    [
        ({}, 503, 3),
        ({}, 500, 1),
        ({"retryPolicy": policy(0, "server-error")}, 503, 1),
        ({"retryPolicy": policy(1, "server-error")}, 500, 2),
        ({"retryPolicy": policy(4, "gateway-error")}, 502, 5),
        ({"retryPolicy": policy(4, "gateway-error")}, 500, 1),
        ({"retryPolicy": policy(2, "client-error")}, 409, 3),
        ({"retryPolicy": policy(2, "client-error")}, 404, 1),
        ({"retryPolicy": policy(2, "stream-error")}, 503, 1),
        ({"retryPolicy": policy(2)}, 503, 1),
    ],
)
async def test_a_failing_backend_is_tried_as_often_as_written(
    written: Document, status: int, tries: int
) -> None:
    async with upstream(status) as backend, serving(*one_route(**written), books=backend.port) as e:
        assert await ask(e) == status
    assert len(backend.seen) == tries


async def test_a_service_without_router_has_the_default_retries() -> None:
    documents = (
        MESH,
        gateway(),
        node("books", 80),
        service("books", node="books"),
        gateway_route("books", {"prefix": "/"}, "books"),
    )
    async with upstream(503) as backend, serving(*documents, books=backend.port) as envoy:
        assert await ask(envoy) == 503
    assert len(backend.seen) == 3


@pytest.mark.parametrize(
    "header",
    [
        ("x-envoy-max-retries", "9"),
        ("x-envoy-retry-on", "5xx"),
        ("x-envoy-upstream-rq-timeout-ms", "1"),
    ],
)
async def test_clients_cannot_steer_retries_and_timeouts(header: tuple[str, str]) -> None:
    async def slow(_: Seen) -> int:
        await asyncio.sleep(0.05)
        return 500

    documents = one_route(retryPolicy=policy(1, "server-error"))
    async with upstream(slow) as backend, serving(*documents, books=backend.port) as envoy:
        assert await ask(envoy, header) == 500
    assert len(backend.seen) == 2
    assert header[0] not in backend.seen[0].headers


async def never(_: Seen) -> int:
    await asyncio.Event().wait()
    return 200


@pytest.mark.parametrize("field", ["perRequest", "idle"])
async def test_a_silent_backend_times_out(field: str) -> None:
    timeout = {"perRequest": {"unit": "s", "value": 0}, field: {"unit": "ms", "value": 150}}
    async with (
        upstream(never) as backend,
        serving(*one_route(timeout=timeout), books=backend.port) as envoy,
    ):
        assert await ask(envoy) in (504, 408)
        assert len(backend.seen) == 1


async def test_a_try_that_takes_too_long_is_tried_again() -> None:
    retry = {**policy(1, "server-error"), "perRetryTimeout": {"unit": "ms", "value": 100}}
    async with (
        upstream(never) as backend,
        serving(*one_route(retryPolicy=retry), books=backend.port) as envoy,
    ):
        assert await ask(envoy) == 504
        assert len(backend.seen) == 2


async def test_a_full_connection_pool_refuses_what_is_over() -> None:
    gate = asyncio.Event()

    async def wait(_: Seen) -> int:
        await gate.wait()
        return 200

    pool = {"http": {"maxConnections": 2, "maxPendingRequests": 1}}
    listener = {"portMapping": {"port": 8080, "protocol": "http"}, "connectionPool": pool}
    documents = list(one_route())
    documents[1] = gateway(listeners=[listener])
    async with upstream(wait) as backend, serving(*documents, books=backend.port) as envoy:
        # One after another, because a request also waits while its connection is being made.
        asked = []
        for under_way in (1, 2):
            asked.append(asyncio.create_task(ask(envoy)))
            await until(partial(_waits, backend, under_way))
        asked.append(asyncio.create_task(ask(envoy)))
        await until(lambda: envoy.stat(f"cluster.{POOL_CLUSTER}.upstream_rq_pending_active") == 1)
        assert [await ask(envoy) for _ in range(3)] == [503, 503, 503]
        assert backend.waiting == 2
        gate.set()
        assert await asyncio.gather(*asked) == [200, 200, 200]


def _waits(backend: Upstream, count: int) -> bool:
    return backend.waiting == count


async def test_more_than_1024_requests_at_once_pass() -> None:
    count = 1100
    full = asyncio.Event()
    waiting = 0

    async def wait(_: Seen) -> int:
        nonlocal waiting
        waiting += 1
        if waiting == count:
            full.set()
        await full.wait()
        return 200

    async with upstream(wait) as backend, serving(*one_route(), books=backend.port) as envoy:
        answers = await asyncio.gather(*(ask(envoy) for _ in range(count)))
    assert Counter(answers) == {200: count}


async def test_a_websocket_is_carried_with_and_without_a_pool() -> None:
    listener = {"portMapping": {"port": 8080, "protocol": "http"}}
    pooled = {**listener, "connectionPool": {"http": {"maxConnections": 2}}}
    for chosen in (listener, pooled):
        documents = list(one_route())
        documents[1] = gateway(listeners=[chosen])
        async with (
            upstream() as backend,
            serving(*documents, books=backend.port) as envoy,
            envoy.client(8080) as client,
        ):
            upgrade = (("connection", "upgrade"), ("upgrade", "websocket"))
            answer = await client.ask("GET", "/chat", "shop.test", upgrade)
            assert answer.status == 101
            reader, writer = await client.streams()
            writer.write(b"hello")
            async with asyncio.timeout(5):
                assert await reader.readexactly(5) == b"hello"


SAMPLE = 4000


@pytest.mark.parametrize(
    ("outer", "inner"), [((50, 50), (50, 50)), ((10, 90), (1, 1, 1)), ((1, 2, 1), (100, 0, 25))]
)
async def test_shares_are_right_on_both_levels(
    outer: tuple[int, ...], inner: tuple[int, ...]
) -> None:
    documents: list[Document] = [MESH, gateway()]
    weighted = []
    for index, weight in enumerate(outer):
        name = f"s{index}"
        nodes = [f"{name}-n{number}" for number in range(len(inner))]
        targets = zip(nodes, inner, strict=True)
        documents += [node(each, 80) for each in nodes]
        documents += [
            service(name, router=name),
            router(name, route("all", {"prefix": "/"}, *targets)),
        ]
        weighted.append({"targetRef": {"virtualServiceRef": {"name": name}}, "weight": weight})
    body = {"match": {"prefix": "/"}, "action": {"weightedTargets": weighted}}
    documents.append(document("GatewayRoute", "g", {"httpRoute": body}))
    with running(linked(*documents).graph) as envoy:
        seen = await chosen_clusters(envoy)
    for index, outer_weight in enumerate(outer):
        for number, inner_weight in enumerate(inner):
            share = outer_weight / sum(outer) * inner_weight / sum(inner)
            # Five standard deviations: one false alarm in a million runs.
            margin = 5 * (SAMPLE * share * (1 - share)) ** 0.5
            found = seen[f"cds_egress_mesh_s{index}-n{number}_shop_http_80"]
            assert abs(found - SAMPLE * share) <= margin, (index, number, found)


async def chosen_clusters(envoy: Running) -> Counter[str | None]:
    async with envoy.client(8080) as client:
        answers = [await client.ask("GET", "/") for _ in range(SAMPLE)]
    return Counter(answer.header("x-cluster") for answer in answers)
