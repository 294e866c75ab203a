"""RoutePolicy by traffic: timeouts, retries, copies, headers, faults, CORS."""

import asyncio
import time
from typing import Any

import pytest

from tests.support.gateway import Running
from tests.support.http1 import Answer
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
from tests.support.scenes import serving
from tests.support.upstream import Seen, always, until, upstream

pytestmark = pytest.mark.envoy
SECOND = {"unit": "s", "value": 1}
Headers = tuple[tuple[str, str], ...]

DIRECT = (
    MESH,
    gateway(),
    node("books", 80),
    node("copy", 80),
    service("books", node="books"),
    gateway_route("books", {"prefix": "/"}, "books"),
)
"""A service that a node provides."""
ROUTED = (
    *DIRECT[:4],
    service("books", router="books"),
    router("books", route("all", {"prefix": "/"}, ("books", 1))),
    DIRECT[5],
)
"""A service with a router."""
TWICE = (
    *DIRECT[:4],
    service("books", router="books"),
    router("books", route("all", {"path": {"regex": "/[a-z]*"}}, ("books", 1))),
    gateway_route("books", {"prefix": "/shop/"}, "books"),
)
"""Routes that need the second pass: a regex behind a rewritten prefix."""


def on(target: str, **spec: Any) -> Document:
    return policy("RoutePolicy", target.replace("/", "-").lower(), target, **spec)


async def ask(
    envoy: Running, target: str = "/", headers: Headers = (), method: str = "GET"
) -> Answer:
    async with envoy.client(8080) as client:
        return await client.ask(method, target, "shop.test", headers)


def added(name: str, value: str) -> dict[str, Any]:
    return {"set": [{"name": name, "value": value}]}


async def never(_: Seen) -> int:
    await asyncio.Event().wait()
    return 200


async def test_a_service_of_a_node_gets_a_timeout() -> None:
    limit = on("VirtualService/books", timeout={"perRequest": {"unit": "ms", "value": 100}})
    async with upstream(never) as backend, serving(*DIRECT, limit, books=backend.port) as envoy:
        assert (await ask(envoy)).status == 504


@pytest.mark.parametrize(
    ("retry", "status", "tries"),
    [
        ({"maxRetries": 0}, 503, 1),
        ({"maxRetries": 3, "httpRetryEvents": ["server-error"]}, 500, 4),
        ({"maxRetries": 1, "statusCodes": [429, 418]}, 429, 2),
        ({"maxRetries": 1, "statusCodes": [429, 418]}, 503, 1),
        ({"maxRetries": 1, "httpRetryEvents": ["gateway-error"], "statusCodes": [404]}, 502, 2),
    ],
)
async def test_a_service_of_a_node_gets_retries(
    retry: dict[str, Any], status: int, tries: int
) -> None:
    again = on("VirtualService/books", retry=retry)
    async with upstream(status) as backend, serving(*DIRECT, again, books=backend.port) as envoy:
        assert (await ask(envoy)).status == status
    assert len(backend.seen) == tries


async def test_the_most_specific_policy_counts_and_the_gateway_route_before_all() -> None:
    levels = [
        on(target, responseHeaders=added("x-level", target), fault=aborted(status))
        for target, status in (
            ("VirtualService/books", 501),
            ("VirtualRouter/books", 502),
            ("VirtualRouter/books/all", 503),
            ("GatewayRoute/books", 504),
        )
    ]
    async with upstream() as backend:
        for count, level in enumerate(levels, 1):
            async with serving(*ROUTED, *levels[:count], books=backend.port) as envoy:
                answer = await ask(envoy)
            target = level["spec"]["targetRefs"][0]
            assert answer.status == 500 + count
            assert answer.header("x-level") == "/".join(target.values())


def aborted(status: int, percent: float = 100) -> dict[str, Any]:
    return {"abort": {"httpStatus": status, "percent": percent}}


