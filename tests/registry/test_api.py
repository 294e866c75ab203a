"""Registration over an instance's socket."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pointsman.api.client import Client
from pointsman.api.instances import find_instance
from pointsman.api.registry import registry_routes
from pointsman.api.server import StatusServer
from pointsman.errors import InstanceError
from pointsman.registry.leases import SOURCE, Leases
from pointsman.registry.registry import Registry
from tests.registry.instances import CART
from tests.support.wait import eventually

ROOT = "/v1/registry/namespaces/shop.local/services/cart"


@pytest.fixture
def registry() -> Registry:
    return Registry([SOURCE])


@pytest.fixture
async def served(tmp_path: Path, registry: Registry) -> AsyncIterator[Path]:
    leases = Leases(registry)
    running = asyncio.create_task(leases.run())
    folder = tmp_path / "run"
    async with StatusServer(
        folder, lambda: pytest.fail("nobody asks for the status"), registry_routes(registry, leases)
    ):
        yield find_instance(folder)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def ask(socket: Path, method: str, path: str, **more: Any) -> httpx2.Response:
    transport = httpx2.AsyncHTTPTransport(uds=str(socket))
    async with httpx2.AsyncClient(transport=transport, base_url="http://pointsman") as client:
        return await client.request(method, path, **more)


async def test_an_instance_lives_its_life(served: Path, registry: Registry) -> None:
    body = {"address": "10.0.0.1", "zone": "a", "attributes": {"version": "v1"}, "ttl": 0.2}
    assert (await ask(served, "PUT", f"{ROOT}/instances/a", json=body)).status_code == 201
    assert (await ask(served, "PUT", f"{ROOT}/instances/a", json=body)).status_code == 200
    assert registry.instances(CART)[0].attributes == {
        "AWS_INSTANCE_IPV4": "10.0.0.1",
        "AVAILABILITY_ZONE": "a",
        "version": "v1",
    }
    await eventually(lambda: not registry.instances(CART)[0].healthy)
    assert (await ask(served, "PUT", f"{ROOT}/heartbeats/a")).status_code == 204
    assert registry.instances(CART)[0].healthy
    found = (await ask(served, "GET", ROOT)).json()
    assert found["known"]
    assert [item["id"] for item in found["instances"]] == ["a"]
    assert (await ask(served, "GET", f"{ROOT}/instances/a")).json()["ttl"] == 0.2
    sources = (await ask(served, "GET", "/v1/registry")).json()["sources"]
    assert [(item["name"], item["instances"]) for item in sources] == [("rest", 1)]
    assert (await ask(served, "DELETE", f"{ROOT}/instances/a")).status_code == 204
    assert registry.instances(CART) == ()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "instances"), ("DELETE", "instances"), ("PUT", "heartbeats")]
)
async def test_what_is_not_registered(served: Path, method: str, path: str) -> None:
    answer = await ask(served, method, f"{ROOT}/{path}/a")
    assert answer.status_code == 404
    assert "instance a of cart.shop.local is not registered here" in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "json"),
        (b'{"address": "nowhere"}', "address[0]: nowhere is not an IP address"),
        (b'{"adress": "10.0.0.1"}', "adress: there is no such field here"),
        (b'{"zone": "a"}', "address: an instance without an address"),
        (b'{"address": "10.0.0.1", "ttl": 0}', "ttl: "),
        (b'{"address": "10.0.0.1", "ttl": "Infinity"}', "ttl: "),
        (b'{"address": ["10.0.0.1"], "attributes": {"a": 1}}', "attributes.a: 1 is not text"),
    ],
)
async def test_bodies_that_are_refused(
    served: Path, registry: Registry, body: bytes, said: str
) -> None:
    answer = await ask(served, "PUT", f"{ROOT}/instances/a", content=body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert not registry.knows(CART)


async def test_a_body_without_end_is_refused(served: Path) -> None:
    body = b" " * 100_000
    assert (await ask(served, "PUT", f"{ROOT}/instances/a", content=body)).status_code == 413


async def test_the_client(served: Path, registry: Registry) -> None:
    def talk() -> None:
        with Client(served) as client:
            client.register("shop.local", "cart", "a/b", {"address": "10.0.0.1"})
            client.heartbeat("shop.local", "cart", "a/b")
            client.deregister("shop.local", "cart", "a/b")
            with pytest.raises(InstanceError, match=r"answers 404 .* is not registered here"):
                client.heartbeat("shop.local", "cart", "a")
            with pytest.raises(InstanceError, match=r"answers 400 .*x: there is no such field"):
                client.register("shop.local", "cart", "a", {"x": 1})

    await asyncio.to_thread(talk)
    assert registry.knows(CART)
