"""AccessPolicy by traffic: keys and passwords, where they may be, and who they make of a caller."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.credentials import who, with_tables
from tests.support.gateway import Running
from tests.support.http1 import Answer
from tests.support.manifests import (
    MESH,
    Document,
    document,
    gateway,
    gateway_route,
    node,
    policy,
    route,
    router,
    service,
)
from tests.support.scenes import serving, serving_with
from tests.support.upstream import Upstream, upstream

pytestmark = pytest.mark.envoy
Headers = tuple[tuple[str, str], ...]

KEY = "pm_k1_0123456789abcdef"
OTHER = "pm_k2_0123456789abcdef"
BASIC = "Basic " + base64.b64encode(b"b1:secret").decode()
TABLES = with_tables(
    keys={KEY: who("acme", "k1", "gold", "beta"), OTHER: who("globex", "k2")},
    passwords={BASIC: who("acme", "b1", "gold")},
)

DIRECT = (
    MESH,
    gateway(),
    node("books", 80),
    service("books", node="books"),
    gateway_route("books", {"prefix": "/"}, "books"),
)
ROUTED = (
    *DIRECT[:3],
    service("books", router="books"),
    router(
        "books",
        route("admin", {"prefix": "/admin"}, ("books", 1)),
        route("all", {"prefix": "/"}, ("books", 1)),
    ),
    DIRECT[4],
)
TWICE = (
    *DIRECT[:3],
    service("books", router="books"),
    router("books", route("all", {"path": {"regex": "/[a-z]*"}}, ("books", 1))),
    gateway_route("books", {"prefix": "/shop/"}, "books"),
)


def access(target: str, name: str = "access", **spec: Any) -> Document:
    return policy("AccessPolicy", name, target, **spec)


def key_in(**places: list[str]) -> dict[str, Any]:
    return {"apiKey": places}


async def ask(
    envoy: Running, target: str = "/", *headers: tuple[str, str], method: str = "GET"
) -> Answer:
    async with envoy.client(8080) as client:
        return await client.ask(method, target, "shop.test", headers)


@pytest.fixture
async def backend() -> AsyncIterator[Upstream]:
    async with upstream() as found:
        yield found


@pytest.mark.parametrize(
    ("places", "target", "headers"),
    [
        ({}, "/a", (("x-api-key", KEY),)),
        ({}, "/a", (("X-API-KEY", KEY),)),
        ({"headers": ["x-key"]}, "/a", (("x-key", KEY),)),
        ({"headers": ["authorization"]}, "/a", (("authorization", f"Bearer {KEY}"),)),
        ({"query": ["key"]}, f"/a?b=1&key={KEY}", ()),
        ({"cookies": ["key"]}, "/a", (("cookie", f"theme=dark; key={KEY}"),)),
        ({"headers": ["x-key"], "query": ["key"]}, f"/a?key={KEY}", ()),
    ],
)
async def test_a_key_is_found_where_the_policy_says_and_taken_out(
    backend: Upstream, places: dict[str, list[str]], target: str, headers: Headers
) -> None:
    guard = access("VirtualGateway/gateway", methods=[key_in(**places)])
    async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
        assert (await ask(envoy, target, *headers)).status == 200
        assert (await ask(envoy, "/a")).status == 401
    (seen,) = backend.seen
    assert seen.headers["x-pointsman-consumer"] == "shop/acme"
    assert seen.headers["x-pointsman-credential"] == "k1"
    assert seen.headers["x-pointsman-groups"] == ",gold,beta,"
    assert KEY not in str(seen)


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/", ()),
        ("/", (("x-api-key", ""),)),
        ("/", (("x-api-key", KEY[:-1]),)),
        ("/", (("x-api-key", KEY.upper()),)),
        ("/", (("x-api-key", f" {KEY[:-1]}f x"),)),
        ("/", (("x-api-key", "wrong"), ("x-api-key", KEY))),
        ("/", (("x-key", KEY),)),
        ("/", (("authorization", KEY),)),
        ("/", (("authorization", f"Bearer {KEY}"),)),
        (f"/?x-api-key={KEY}", ()),
        ("/", (("cookie", f"x-api-key={KEY}"),)),
        ("/", (("x-api-key", BASIC),)),
        ("/", (("x-pointsman-principal", who("acme", "k1", "gold")),)),
        ("/", (("x-pointsman-consumer", "shop/acme"),)),
        ("/", (("X-Pointsman-Consumer", "shop/acme"), ("x-pointsman-groups", ",gold,"))),
    ],
)
async def test_what_is_no_key_or_in_the_wrong_place_is_turned_away(
    backend: Upstream, target: str, headers: Headers
) -> None:
    guard = access("VirtualGateway/gateway", methods=[key_in()])
    async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
        assert (await ask(envoy, target, *headers)).status == 401
    assert backend.seen == []


async def test_identity_cannot_be_forged_with_a_good_key_or_where_nobody_is_asked(
    backend: Upstream,
) -> None:
    forged = (
        ("x-pointsman-consumer", "shop/globex"),
        ("X-POINTSMAN-CREDENTIAL", "k9"),
        ("x-pointsman-groups", ",admin,"),
        ("x-pointsman-anything", "x"),
    )
    guard = access("VirtualGateway/gateway", methods=[key_in()])
    async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
        assert (await ask(envoy, "/", ("x-api-key", KEY), *forged)).status == 200
    async with serving(*DIRECT, books=backend.port) as envoy:
        assert (await ask(envoy, "/", *forged)).status == 200
    asked, unasked = backend.seen
    assert asked.headers["x-pointsman-consumer"] == "shop/acme"
    assert asked.headers["x-pointsman-credential"] == "k1"
    assert asked.headers["x-pointsman-groups"] == ",gold,beta,"
    assert not [name for name in unasked.headers if name.startswith("x-pointsman-")]


async def test_a_password_is_not_a_key_and_a_key_is_not_a_password(backend: Upstream) -> None:
    guard = access("VirtualGateway/gateway", methods=[{"basic": {}}])
    async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
        assert (await ask(envoy, "/", ("authorization", BASIC))).status == 200
        assert (await ask(envoy, "/", ("authorization", f"Bearer {KEY}"))).status == 401
        assert (await ask(envoy, "/", ("authorization", f"{BASIC}=="))).status == 401
        assert (await ask(envoy, "/", ("x-api-key", KEY))).status == 401
    (seen,) = backend.seen
    assert seen.headers["x-pointsman-credential"] == "b1"
    assert "authorization" not in seen.headers


async def test_of_several_methods_the_first_one_with_a_credential_decides(
    backend: Upstream,
) -> None:
    guard = access("VirtualGateway/gateway", methods=[key_in(), {"basic": {}}])
    async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
        good, bad = ("x-api-key", KEY), ("x-api-key", "bad")
        basic = ("authorization", BASIC)
        assert (await ask(envoy, "/", good)).status == 200
        assert (await ask(envoy, "/", basic)).status == 200
        assert (await ask(envoy, "/", bad, basic)).status == 401
        assert (await ask(envoy, "/")).status == 401
    assert [seen.headers["x-pointsman-credential"] for seen in backend.seen] == ["k1", "b1"]


async def test_anonymous_requests_pass_and_wrong_keys_do_not(backend: Upstream) -> None:
    guard = access("VirtualGateway/gateway", methods=[key_in()], anonymous=True)
    async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
        assert (await ask(envoy, "/")).status == 200
        assert (await ask(envoy, "/", ("x-api-key", "bad"))).status == 401
    (seen,) = backend.seen
    assert "x-pointsman-consumer" not in seen.headers


RULES = [
    {"name": "golden", "groups": ["gold"]},
    {"name": "reads", "consumers": [{"name": "globex"}], "methods": ["GET"]},
    {"name": "no secrets", "action": "deny", "paths": [{"prefix": "/secret"}]},
]


@pytest.mark.parametrize(
    ("key", "method", "target", "status"),
    [
        (KEY, "POST", "/a", 200),
        (OTHER, "GET", "/a", 200),
        (OTHER, "POST", "/a", 403),
        (KEY, "GET", "/secret/x", 403),
        (KEY, "GET", "/x/../secret", 403),
        (KEY, "GET", "//secret", 403),
        (KEY, "GET", "/%73ecret", 403),
        ("bad", "GET", "/a", 401),
    ],
)
async def test_rules_allow_and_deny_and_denial_wins(
    backend: Upstream, key: str, method: str, target: str, status: int
) -> None:
    guard = access("VirtualGateway/gateway", methods=[key_in()], rules=RULES)
    async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
        assert (await ask(envoy, target, ("x-api-key", key), method=method)).status == status


async def test_an_audit_counts_and_lets_pass(backend: Upstream) -> None:
    guard = access("VirtualGateway/gateway", methods=[key_in()], rules=RULES, audit=True)
    async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
        assert (await ask(envoy, "/secret", ("x-api-key", OTHER), method="POST")).status == 200
        assert envoy.stat(r"http\.ingress\.rbac\.shadow_denied") == 2


async def test_addresses_are_looked_at_before_keys(backend: Upstream) -> None:
    for sources, status in (
        ({"allow": ["127.0.0.0/8"]}, 200),
        ({"allow": ["10.0.0.0/8"]}, 403),
        ({"deny": ["127.0.0.1"]}, 403),
        ({"allow": ["127.0.0.0/8"], "deny": ["127.0.0.1/32"]}, 403),
    ):
        guard = access("VirtualGateway/gateway", methods=[key_in()], sources=sources)
        async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
            spoofed = ("x-forwarded-for", "10.1.2.3")
            assert (await ask(envoy, "/", ("x-api-key", KEY), spoofed)).status == status
            if status == 403:
                assert (await ask(envoy, "/")).status == 403


@pytest.mark.parametrize("scene", [ROUTED, TWICE], ids=["one pass", "two passes"])
async def test_the_most_specific_policy_counts_as_a_whole(
    backend: Upstream, scene: tuple[Document, ...]
) -> None:
    """Each level wants its key in a header of its own."""
    targets = (
        "VirtualGateway/gateway",
        "VirtualGateway/gateway/8080",
        "GatewayRoute/books",
        "VirtualService/books",
        "VirtualRouter/books",
        "VirtualRouter/books/all",
    )
    levels = [
        access(target, f"level-{index}", methods=[key_in(headers=[f"x-level-{index}"])])
        for index, target in enumerate(targets)
    ]
    for count in range(1, len(levels) + 1):
        async with serving_with(TABLES, *scene, *levels[:count], books=backend.port) as envoy:
            answers = [
                (await ask(envoy, "/shop/abc", (f"x-level-{index}", KEY))).status
                for index in range(len(levels))
            ]
        assert answers == [200 if index == count - 1 else 401 for index in range(len(levels))]
    assert all("x-pointsman-second-pass" not in seen.headers for seen in backend.seen)


async def test_what_has_no_route_is_guarded_as_well(backend: Upstream) -> None:
    scene = (
        *DIRECT[:3],
        service("books", router="books"),
        router("books", route("one", {"prefix": "/one"}, ("books", 1))),
        DIRECT[4],
    )
    guard = access("VirtualGateway/gateway", methods=[key_in()])
    async with serving_with(TABLES, *scene, guard, books=backend.port) as envoy:
        assert (await ask(envoy, "/other")).status == 401
        assert (await ask(envoy, "/other", ("x-api-key", KEY))).status == 404


async def test_preflight_requests_need_no_key(backend: Upstream) -> None:
    guard = access("VirtualGateway/gateway", methods=[key_in()])
    cors = policy(
        "RoutePolicy", "cors", "GatewayRoute/books", cors={"allowOrigins": ["https://app.test"]}
    )
    preflight = (("origin", "https://app.test"), ("access-control-request-method", "GET"))
    async with serving_with(TABLES, *DIRECT, guard, cors, books=backend.port) as envoy:
        answer = await ask(envoy, "/", *preflight, method="OPTIONS")
        assert answer.status == 200
        assert answer.header("access-control-allow-origin") == "https://app.test"
        assert (await ask(envoy, "/", ("origin", "https://app.test"))).status == 401
    assert backend.seen == []


async def test_a_connection_pool_keeps_the_guard_and_the_address(backend: Upstream) -> None:
    pooled = document(
        "VirtualGateway",
        "gateway",
        {
            "namespaceSelector": {},
            "listeners": [
                {
                    "portMapping": {"port": 8080, "protocol": "http"},
                    "connectionPool": {"http": {"maxConnections": 5}},
                }
            ],
        },
    )
    scene = (DIRECT[0], pooled, *DIRECT[2:])
    guard = access("VirtualGateway/gateway", methods=[key_in()], sources={"allow": ["127.0.0.1"]})
    async with serving_with(TABLES, *scene, guard, books=backend.port) as envoy:
        assert (await ask(envoy, "/", ("x-api-key", KEY))).status == 200
        assert (await ask(envoy, "/", ("x-forwarded-for", "127.0.0.1"))).status == 401
    assert backend.seen[0].headers["x-pointsman-consumer"] == "shop/acme"