@pytest.mark.parametrize("documents", [DIRECT, TWICE])
async def test_copies_go_to_a_node_whose_answer_nobody_waits_for(
    documents: tuple[Document, ...],
) -> None:
    mirror = on("VirtualService/books", mirror={"virtualNodeRef": {"name": "copy"}})
    async with upstream() as backend, upstream(never) as copy:
        ports = {"books": backend.port, "copy": copy.port}
        async with serving(*documents, mirror, **ports) as envoy:
            answers = [await ask(envoy, "/shop/a") for _ in range(5)]
            await until(lambda: len(copy.seen) == 5)
        assert [answer.status for answer in answers] == [200] * 5
        assert {seen.target for seen in copy.seen} == {seen.target for seen in backend.seen}
        assert {seen.headers["host"] for seen in copy.seen} == {"books.shop"}


async def test_a_share_of_the_requests_is_copied() -> None:
    mirror = {"virtualNodeRef": {"name": "copy"}, "port": 80, "percent": 25}
    limited = on("GatewayRoute/books", mirror=mirror)
    async with upstream() as backend, upstream() as copy:
        async with serving(*DIRECT, limited, books=backend.port, copy=copy.port) as envoy:
            async with envoy.client(8080) as client:
                for _ in range(800):
                    await client.ask("GET", "/")
            name = "cluster.cds_egress_mesh_copy_shop_http_80.upstream_rq_completed"
            started = "cluster.cds_egress_mesh_copy_shop_http_80.upstream_rq_total"
            await until(lambda: envoy.stat(name) == envoy.stat(started))
        # 200 expected; five standard deviations are 61.
        assert 139 <= len(copy.seen) <= 261
    assert len(backend.seen) == 800


@pytest.mark.parametrize("documents", [DIRECT, TWICE])
async def test_headers_change_on_the_way_in_and_out(documents: tuple[Document, ...]) -> None:
    outer = on(
        "GatewayRoute/books",
        requestHeaders={
            "set": [{"name": "X-Team", "value": "web"}, {"name": "x-kept", "value": "100%"}],
            "add": [{"name": "x-list", "value": "gateway"}],
            "remove": ["x-debug"],
        },
        responseHeaders={"set": [{"name": "x-both", "value": "gateway"}], "remove": ["x-powered"]},
    )
    inner = on(
        "VirtualService/books",
        requestHeaders={
            "set": [{"name": "x-team", "value": "books"}],
            "add": [{"name": "x-list", "value": "service"}],
        },
        responseHeaders={"set": [{"name": "x-both", "value": "service"}]},
    )
    headers = (("x-debug", "1"), ("x-team", "client"), ("x-list", "client"))
    async with upstream() as backend:
        backend.headers = (("x-powered", "test"), ("x-both", "backend"))
        async with serving(*documents, outer, inner, books=backend.port) as envoy:
            answer = await ask(envoy, "/shop/a", headers)
        seen = dict(backend.seen[0].headers)
    assert (seen["x-team"], seen["x-kept"]) == ("books", "100%")
    assert "x-debug" not in seen
    assert seen["x-list"].split(",")[-1] == "service"
    assert [value for name, value in answer.headers if name == "x-both"] == ["gateway"]
    assert answer.header("x-powered") is None


@pytest.mark.parametrize("documents", [DIRECT, TWICE])
async def test_all_requests_of_a_route_fail_on_purpose(documents: tuple[Document, ...]) -> None:
    fault = on("VirtualService/books", fault=aborted(418))
    async with upstream() as backend, serving(*documents, fault, books=backend.port) as envoy:
        assert (await ask(envoy, "/shop/a")).status == 418
    assert backend.seen == []


async def test_a_fault_of_one_route_leaves_the_others_alone() -> None:
    routes = [route(name, {"prefix": f"/{name}"}, ("books", 1)) for name in ("good", "bad")]
    documents = (*ROUTED[:5], router("books", *routes), ROUTED[6])
    fault = on("VirtualRouter/books/bad", fault=aborted(500))
    async with upstream() as backend, serving(*documents, fault, books=backend.port) as envoy:
        assert (await ask(envoy, "/good")).status == 200
        assert (await ask(envoy, "/bad")).status == 500


async def test_a_share_of_the_requests_fails() -> None:
    fault = on("GatewayRoute/books", fault=aborted(500, 12.5))
    async with (
        upstream() as backend,
        serving(*DIRECT, fault, books=backend.port) as envoy,
        envoy.client(8080) as client,
    ):
        answers = [await client.ask("GET", "/") for _ in range(800)]
    failed = sum(answer.status == 500 for answer in answers)
    # 100 expected; five standard deviations are 46.
    assert 54 <= failed <= 146


