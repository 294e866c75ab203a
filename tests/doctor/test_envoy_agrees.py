"""What checks say of Envoy is what Envoy does: conditions that nothing meets, and greedy ones."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.gateway import Running, running
from tests.support.http1 import Answer, read_answer
from tests.support.manifests import MESH, gateway, gateway_route, node, service
from tests.support.scenes import linked

pytestmark = pytest.mark.envoy

NEVER: dict[str, tuple[str, Any, tuple[str, str]]] = {
    "keep-alive": ("keep-alive", None, ("keep-alive", "timeout=5")),
    "proxy-connection": ("proxy-connection", None, ("proxy-connection", "keep-alive")),
    "transfer-encoding": ("transfer-encoding", None, ("transfer-encoding", "chunked")),
    "blank-behind": ("x-plan", {"exact": "gold "}, ("x-plan", "gold ")),
    "blank-before": ("x-plan", {"prefix": " g"}, ("x-plan", " gold")),
    "scheme": (":scheme", {"exact": "HTTP"}, ("x-forwarded-proto", "HTTP")),
    "path": (":path", {"prefix": "path"}, ("x-any", "1")),
}
"""By the first part of the path: a condition no request meets, and a header that looks like it."""


def conditional(name: str) -> dict[str, Any]:
    header, match, _ = NEVER[name]
    condition = {"name": header} if match is None else {"name": header, "match": match}
    return {"prefix": f"/{name}", "headers": [condition]}


@pytest.fixture(scope="module")
def envoy() -> Iterator[Running]:
    routes = [gateway_route(name, conditional(name), "shop") for name in NEVER]
    routes.append(gateway_route("plain", {"prefix": "/plain", "headers": [PLAN]}, "shop"))
    lower = {"name": ":method", "match": {"exact": "get"}}
    routes.append(gateway_route("method", {"prefix": "/method", "headers": [lower]}, "shop"))
    routes.append(gateway_route("greedy", {"path": {"regex": "/greedy.*|v1/.*"}}, "shop"))
    routes.append(gateway_route("deep", {"prefix": "/greedy/very/deep"}, "shop"))
    documents = (MESH, gateway(), node("shop", 80), service("shop", node="shop"), *routes)
    with running(linked(*documents).graph) as envoy:
        yield envoy


PLAN = {"name": "x-plan", "match": {"exact": "gold"}}


@pytest.mark.parametrize("name", NEVER)
async def test_no_request_meets_it(envoy: Running, name: str) -> None:
    sent = NEVER[name][2]
    body = b"0\r\n\r\n" if name == "transfer-encoding" else b""
    assert (await ask(envoy, f"/{name}", sent, body)).status == 404


async def test_what_is_met_is_met(envoy: Running) -> None:
    assert (await ask(envoy, "/plain", ("x-plan", "gold "))).status == 200


async def test_an_expression_comes_before_a_longer_prefix(envoy: Running) -> None:
    answer = await ask(envoy, "/greedy/very/deep", ("x-any", "1"))
    assert "greedy" in (answer.header("x-route") or "")


async def test_a_method_in_lower_case_is_no_request(envoy: Running) -> None:
    assert (await ask(envoy, "/method", ("x-any", "1"), method="get")).status != 200


async def ask(
    envoy: Running, path: str, header: tuple[str, str], body: bytes = b"", method: str = "GET"
) -> Answer:
    """Sends a request byte for byte; blanks at the end of a value stay."""
    lines = (f"{method} {path} HTTP/1.1", "host: shop.example", ": ".join(header), "", "")
    async with envoy.client(8080) as client, asyncio.timeout(20):
        reader, writer = await client.streams()
        writer.write("\r\n".join(lines).encode() + body)
        return await read_answer(reader)
