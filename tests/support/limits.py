"""Gateways with limits, and what clients see of them."""

import json
from collections import Counter
from typing import Any

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
    service,
)

ACME, GLOBEX, INITECH = "pm_k1_0123456789abcdef", "pm_k2_0123456789abcdef", "pm_k3_0123456789abcd"
TABLES = with_tables(
    keys={
        ACME: who("acme", "k1", "gold"),
        GLOBEX: who("globex", "k2"),
        INITECH: who("initech", "k3", "silver", "beta"),
    }
)
SCENE = (
    MESH,
    gateway(),
    node("books", 80),
    service("books", node="books"),
    gateway_route("books", {"prefix": "/"}, "books"),
    *(document("Consumer", name, {}) for name in ("acme", "globex", "initech")),
)
KEYS = policy(
    "AccessPolicy", "access", "VirtualGateway/gateway", methods=[{"apiKey": {}}], anonymous=True
)


def limits(*found: dict[str, Any], target: str = "VirtualGateway/gateway") -> Document:
    """A policy `plans` with limits; a limit without a name is `all`."""
    named = [{"name": "all", **limit} for limit in found]
    return policy("RateLimitPolicy", "plans", target, limits=named)


def rate(requests: int, per: str = "hour", **more: Any) -> dict[str, Any]:
    """A rate; by default a slow one, so that nothing comes back while a test runs."""
    return {"requests": requests, "per": per, **more}


def by(*names: str) -> list[dict[str, Any]]:
    """Keys without anything to set."""
    return [{name: {}} for name in names]


async def ask(
    envoy: Running, target: str = "/", *headers: tuple[str, str], method: str = "GET"
) -> Answer:
    """One request, over a connection of its own."""
    async with envoy.client(8080) as client:
        return await client.ask(method, target, "shop.test", headers)


async def statuses(
    envoy: Running, count: int, *headers: tuple[str, str], target: str = "/", method: str = "GET"
) -> dict[int, int]:
    """How often each status came of a number of requests, one after another."""
    async with envoy.client(8080) as client:
        answers = [await client.ask(method, target, "shop.test", headers) for _ in range(count)]
    return dict(Counter(answer.status for answer in answers))


def key(value: str) -> tuple[str, str]:
    """The header with a key."""
    return ("x-api-key", value)


def problem(answer: Answer) -> dict[str, Any]:
    """The body of a refusal."""
    assert answer.header("content-type") == "application/problem+json"
    tree: dict[str, Any] = json.loads(answer.body)
    return tree