async def test_a_grpc_client_gets_a_grpc_status() -> None:
    fault = on("VirtualService/books", fault={"abort": {"grpcStatus": 8}})
    grpc = (("content-type", "application/grpc"),)
    async with upstream() as backend, serving(*DIRECT, fault, books=backend.port) as envoy:
        answer = await ask(envoy, "/", grpc, "POST")
        assert (answer.status, answer.header("grpc-status")) == (200, "8")
        # What is not gRPC cannot tell: Envoy says it in a header of 200 all the same.
        assert (await ask(envoy)).status == 200
    assert backend.seen == []


async def test_requests_wait_on_purpose() -> None:
    delay = {"duration": {"unit": "ms", "value": 300}}
    fault = on("VirtualService/books", fault={"delay": delay})
    async with upstream() as backend, serving(*DIRECT, fault, books=backend.port) as envoy:
        start = time.monotonic()
        assert (await ask(envoy)).status == 200
        assert time.monotonic() - start >= 0.25


CORS = {
    "allowOrigins": ["https://app.example", "https://*.shop.example"],
    "allowMethods": ["GET", "PUT"],
    "allowHeaders": ["x-token"],
    "exposeHeaders": ["x-total"],
    "maxAge": {"unit": "s", "value": 600},
    "allowCredentials": True,
}


@pytest.mark.parametrize("documents", [DIRECT, TWICE])
@pytest.mark.parametrize("target", ["GatewayRoute/books", "VirtualService/books"])
async def test_preflight_requests_are_answered(
    documents: tuple[Document, ...], target: str
) -> None:
    asked = (("access-control-request-method", "PUT"),)
    async with (
        upstream() as backend,
        serving(*documents, on(target, cors=CORS), books=backend.port) as envoy,
    ):
        for origin in ("https://app.example", "https://a.shop.example"):
            answer = await ask(envoy, "/shop/a", (*asked, ("origin", origin)), "OPTIONS")
            assert answer.status == 200
            assert answer.header("access-control-allow-origin") == origin
            assert answer.header("access-control-allow-methods") == "GET,PUT"
            assert answer.header("access-control-allow-headers") == "x-token"
            assert answer.header("access-control-max-age") == "600"
            assert answer.header("access-control-allow-credentials") == "true"
        assert backend.seen == []
        for origin, allowed in (
            ("https://app.example", "https://app.example"),
            ("https://appxexample", None),
            ("https://shop.example.evil.test", None),
        ):
            answer = await ask(envoy, "/shop/a", (("origin", origin),))
            assert answer.header("access-control-allow-origin") == allowed
        assert len(backend.seen) == 3


USERS = 40
GROWING = (
    *DIRECT[:4],
    service("books", router="books"),
    router(
        "books",
        route("little", {"prefix": "/little"}, ("books", 80), ("copy", 20)),
        route("more", {"prefix": "/more"}, ("books", 40), ("copy", 60)),
    ),
    gateway_route("books", {"prefix": "/"}, "books"),
)
"""Two versions, and the second one before and after it got more."""


@pytest.mark.parametrize(
    ("by", "name", "value"),
    [({"header": "X-User"}, "x-user", "{}"), ({"cookie": "who"}, "cookie", "a=b; who={}")],
    ids=["header", "cookie"],
)
async def test_a_cohort_stays_with_a_version_that_grows(
    by: dict[str, str], name: str, value: str
) -> None:
    cohort = on("VirtualRouter/books", cohort=by)

    async def versions(envoy: Running, target: str) -> list[bytes]:
        async with envoy.client(8080) as client:
            return [
                (await client.ask("GET", target, "shop.test", ((name, value.format(user)),))).body
                for user in range(USERS)
            ]

    async with upstream(always(200)) as old, upstream(always(200)) as new:
        new.body = b"new"
        ports = {"books": old.port, "copy": new.port}
        async with serving(*GROWING, cohort, **ports) as envoy:
            before = await versions(envoy, "/little")
            after = await versions(envoy, "/more")
            assert await versions(envoy, "/little") == before
    assert 0 < before.count(b"new") < after.count(b"new") < USERS
    assert all(b == b"new" for a, b in zip(before, after, strict=True) if a == b"new")
