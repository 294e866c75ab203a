"""Policies of limits, with the quota server that counts them for two gateways."""

from contextlib import AsyncExitStack

import pytest

from pointsman.graph.shared_limits import shared_limits
from pointsman.limits.store import MemoryStore
from tests.support.gateway import Running, running
from tests.support.leasing import serving_all
from tests.support.limit_services import leased
from tests.support.limits import ACME, GLOBEX, KEYS, SCENE, TABLES, by, key, limits, statuses
from tests.support.scenes import linked
from tests.support.upstream import upstream
from tests.support.wait import eventually

pytestmark = pytest.mark.envoy


async def test_two_gateways_admit_together_what_a_policy_allows() -> None:
    guard = limits(
        {
            "by": by("consumer"),
            "strict": True,
            "quota": {"requests": 4, "per": "month"},
            "overrides": [{"groups": ["gold"], "quota": {"requests": 7, "per": "month"}}],
        }
    )
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(upstream())
        graph = linked(*SCENE, KEYS, guard, books=backend.port).graph
        server = await stack.enter_async_context(serving_all(MemoryStore(), shared_limits(graph)))
        change = leased(graph, server.port, TABLES)
        one, two = [
            stack.enter_context(running(graph, echo=False, change=change)) for _ in range(2)
        ]
        admitted = 0

        async def lots(envoy: Running, caller: str) -> int:
            return (await statuses(envoy, 5, key(caller))).get(200, 0)

        async def used(consumer: str, most: int) -> bool:
            nonlocal admitted
            for envoy in (one, two):
                admitted += await lots(envoy, ACME if consumer == "acme" else GLOBEX)
            found = await server.limits.usage("shop/plans/all", consumer=f"shop/{consumer}")
            return [(item.used, item.most) for item in found] == [(most, most)]

        await eventually(lambda: used("acme", 7), 15)
        assert admitted == 7
        await eventually(lambda: used("globex", 4), 15)
        assert admitted == 7 + 4
