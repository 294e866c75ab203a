"""Limits that a proxy counts by itself, by traffic: how many pass, and what the others are told."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.translate import translate
from tests.envoy.test_access_keys import TWICE
from tests.envoy.test_access_tokens import bearer, token, tokens
from tests.support.gateway import running, sidecar_running
from tests.support.http1 import Client
from tests.support.limits import (
    ACME,
    GLOBEX,
    INITECH,
    KEYS,
    SCENE,
    TABLES,
    ask,
    by,
    key,
    limits,
    problem,
    rate,
    statuses,
)
from tests.support.manifests import Document, document, gateway_route, node, policy, service
from tests.support.scenes import key as key_of
from tests.support.scenes import linked, serving, serving_with
from tests.support.upstream import Upstream, upstream

pytestmark = pytest.mark.envoy


@pytest.fixture
async def backend() -> AsyncIterator[Upstream]:
    async with upstream() as found:
        yield found


async def test_the_burst_passes_and_not_one_more(backend: Upstream) -> None:
    guard = limits({"rate": rate(3, burst=7)})
    async with serving(*SCENE, guard, books=backend.port) as envoy:
        assert await statuses(envoy, 20) == {200: 7, 429: 13}
        assert envoy.stat(r"pointsman\.limit\.shop\.plans\.all\.http_local_rate_limit\.enforced")
    assert len(backend.seen) == 7


async def test_several_workers_count_together(backend: Upstream) -> None:
    graph = linked(*SCENE, limits({"rate": rate(50)}), books=backend.port).graph
    with running(graph, echo=False, concurrency=3) as envoy:
        found = await asyncio.gather(*(statuses(envoy, 10) for _ in range(12)))
    assert sum(item.get(200, 0) for item in found) == 50


async def test_a_refusal_tells_which_limit_and_when_to_come_back(backend: Upstream) -> None:
    guard = limits({"name": "plan", "rate": rate(7, "minute", burst=1)})
    async with serving(*SCENE, guard, books=backend.port) as envoy:
        passed, refused = await ask(envoy), await ask(envoy)
    assert passed.status == 200
    assert passed.header("x-pointsman-limit") is passed.header("retry-after") is None
    assert refused.status == 429
    assert refused.header("x-pointsman-limit") == "shop/plans/plan"
    assert refused.header("retry-after") == "9"
    assert problem(refused) == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "the limit shop/plans/plan is used up",
        "limit": "shop/plans/plan",
    }


async def test_calls_of_grpc_get_a_status_of_their_own(backend: Upstream) -> None:
    guard = limits({"rate": rate(1)})
    grpc = ("content-type", "application/grpc")
    async with serving(*SCENE, guard, books=backend.port) as envoy:
        await ask(envoy)
        refused = await ask(envoy, "/shop.Books/List", grpc, method="POST")
    assert refused.header("grpc-status") == "8"
    assert "{" not in (refused.header("grpc-message") or "")


async def test_each_consumer_has_its_own_and_nobody_known_counts_by_address(
    backend: Upstream,
) -> None:
    guard = limits({"by": by("consumer"), "rate": rate(2)})
    async with serving_with(TABLES, *SCENE, KEYS, guard, books=backend.port) as envoy:
        assert await statuses(envoy, 3, key(ACME)) == {200: 2, 429: 1}
        assert await statuses(envoy, 3, key(GLOBEX)) == {200: 2, 429: 1}
        assert await statuses(envoy, 3) == {200: 2, 429: 1}
        forged = ("x-pointsman-consumer", "shop/other"), ("X-Pointsman-Consumer", "shop/third")
        assert await statuses(envoy, 1, forged[0]) == {429: 1}
        assert await statuses(envoy, 1, *forged, key(ACME)) == {429: 1}
        assert await statuses(envoy, 1, ("x-forwarded-for", "9.9.9.9")) == {429: 1}
        assert await statuses(envoy, 1, ("x-envoy-external-address", "9.9.9.9")) == {429: 1}


@pytest.mark.parametrize(
    ("keys", "same", "other"),
    [
        (by("credential"), key(ACME), key(GLOBEX)),
        (by("groups"), key(ACME), key(INITECH)),
        ([{"header": {"name": "X-Tenant"}}], ("x-tenant", "a"), ("x-tenant", "b")),
        ([{"header": {"name": "X-Tenant"}}, {"consumer": {}}], ("x-tenant", "a"), key(ACME)),
    ],
)
async def test_what_differs_counts_by_itself(
    backend: Upstream,
    keys: list[dict[str, Any]],
    same: tuple[str, str],
    other: tuple[str, str],
) -> None:
    guard = limits({"by": keys, "rate": rate(2)})
    async with serving_with(TABLES, *SCENE, KEYS, guard, books=backend.port) as envoy:
        assert await statuses(envoy, 3, same) == {200: 2, 429: 1}
        # With two keys a request that lacks either counts by its address.
        expected = {429: 3} if len(keys) == 2 else {200: 2, 429: 1}
        assert await statuses(envoy, 3, other) == expected
        if len(keys) == 2:
            assert await statuses(envoy, 3, same, other) == {200: 2, 429: 1}


async def test_paths_count_without_their_query(backend: Upstream) -> None:
    guard = limits({"by": by("path"), "rate": rate(2)})
    async with serving(*SCENE, guard, books=backend.port) as envoy:
        got = [(await ask(envoy, target)).status for target in ("/a?1", "/a?2", "/a?3", "/b")]
    assert got == [200, 200, 429, 200]


async def test_routes_count_by_themselves(backend: Upstream) -> None:
    scene = (*SCENE, gateway_route("more", {"prefix": "/more"}, "books"))
    guard = limits({"by": by("route"), "rate": rate(2)})
    async with serving(*scene, guard, books=backend.port) as envoy:
        assert await statuses(envoy, 3, target="/more/a") == {200: 2, 429: 1}
        assert await statuses(envoy, 3, target="/a") == {200: 2, 429: 1}


async def test_a_gateways_limit_counts_all_its_routes_and_ways_in_together(
    backend: Upstream,
) -> None:
    scene = (*SCENE, gateway_route("more", {"prefix": "/more"}, "books"))
    guard = limits({"rate": rate(4)})
    async with serving_with(TABLES, *scene, KEYS, guard, books=backend.port) as envoy:
        got = [
            await statuses(envoy, 2, target="/more"),
            await statuses(envoy, 1, key(ACME)),
            await statuses(envoy, 2),
        ]
    assert got == [{200: 2}, {200: 1}, {200: 1, 429: 1}]


async def test_a_routes_limits_count_instead_of_the_gateways(backend: Upstream) -> None:
    own = policy(
        "RateLimitPolicy", "own", "GatewayRoute/books", limits=[{"name": "all", "rate": rate(5)}]
    )
    async with serving(*SCENE, limits({"rate": rate(1)}), own, books=backend.port) as envoy:
        assert await statuses(envoy, 6) == {200: 5, 429: 1}


OVERRIDES = [
    {"consumers": [{"name": "globex"}], "rate": rate(4)},
    {"groups": ["gold", "silver"], "rate": rate(6, "minute", burst=6)},
    {"groups": ["beta"], "unlimited": True},
]


async def test_the_first_override_that_fits_counts(backend: Upstream) -> None:
    guard = limits({"by": by("consumer"), "rate": rate(2), "overrides": OVERRIDES})
    async with serving_with(TABLES, *SCENE, KEYS, guard, books=backend.port) as envoy:
        assert await statuses(envoy, 8, key(GLOBEX)) == {200: 4, 429: 4}
        assert await statuses(envoy, 8, key(ACME)) == {200: 6, 429: 2}
        assert await statuses(envoy, 8, key(INITECH)) == {200: 6, 429: 2}
        assert await statuses(envoy, 8) == {200: 2, 429: 6}
        assert (await ask(envoy, "/", key(ACME))).header("retry-after") == "10"
        assert (await ask(envoy, "/", key(GLOBEX))).header("retry-after") == "900"


async def test_an_unlimited_consumer_is_not_counted_and_told_nothing(backend: Upstream) -> None:
    free = {"consumers": [{"name": "acme"}], "unlimited": True}
    guard = limits({"rate": rate(2), "overrides": [free], "headers": "draft"})
    async with serving_with(TABLES, *SCENE, KEYS, guard, books=backend.port) as envoy:
        assert await statuses(envoy, 8, key(ACME)) == {200: 8}
        assert (await ask(envoy, "/", key(ACME))).header("ratelimit-limit") is None
        assert await statuses(envoy, 3, key(GLOBEX)) == {200: 2, 429: 1}


async def test_all_limits_have_to_admit_and_those_in_front_have_counted(backend: Upstream) -> None:
    guard = limits(
        {"name": "each", "by": by("consumer"), "rate": rate(3)},
        {"name": "together", "rate": rate(4)},
    )
    async with serving_with(TABLES, *SCENE, KEYS, guard, books=backend.port) as envoy:
        assert await statuses(envoy, 3, key(ACME)) == {200: 3}
        assert (await ask(envoy, "/", key(ACME))).header("x-pointsman-limit") == "shop/plans/each"
        assert await statuses(envoy, 2, key(GLOBEX)) == {200: 1, 429: 1}
        refused = await ask(envoy, "/", key(GLOBEX))
        assert refused.header("x-pointsman-limit") == "shop/plans/together"
        refused = await ask(envoy, "/", key(GLOBEX))
        assert refused.header("x-pointsman-limit") == "shop/plans/each"


async def test_a_smooth_rate_passes_one_at_a_time(backend: Upstream) -> None:
    guard = limits({"rate": rate(20, "second", smooth=True)})
    async with serving(*SCENE, guard, books=backend.port) as envoy:
        first = await statuses(envoy, 2)
        async with envoy.client(8080) as client:
            tries = 0
            while (await client.ask("GET", "/", "shop.test", ())).status == 429:
                tries += 1
                assert tries < 10_000
    assert first == {200: 1, 429: 1}
    assert tries > 0
    assert len(backend.seen) == 2


async def test_a_shadow_counts_and_lets_pass(backend: Upstream) -> None:
    guard = limits({"rate": rate(2), "shadow": True})
    async with serving(*SCENE, guard, books=backend.port) as envoy:
        assert await statuses(envoy, 5) == {200: 5}
        prefix = r"pointsman\.limit\.shop\.plans\.all\.http_local_rate_limit\."
        assert envoy.stat(prefix + "rate_limited") == 3
        assert envoy.stat(prefix + "enforced") == 0


@pytest.mark.parametrize(("style", "prefix"), [("draft", ""), ("legacy", "x-")])
async def test_headers_tell_how_much_is_left(backend: Upstream, style: str, prefix: str) -> None:
    backend.headers = ((f"{prefix}ratelimit-limit", "999"), ("x-pointsman-limit", "none"))
    guard = limits({"rate": rate(60, burst=2), "headers": style}, {"name": "b", "rate": rate(99)})
    async with serving(*SCENE, guard, books=backend.port) as envoy:
        answers = [await ask(envoy) for _ in range(3)]
    told = [
        [
            value
            for part in ("limit", "remaining")
            for name, value in answer.headers
            if name == f"{prefix}ratelimit-{part}"
        ]
        for answer in answers
    ]
    assert told == [["2", "1"], ["2", "0"], ["2", "0"]]
    reset = int(answers[2].header(f"{prefix}ratelimit-reset") or 0)
    assert 50 <= reset <= 60
    assert answers[0].header("x-pointsman-limit") is None
    other = "x-" if style == "draft" else ""
    assert answers[0].header(f"{other}ratelimit-limit") is None


async def test_beyond_its_most_keys_a_proxy_forgets_the_oldest(backend: Upstream) -> None:
    guard = limits({"by": [{"header": {"name": "x-t"}}], "rate": rate(1), "maxKeys": 3})
    async with serving(*SCENE, guard, books=backend.port) as envoy:
        got = [(await ask(envoy, "/", ("x-t", tenant))).status for tenant in "aabcadefa"]
    assert got == [200, 429, 200, 200, 429, 200, 200, 200, 200]


async def test_before_access_guesses_count_and_after_it_they_do_not(backend: Upstream) -> None:
    for stage, expected in (("before", {401: 2, 429: 2}), ("after", {401: 4})):
        guard = limits({"by": by("ip"), "rate": rate(2), "stage": stage})
        strict = policy(
            "AccessPolicy", "access", "VirtualGateway/gateway", methods=[{"apiKey": {}}]
        )
        async with serving_with(TABLES, *SCENE, strict, guard, books=backend.port) as envoy:
            assert await statuses(envoy, 4, key("wrong")) == expected
            good = await statuses(envoy, 3, key(ACME))
            assert good == ({429: 3} if stage == "before" else {200: 2, 429: 1})


async def test_preflight_requests_use_nothing_up(backend: Upstream) -> None:
    guard = limits({"by": by("ip"), "rate": rate(1), "stage": "before"})
    cors = policy(
        "RoutePolicy", "cors", "GatewayRoute/books", cors={"allowOrigins": ["https://app.test"]}
    )
    preflight = (("origin", "https://app.test"), ("access-control-request-method", "GET"))
    async with serving(*SCENE, guard, cors, books=backend.port) as envoy:
        assert await statuses(envoy, 3, *preflight, method="OPTIONS") == {200: 3}
        assert await statuses(envoy, 2) == {200: 1, 429: 1}


async def test_claims_count_and_tokens_without_one_count_together(backend: Upstream) -> None:
    guard = limits({"by": [{"claim": {"name": "org.id"}}], "rate": rate(2)})
    async with serving(*SCENE, tokens(), guard, books=backend.port) as envoy:
        for org in ({"id": "a"}, {"id": "b"}, {"id": 7}):
            assert await statuses(envoy, 3, bearer(token(org=org))) == {200: 2, 429: 1}
        for without in (token(sub="u2"), token(sub="u3"), token(org="a")):
            assert await statuses(envoy, 1, bearer(without)) == {429: 1}


@pytest.mark.parametrize("target", ["VirtualGateway/gateway", "VirtualRouter/books/all"])
async def test_two_passes_count_once(backend: Upstream, target: str) -> None:
    guard = limits({"by": by("ip"), "rate": rate(3)}, target=target)
    async with serving(*TWICE, guard, books=backend.port) as envoy:
        assert await statuses(envoy, 5, target="/shop/abc") == {200: 3, 429: 2}
        spoofed = (("x-forwarded-for", "9.9.9.9"), ("x-envoy-external-address", "9.9.9.9"))
        assert await statuses(envoy, 1, *spoofed, target="/shop/abc") == {429: 1}


async def test_a_connection_pool_keeps_the_limit_and_the_address(backend: Upstream) -> None:
    listener = {
        "portMapping": {"port": 8080, "protocol": "http"},
        "connectionPool": {"http": {"maxConnections": 5}},
    }
    pooled = document(
        "VirtualGateway", "gateway", {"namespaceSelector": {}, "listeners": [listener]}
    )
    guard = limits({"by": by("ip"), "rate": rate(3)})
    async with serving(SCENE[0], pooled, *SCENE[2:], guard, books=backend.port) as envoy:
        assert await statuses(envoy, 5) == {200: 3, 429: 2}
        assert (await ask(envoy, "/", ("x-forwarded-for", "9.9.9.9"))).status == 429
        assert problem(await ask(envoy))["limit"] == "shop/plans/all"


def test_an_edit_of_a_rate_changes_one_filter_and_no_listener() -> None:
    before, after = (
        translated(limits({"name": "a", "rate": rate(count)}, {"name": "b", "rate": rate(9)}))
        for count in (3, 4)
    )
    assert before.keys() == after.keys()
    changed = [name for name, version in before.items() if after[name] != version]
    assert changed == ["pointsman.limit/shop/plans/a"]


def translated(guard: Document) -> dict[str, str]:
    """Versions of all resources of the gateway, by name."""
    graph = linked(*SCENE, guard).graph
    (gateway,) = graph.gateways
    resources = translate(graph, NodeClass(gateway)).resources
    return {item.name: item.version for found in resources.values() for item in found.values()}


async def test_a_nodes_own_proxy_limits_what_comes_in_and_believes_the_one_in_front(
    backend: Upstream,
) -> None:
    guard = limits({"by": by("consumer"), "rate": rate(2)}, target="VirtualNode/books")
    scene = (SCENE[0], node("books", backend.port), service("books", node="books"), guard)
    graph = linked(*scene).graph
    with sidecar_running(graph, key_of("VirtualNode", "books")) as envoy:
        port = envoy.local_port(f"lds_ingress_0.0.0.0_port_{backend.port}")
        async with Client(port) as client:
            for consumer in ("shop/acme", "shop/globex"):
                told = (("x-pointsman-consumer", consumer),)
                got = [(await client.ask("GET", "/", "x", told)).status for _ in range(3)]
                assert got == [200, 200, 429]
    assert backend.seen[0].headers["x-pointsman-consumer"] == "shop/acme"
