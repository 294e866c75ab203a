"""What the second pass over an internal listener must keep as it is with one pass."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import Running
from tests.support.manifests import MESH, Document, gateway, gateway_route, node, route, router
from tests.support.manifests import service as virtual_service
from tests.support.scenes import serving
from tests.support.upstream import Seen, until, upstream

pytestmark = pytest.mark.envoy

BEHIND_A_PREFIX = {"path": {"regex": "/page/[0-9]+"}}
"""A router's regex behind a rewritten prefix is what one pass cannot say."""
RETRY = {
    "maxRetries": 3,
    "perRetryTimeout": {"unit": "s", "value": 5},
    "httpRetryEvents": ["server-error"],
}
POOL = {"http": {"maxConnections": 10}}


def scene(pooled: bool = False, log: str | None = None, **more: object) -> tuple[Document, ...]:
    listener: Document = {"portMapping": {"port": 8080, "protocol": "http"}}
    if pooled:
        listener = {**listener, "connectionPool": POOL}
    logging: dict[str, Any] = {"logging": {"accessLog": {"file": json_log(log)}}} if log else {}
    return (
        MESH,
        gateway(listeners=[listener], **logging),
        node("books", 80),
        virtual_service("books", router="books"),
        router("books", route("pages", BEHIND_A_PREFIX, ("books", 1), **more)),
        gateway_route("books", {"prefix": "/books"}, "books"),
    )


def json_log(path: str) -> Document:
    fields = {"path": "%REQ(:PATH)%", "code": "%RESPONSE_CODE%"}
    pairs = [{"key": key, "value": value} for key, value in fields.items()]
    return {"path": path, "format": {"json": pairs}}


async def ask(envoy: Running, target: str, *headers: tuple[str, str]) -> int:
    async with envoy.client(8080) as client:
        return (await client.ask("GET", target, "shop.test", headers)).status


@pytest.mark.parametrize("pooled", [False, True])
async def test_path_host_and_client_address_reach_the_backend(pooled: bool) -> None:
    async with upstream() as backend, serving(*scene(pooled), books=backend.port) as envoy:
        assert await ask(envoy, "/books/page/12?x=1", ("x-forwarded-for", "192.0.2.7")) == 200
    (seen,) = backend.seen
    assert seen.target == "/page/12?x=1"
    assert seen.headers["host"] == "books.shop"
    client, *own = seen.headers["x-forwarded-for"].split(",")
    assert client == "192.0.2.7"
    assert len(own) == 1
    assert seen.headers["x-envoy-original-path"] == "/books/page/12?x=1"
    assert "x-envoy-internal" not in seen.headers


@pytest.mark.parametrize("target", ["/books/page/12", "/books/page/other"])
async def test_clients_cannot_set_the_marker_of_the_second_pass(target: str) -> None:
    mark = ("x-pointsman-second-pass", "shop/other>0")
    async with upstream() as backend, serving(*scene(), books=backend.port) as envoy:
        assert await ask(envoy, target, mark) == (200 if target.endswith("12") else 404)
    assert all(mark[0] not in seen.headers for seen in backend.seen)


async def test_the_marker_is_taken_from_requests_of_one_pass_too() -> None:
    documents = (
        MESH,
        gateway(),
        node("books", 80),
        virtual_service("books", node="books"),
        gateway_route("books", {"prefix": "/"}, "books"),
    )
    async with upstream() as backend, serving(*documents, books=backend.port) as envoy:
        assert await ask(envoy, "/", ("x-pointsman-second-pass", "shop/books>0")) == 200
    assert "x-pointsman-second-pass" not in backend.seen[0].headers


@pytest.mark.parametrize("pooled", [False, True])
async def test_only_the_inner_pass_retries(pooled: bool) -> None:
    documents = scene(pooled, retryPolicy=RETRY)
    async with upstream(500) as backend, serving(*documents, books=backend.port) as envoy:
        assert await ask(envoy, "/books/page/1", ("x-envoy-retry-on", "5xx")) == 500
    assert len(backend.seen) == 1 + 3


@pytest.mark.parametrize("pooled", [False, True])
async def test_the_routes_timeout_is_in_force(pooled: bool) -> None:
    stuck = asyncio.Event()

    async def never(_: Seen) -> int:
        await stuck.wait()
        return 200

    timeout = {"perRequest": {"unit": "ms", "value": 200}}
    documents = scene(pooled, timeout=timeout)
    async with upstream(never) as backend, serving(*documents, books=backend.port) as envoy:
        assert await ask(envoy, "/books/page/1") == 504
        assert len(backend.seen) == 1


@pytest.mark.parametrize("pooled", [False, True])
async def test_a_request_is_logged_once(pooled: bool, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    async with (
        upstream() as backend,
        serving(*scene(pooled, str(log)), books=backend.port) as envoy,
    ):
        assert await ask(envoy, "/books/page/1") == 200
        assert await ask(envoy, "/books/page/x") == 404
        assert await ask(envoy, "/nothing") == 404
        assert await ask(envoy, "/books/page/last") == 404
        await until(lambda: "last" in log.read_text())
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["code"] for line in lines] == [200, 404, 404, 404]
