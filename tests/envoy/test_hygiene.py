"""HygienePolicy by traffic: what is not taken, and that nothing gets past by another spelling."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.envoy.test_access_keys import DIRECT, ROUTED, TWICE
from tests.support.gateway import Running
from tests.support.http1 import Answer
from tests.support.manifests import Document, policy
from tests.support.scenes import serving
from tests.support.upstream import Upstream, until, upstream

pytestmark = pytest.mark.envoy
GATEWAY = "VirtualGateway/gateway"


@pytest.fixture
async def backend() -> AsyncIterator[Upstream]:
    async with upstream() as found:
        yield found


def hygiene(target: str = GATEWAY, name: str = "hygiene", **spec: Any) -> Document:
    return policy("HygienePolicy", name, target, **spec)


async def ask(
    envoy: Running,
    target: str = "/",
    *headers: tuple[str, str],
    method: str = "GET",
    body: bytes = b"",
) -> Answer:
    async with envoy.client(8080) as client:
        return await client.ask(method, target, "shop.test", headers, body)


async def raw(envoy: Running, text: bytes) -> bytes:
    """What is answered to bytes as they are, until the proxy closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", envoy.ports[8080])
    try:
        writer.write(text)
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("scene", [DIRECT, ROUTED, TWICE], ids=["direct", "routed", "two passes"])
async def test_long_bodies_are_refused_however_they_come(
    backend: Upstream, scene: tuple[Document, ...]
) -> None:
    async with serving(*scene, hygiene(maxBodyBytes=100), books=backend.port) as envoy:
        assert (await ask(envoy, "/shop/a", method="POST", body=b"x" * 100)).status == 200
        assert (await ask(envoy, "/shop/a", method="POST", body=b"x" * 101)).status == 413
        head = b"POST /shop/a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
        chunk = b"20\r\n" + b"x" * 32 + b"\r\n"
        answer = await raw(envoy, head + chunk * 5 + b"0\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 413")


async def test_a_gateway_route_has_limits_of_its_own(backend: Upstream) -> None:
    outer = hygiene(maxBodyBytes=10, methods=["GET"])
    inner = hygiene("GatewayRoute/books", "inner", maxBodyBytes=100)
    async with serving(*DIRECT, outer, inner, books=backend.port) as envoy:
        assert (await ask(envoy, method="POST", body=b"x" * 100)).status == 200
        assert (await ask(envoy, method="POST", body=b"x" * 101)).status == 413


@pytest.mark.parametrize(
    ("method", "status"),
    [("GET", 200), ("POST", 405), ("DELETE", 405), ("TRACE", 405), ("OPTIONS", 405)],
)
async def test_other_methods_are_answered_405_with_those_there_are(
    backend: Upstream, method: str, status: int
) -> None:
    async with serving(*ROUTED, hygiene(methods=["GET", "PUT"]), books=backend.port) as envoy:
        answer = await ask(envoy, "/a", method=method)
        assert answer.status == status
        assert answer.header("allow") == (None if status == 200 else "GET, PUT")


async def test_a_method_in_lower_case_is_none(backend: Upstream) -> None:
    async with serving(*DIRECT, hygiene(methods=["GET"]), books=backend.port) as envoy:
        answer = await raw(envoy, b"get / HTTP/1.1\r\nhost: h\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400")
    assert backend.seen == []


async def test_preflight_requests_pass_whatever_the_methods(backend: Upstream) -> None:
    cors = policy(
        "RoutePolicy", "cors", "GatewayRoute/books", cors={"allowOrigins": ["https://app.test"]}
    )
    asked = (("origin", "https://app.test"), ("access-control-request-method", "GET"))
    async with serving(*DIRECT, hygiene(methods=["GET"]), cors, books=backend.port) as envoy:
        assert (await ask(envoy, "/", *asked, method="OPTIONS")).status == 200


@pytest.mark.parametrize(
    ("target", "status", "seen"),
    [
        ("/shop//a", 200, "/shop/a"),
        ("/shop/x/../a", 200, "/shop/a"),
        ("/shop/%2e%2e/a", 200, "/a"),
        ("/shop/%61", 200, "/shop/a"),
        ("/shop%2fa", 400, None),
        ("/shop%5Ca", 400, None),
        ("/shop/..%2fadmin", 400, None),
        ("/shop/%2e%2e%2fadmin", 400, None),
        ("/shop/%2e%2e;/admin", 400, None),
        ("/shop/..%3b/admin", 400, None),
        ("/shop/%2e%2e%3B/admin", 400, None),
        ("/shop/..;/admin", 200, "/admin"),
        ("/shop/..\\admin", 200, "/admin"),
        ("/shop/a#b", 400, None),
        ("/shop/.;/admin", 200, "/shop/admin"),
        ("/shop/..;x=1/admin", 200, "/admin"),
        ("/shop/%00", 400, None),
        ("/shop/a;v=1", 200, "/shop/a;v=1"),
    ],
)
async def test_paths_that_servers_read_otherwise_are_refused_or_made_plain(
    backend: Upstream, target: str, status: int, seen: str | None
) -> None:
    """What the backend sees is what was matched."""
    async with serving(*DIRECT, hygiene(maxHeaders=50), books=backend.port) as envoy:
        assert (await ask(envoy, target)).status == status
    assert [item.target for item in backend.seen] == ([] if seen is None else [seen])


