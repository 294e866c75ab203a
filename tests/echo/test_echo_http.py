import itertools
import json
from typing import Any

import httpx2
import pytest

from pointsman.echo.behaviour import EchoBehaviour
from pointsman.echo.fleet import EchoFleet


async def get(
    address: tuple[str, int],
    path: str = "/",
    *,
    method: str = "GET",
    headers: dict[str, str] | list[tuple[str, str]] | None = None,
    http2: bool = False,
    content: bytes | None = None,
) -> httpx2.Response:
    base = f"http://{address[0]}:{address[1]}"
    async with httpx2.AsyncClient(
        base_url=base, http1=not http2, http2=http2, trust_env=False, timeout=10
    ) as client:
        return await client.request(method, path, headers=headers, content=content)


@pytest.mark.parametrize(("http2", "protocol"), [(False, "HTTP/1.1"), (True, "HTTP/2")])
async def test_one_port_tells_what_reached_it_in_either_http(
    fleet: EchoFleet, http2: bool, protocol: str
) -> None:
    address = await fleet.ensure("colour-blue", "shop", 8080, "http")
    response = await get(
        address,
        "/a%20b?x=1&y=%2F",
        headers=[("host", "shop.example"), ("X-Twice", "1"), ("x-twice", "2")],
        http2=http2,
    )
    answer: dict[str, Any] = response.json()
    assert response.status_code == 200
    assert response.headers["x-pointsman-virtual-node"] == "colour-blue"
    assert answer["headers"]["x-twice"] == "1, 2"
    assert answer | {"headers": {}} == {
        "virtualNode": "colour-blue",
        "namespace": "shop",
        "method": "GET",
        "path": "/a%20b?x=1&y=%2F",
        "authority": "shop.example",
        "headers": {},
        "protocol": protocol,
    }


async def test_a_backend_is_opened_once_and_changes_its_behaviour_in_place(
    fleet: EchoFleet,
) -> None:
    address = await fleet.ensure("node", "shop", 8080, "http")
    assert await fleet.ensure("node", "shop", 8080, "http") == address
    assert (await get(address)).status_code == 200
    failing = EchoBehaviour(status=503)
    assert await fleet.ensure("node", "shop", 8080, "http2", failing) == address
    assert (await get(address)).status_code == 503
    assert await fleet.ensure("node", "other", 8080, "http") != address
    assert await fleet.ensure("node", "shop", 9090, "http") != address


async def test_another_protocol_replaces_the_backend(fleet: EchoFleet) -> None:
    before = await fleet.ensure("node", "shop", 8080, "http")
    after = await fleet.ensure("node", "shop", 8080, "grpc")
    assert after != before
    with pytest.raises(httpx2.ConnectError):
        await get(before)


async def test_headers_steer_one_request(fleet: EchoFleet) -> None:
    address = await fleet.ensure("node", "shop", 8080, "http")
    assert (await get(address, headers={"x-echo-status": "418"})).status_code == 418
    assert (await get(address, headers={"x-echo-status": "204"})).content == b""
    padded = await get(address, headers={"x-echo-bytes": "5000"})
    assert len(padded.content) == 5000
    assert set(padded.json()["padding"]) == {"x"}
    slow = await get(address, headers={"x-echo-delay-ms": "150"})
    assert slow.elapsed.total_seconds() >= 0.15
    wrong = await get(address, headers={"x-echo-delay-ms": "soon"})
    assert (wrong.status_code, wrong.json()) == (
        400,
        {"error": "x-echo-delay-ms is 'soon', not a number"},
    )
    assert (await get(address)).status_code == 200


async def test_a_share_of_requests_fails_irregularly(fleet: EchoFleet) -> None:
    address = await fleet.ensure("node", "shop", 8080, "http", EchoBehaviour(fail_percent=50))
    async with httpx2.AsyncClient(trust_env=False) as client:
        url = f"http://{address[0]}:{address[1]}/"
        statuses = [(await client.get(url)).status_code for _ in range(100)]
    assert set(statuses) == {200, 503}
    assert 30 <= statuses.count(503) <= 70
    assert (503, 503) in itertools.pairwise(statuses)


@pytest.mark.parametrize(
    ("path", "agent"), [("/ping", "curl/8"), ("/healthz", "Envoy/HC")], ids=["ping", "envoy"]
)
async def test_health_checks_pass_while_the_backend_fails(
    fleet: EchoFleet, path: str, agent: str
) -> None:
    failing = EchoBehaviour(status=503, delay_ms=60_000)
    address = await fleet.ensure("node", "shop", 8080, "http", failing)
    response = await get(address, path, headers={"user-agent": agent, "x-echo-status": "500"})
    assert response.status_code == 200


async def test_headers_as_long_as_envoy_lets_through(fleet: EchoFleet) -> None:
    address = await fleet.ensure("node", "shop", 8080, "http")
    answer = (await get(address, headers={"x-long": "v" * 50_000})).json()
    assert len(answer["headers"]["x-long"]) == 50_000


@pytest.mark.parametrize("http2", [False, True])
async def test_head_and_a_long_request_body(fleet: EchoFleet, http2: bool) -> None:
    address = await fleet.ensure("node", "shop", 8080, "http")
    head = await get(address, method="HEAD", http2=http2)
    assert head.status_code == 200
    assert int(head.headers["content-length"]) > 0
    assert head.content == b""
    posted = await get(address, method="POST", content=bytes(3_000_000), http2=http2)
    assert json.loads(posted.content)["headers"]["content-length"] == "3000000"
