"""Limits that others decide: a service that is asked, and leases; and what happens without them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from pointsman.graph.charges import charges
from pointsman.graph.judge import Caller
from pointsman.graph.request import Request
from pointsman.graph.shared_limits import shared_limits
from tests.support.gateway import Running, running
from tests.support.limit_services import asked, leased, leases
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
from tests.support.manifests import Document
from tests.support.scenes import key as ref
from tests.support.scenes import linked, serving, serving_with
from tests.support.upstream import Upstream, upstream
from tests.support.wait import eventually

pytestmark = pytest.mark.envoy
CLOSED = 9
"""A port where nobody listens."""


@pytest.fixture
async def backend() -> AsyncIterator[Upstream]:
    async with upstream() as found:
        yield found


def external(port: int, **more: Any) -> Document:
    service = {
        "address": f"http://127.0.0.1:{port}",
        "domain": "shop",
        "timeout": {"unit": "s", "value": 5},
    }
    return limits({"external": service, **more})


ACME_CALLS = Caller(ref("Consumer", "acme"), "k1", ("gold",))


def explained(guard: Document, caller: Caller, tenant: str | None = None) -> frozenset[str | None]:
    """What `explain` tells of the only limit: its name, and what it counts by."""
    (listener,) = next(iter(linked(*SCENE, guard).graph.gateways.values())).listeners
    assert listener.guards.limits is not None
    headers = () if tenant is None else (("x-t", tenant),)
    request = Request("GET", "shop.test", "/", headers)
    (charge,) = charges(listener.guards.limits, request, caller, "shop/books", "127.0.0.1")
    lacks = () if tenant else ("key",)
    return frozenset((charge.limit.name, *lacks, *(value for _, value in charge.by)))


@asynccontextmanager
async def sharing(port: int, *documents: Document, backend: Upstream) -> AsyncIterator[Running]:
    graph = linked(*SCENE, KEYS, *documents, books=backend.port).graph
    with running(graph, echo=False, change=leased(graph, port, TABLES)) as envoy:
        yield envoy


async def test_a_service_is_asked_with_all_that_is_counted_by(backend: Upstream) -> None:
    keys = [*by("consumer", "path", "ip"), {"header": {"name": "X-T"}}]
    async with asked(2) as service:
        guard = external(service.port, by=keys)
        async with serving_with(TABLES, *SCENE, KEYS, guard, books=backend.port) as envoy:
            assert await statuses(envoy, 3, key(ACME), ("x-t", "a")) == {200: 2, 429: 1}
            assert await statuses(envoy, 3, key(ACME)) == {200: 2, 429: 1}
            refused = await ask(envoy, "/", key(ACME))
        assert problem(refused)["limit"] == "shop/plans/all"
        assert service.domain == "shop"
        told = {explained(guard, ACME_CALLS, "a"), explained(guard, ACME_CALLS)}
        assert {frozenset(value for _, value in used) for used in service.used} == told
        assert set(service.used) == {
            (
                ("limit", "all"),
                ("consumer", "shop/acme"),
                ("path", "/"),
                ("masked_remote_address", "127.0.0.1/32"),
                ("x-t", "a"),
            ),
            (
                ("limit", "all"),
                ("without", "key"),
                ("path", "/"),
                ("masked_remote_address", "127.0.0.1/32"),
            ),
        }


async def test_a_service_is_told_the_cost_and_its_numbers_are_passed_on(backend: Upstream) -> None:
    async with asked(10) as service:
        guard = external(service.port, cost={"header": "x-cost"}, headers="draft")
        async with serving(*SCENE, guard, books=backend.port) as envoy:
            answer = await ask(envoy, "/", ("x-cost", "7"))
            assert answer.header("ratelimit-remaining") == "3"
            assert answer.header("ratelimit-reset") == "60"
            assert (await ask(envoy, "/", ("x-cost", "3"))).status == 200
            assert (await ask(envoy)).status == 429
        assert sum(service.used.values()) == 11


async def test_a_shadow_asks_and_lets_pass(backend: Upstream) -> None:
    async with asked(1) as service:
        guard = external(service.port, shadow=True)
        async with serving(*SCENE, guard, books=backend.port) as envoy:
            assert await statuses(envoy, 3) == {200: 3}
        assert sum(service.used.values()) == 3


@pytest.mark.parametrize(
    ("away", "expected"), [({}, 503), ({"whenAway": "deny"}, 503), ({"whenAway": "allow"}, 200)]
)
async def test_without_the_service_requests_are_refused_or_pass(
    backend: Upstream, away: dict[str, str], expected: int
) -> None:
    async with AsyncExitStack() as plug:
        service = await plug.enter_async_context(asked(1))
        guard = external(service.port, by=by("path"), **away)
        async with serving(*SCENE, guard, books=backend.port) as envoy:
            assert await statuses(envoy, 2) == {200: 1, 429: 1}
            await plug.aclose()
            assert await statuses(envoy, 2) == {expected: 2}


SHARED = {"by": by("consumer"), "rate": rate(3), "scope": "shared"}


async def passes(envoy: Running, *headers: tuple[str, str]) -> None:
    """Waits until a request passes."""

    async def passed() -> bool:
        return (await ask(envoy, "/", *headers)).status == 200

    await eventually(passed)


async def test_without_a_lease_nothing_passes_and_with_it_what_it_says(
    backend: Upstream,
) -> None:
    async with leases(lambda _: 3) as service:
        guard = limits(SHARED | {"strict": True})
        async with sharing(service.port, guard, backend=backend) as envoy:
            refused = await ask(envoy, "/", key(ACME))
            await passes(envoy, key(ACME))
            assert await statuses(envoy, 4, key(ACME)) == {200: 2, 429: 2}
        assert service.buckets == [
            {"limit": "shop/plans/all", "allowance": "base", "consumer": "shop/acme"}
        ]
    assert problem(refused)["limit"] == "shop/plans/all"
    assert refused.header("x-pointsman-limit") == "shop/plans/all"
    assert refused.header("retry-after") == "1200"


async def test_buckets_tell_the_allowance_and_all_that_is_counted_by(backend: Upstream) -> None:
    keys = [
        *by("consumer", "path", "route"),
        {"header": {"name": "X-T"}},
    ]
    quota = {"requests": 5, "per": "month"}
    overrides = [
        {"groups": ["silver"], "unlimited": True},
        {"consumers": [{"name": "acme"}], "quota": quota},
    ]
    guard = limits({"by": keys, "quota": quota, "overrides": overrides})
    async with leases(lambda _: 1) as service:
        async with sharing(service.port, guard, backend=backend) as envoy:
            await passes(envoy, key(ACME), ("x-t", "a"))
            await passes(envoy, key(GLOBEX), ("x-t", "b"))
            await passes(envoy, key(GLOBEX))
            assert await statuses(envoy, 3, key(INITECH)) == {200: 3}
            await eventually(lambda: len(service.buckets) == 3)
        found = {"limit": "shop/plans/all", "path": "/", "route": "shop/books"}
        known = shared_limits(linked(*SCENE, guard).graph)
        assert all((item["limit"], item["allowance"]) in known for item in service.buckets)
        assert sorted(service.buckets, key=lambda bucket: sorted(bucket.items())) == [
            found | {"allowance": "1", "consumer": "shop/acme", "header:x-t": "a"},
            found | {"allowance": "base", "consumer": "shop/globex", "header:x-t": "b"},
            found | {"allowance": "base", "without": "key", "ip": "127.0.0.1/32"},
        ]
    assert not [
        name for seen in backend.seen for name in seen.headers if name.startswith("x-pointsman-by")
    ]


async def test_only_what_matches_needs_a_lease_and_a_shadow_refuses_nobody(
    backend: Upstream,
) -> None:
    for more in ({"match": {"methods": ["POST"]}}, {"shadow": True}):
        async with sharing(CLOSED, limits(SHARED | more), backend=backend) as envoy:
            assert await statuses(envoy, 3, key(ACME)) == {200: 3}


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        ({}, 3),
        ({"whenAway": "deny"}, 3),
        ({"strict": True}, 0),
        ({"whenAway": "allow"}, 8),
        ({"whenAway": "local"}, 3),
    ],
)
async def test_without_the_control_plane_those_who_are_new_pass_as_one_proxy_counts(
    backend: Upstream, away: dict[str, Any], expected: int
) -> None:
    # Of a quota those of two windows may come together.
    allowances = (
        (SHARED, expected),
        ({"by": by("consumer"), "quota": {"requests": 3, "per": "day"}}, min(8, 2 * expected)),
    )
    for allowance, most in allowances:
        guard = limits(allowance | away)
        async with sharing(CLOSED, guard, backend=backend) as envoy:
            for who in (ACME, GLOBEX):
                assert (await statuses(envoy, 8, key(who))).get(200, 0) == most


@pytest.mark.parametrize(("away", "expected"), [({}, 0), ({"whenAway": "allow"}, 5)])
async def test_without_the_control_plane_those_who_are_known_go_by_when_away(
    backend: Upstream, away: dict[str, Any], expected: int
) -> None:
    ample = {"by": by("consumer"), "rate": rate(100), "scope": "shared"}
    async with AsyncExitStack() as plug:
        service = await plug.enter_async_context(leases(lambda _: 100, ttl_s=1))
        guard = limits(ample | away)
        async with sharing(service.port, guard, backend=backend) as envoy:
            await ask(envoy, "/", key(ACME))
            await eventually(lambda: bool(service.buckets))
            await plug.aclose()

            async def over() -> bool:
                return await statuses(envoy, 5, key(ACME)) == {200 if expected else 429: 5}

            await eventually(over)


async def test_a_lease_holds_while_the_control_plane_is_away(backend: Upstream) -> None:
    async with AsyncExitStack() as plug:
        service = await plug.enter_async_context(leases(lambda _: 3))
        guard = limits(SHARED | {"strict": True})
        async with sharing(service.port, guard, backend=backend) as envoy:
            await passes(envoy, key(ACME))
            await plug.aclose()
            assert await statuses(envoy, 4, key(ACME)) == {200: 2, 429: 2}


async def test_a_proxy_that_runs_from_a_file_counts_those_of_two_windows_by_itself(
    backend: Upstream,
) -> None:
    quota = {"quota": {"requests": 2, "per": "day"}}
    async with serving(*SCENE, limits(quota), books=backend.port) as envoy:
        assert await statuses(envoy, 5) == {200: 4, 429: 1}