async def test_escaped_slashes_become_slashes_before_routes_are_matched(
    backend: Upstream,
) -> None:
    guard = policy(
        "AccessPolicy",
        "no-admin",
        GATEWAY,
        rules=[{"name": "admin", "action": "deny", "paths": [{"prefix": "/admin"}]}],
    )
    plain = hygiene(escapedSlashes="unescape")
    async with serving(*DIRECT, plain, guard, books=backend.port) as envoy:
        assert (await ask(envoy, "/x%2f..%2fadmin/a")).status == 403
        assert (await ask(envoy, "/x%2fa")).status == 200
    assert [item.target for item in backend.seen] == ["/x/a"]


async def test_headers_have_limits_of_size_and_number(backend: Upstream) -> None:
    limits = hygiene(maxHeadersKib=2, maxHeaders=20)
    async with serving(*DIRECT, limits, books=backend.port) as envoy:
        assert (await ask(envoy, "/", ("x-a", "a" * 1000))).status == 200
        assert (await ask(envoy, "/", ("x-a", "a" * 3000))).status == 431
        many = tuple((f"x-{index}", "a") for index in range(30))
        assert (await ask(envoy, "/", *many)).status == 431


async def test_slow_requests_are_given_up(backend: Upstream) -> None:
    quick = {"unit": "ms", "value": 200}
    times = hygiene(timeouts={"headers": quick, "request": {"unit": "ms", "value": 400}})
    async with serving(*DIRECT, times, books=backend.port) as envoy:
        slow_headers = await raw(envoy, b"GET / HTTP/1.1\r\nhost: h\r\nx-a: ")
        assert slow_headers.startswith(b"HTTP/1.1 408")
        head = b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\n"
        slow_body = await raw(envoy, head + b"x")
        assert slow_body.startswith(b"HTTP/1.1 408")


async def test_more_connections_are_closed_at_once(backend: Upstream) -> None:
    async with serving(*DIRECT, hygiene(maxConnections=2), books=backend.port) as envoy:
        held = [await asyncio.open_connection("127.0.0.1", envoy.ports[8080]) for _ in range(2)]
        await until(lambda: envoy.stat(r"connection_limit\.ingress\.active_connections") == 2)
        try:
            answer = await raw(envoy, b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        except ConnectionResetError:
            # Closed before the request was read.
            answer = b""
        assert answer == b""
        for _, writer in held:
            writer.close()
        await until(lambda: envoy.stat(r"connection_limit\.ingress\.active_connections") == 0)
        assert (await ask(envoy)).status == 200


async def test_answers_tell_browsers_what_is_recommended_and_nothing_of_programs(
    backend: Upstream,
) -> None:
    backend.headers = (
        ("server", "Apache/2.4.1"),
        ("x-powered-by", "PHP/5.3"),
        ("x-frame-options", "SAMEORIGIN"),
        ("x-build", "17"),
    )
    answers = {"recommended": True, "hide": ["x-build"], "set": [{"name": "x-a", "value": "100%"}]}
    async with serving(*DIRECT, hygiene(answers=answers), books=backend.port) as envoy:
        answer = await ask(envoy)
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("strict-transport-security") == "max-age=31536000; includeSubDomains"
    assert answer.header("x-frame-options") == "SAMEORIGIN"
    assert answer.header("x-a") == "100%"
    hidden = ("server", "x-powered-by", "x-build", "x-envoy-upstream-service-time")
    assert [answer.header(name) for name in hidden] == [None] * 4


@pytest.mark.parametrize(("hops", "status"), [(None, 403), (1, 200)])
async def test_addresses_of_proxies_in_front_are_believed_as_far_as_said(
    backend: Upstream, hops: int | None, status: int
) -> None:
    allowed = policy("AccessPolicy", "from", GATEWAY, sources={"allow": ["203.0.113.0/24"]})
    spec = hygiene(maxHeaders=50) if hops is None else hygiene(trustedHops=hops)
    async with serving(*DIRECT, spec, allowed, books=backend.port) as envoy:
        told = ("x-forwarded-for", "198.51.100.1, 203.0.113.7")
        assert (await ask(envoy, "/", told)).status == status
        forged = ("x-forwarded-for", "203.0.113.7, 198.51.100.1")
        assert (await ask(envoy, "/", forged)).status == 403


async def test_load_is_shed_while_most_requests_fail(backend: Upstream) -> None:
    async def failing(_: object) -> int:
        return 500

    backend.reply = failing
    shed = hygiene(shedding={"successPercent": 95, "mostPercent": 90})
    async with serving(*DIRECT, shed, books=backend.port) as envoy:
        statuses: list[int] = []

        async def turned_away() -> bool:
            statuses.append((await ask(envoy)).status)
            return statuses[-1] == 503

        async with asyncio.timeout(20):
            while not await turned_away():
                pass
    assert 500 in statuses


async def test_requests_in_flight_are_bounded(backend: Upstream) -> None:
    release = asyncio.Event()

    async def held(_: object) -> int:
        await release.wait()
        return 200

    backend.reply = held
    bounded = hygiene(concurrency={"most": 3})
    async with serving(*DIRECT, bounded, books=backend.port) as envoy:
        first = [asyncio.create_task(ask(envoy)) for _ in range(3)]
        await until(lambda: backend.waiting == 3)
        assert (await ask(envoy)).status == 503
        release.set()
        assert [(await task).status for task in first] == [200] * 3
