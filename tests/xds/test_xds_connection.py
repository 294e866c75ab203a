"""Connections to the server: their TLS, their age, and who is at the other end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio

from pointsman.errors import PointsmanError, UsageError
from pointsman.xds.address import ListenOptions
from pointsman.xds.admission import Proven
from pointsman.xds.server import AdsServer
from pointsman.xds.server_tls import ServerTls
from tests.support.envoy import running_envoy
from tests.support.http import get
from tests.support.load import load
from tests.support.pem_files import Authority
from tests.support.resources import cluster, endpoints, listener, route, snapshot
from tests.support.wait import eventually
from tests.xds.test_xds_server import clusters, subscribe

CART = "mesh/shop/virtualNode/cart_shop"


@asynccontextmanager
async def tls_server(folder: Path, **options: Any) -> AsyncIterator[tuple[str, AdsServer]]:
    pair = Authority(folder).issue("server", "localhost")
    tls = ServerTls(pair.certificate, pair.key)
    server = AdsServer(lambda _newcomer: "x", **options)
    address = await server.start(ListenOptions("localhost:0", tls))
    server.publish("x", clusters("a"))
    try:
        yield address, server
    finally:
        await server.stop(0.0)


@asynccontextmanager
async def secure(address: str, ca: Path) -> AsyncIterator[Any]:
    async with aio.secure_channel(address, _believing(ca)) as channel:
        yield channel


def _believing(ca: Path) -> Any:
    return grpc.ssl_channel_credentials(ca.read_bytes())


async def works(address: str, ca: Path) -> bool:
    async with secure(address, ca) as channel:
        call = await subscribe(channel, id=CART)
        try:
            async with asyncio.timeout(5):
                return bool((await call.read()).resources)
        except (grpc.RpcError, TimeoutError):
            return False


async def test_certificates_are_followed_and_bad_ones_left_alone(folder: Path) -> None:
    async with tls_server(folder) as (address, _):
        old = folder / "ca.pem"
        assert await works(address, old)
        (folder / "server.pem").write_text("not a certificate")
        assert await works(address, old)
        Authority(folder, "fresh").issue("server", "localhost")
        assert await works(address, folder / "fresh.pem")
        (folder / "server.key").unlink()
        assert await works(address, folder / "fresh.pem")


@pytest.mark.parametrize("broken", ["server.pem", "server.key", "ca.pem"])
async def test_unusable_certificates_are_refused_without_showing_them(
    folder: Path, broken: str
) -> None:
    authority = Authority(folder)
    pair = authority.issue("server", "localhost")
    (folder / broken).write_text("-----BEGIN PRIVATE KEY-----\nsecret\n")
    tls = ServerTls(pair.certificate, pair.key, authority.file)
    with pytest.raises(UsageError, match="cannot use the certificates") as raised:
        await AdsServer(lambda _newcomer: None).start(ListenOptions("localhost:0", tls))
    assert "secret" not in str(raised.value)


def node_of_token(token: str) -> str:
    if token != "good":
        raise PointsmanError("the token expired at noon")
    return CART


@pytest.mark.parametrize(
    ("header", "node", "code", "words"),
    [
        (None, CART, "UNAUTHENTICATED", f"no bearer token proves that this is {CART}"),
        ("AWS4-HMAC-SHA256 x", CART, "UNAUTHENTICATED", "no bearer token"),
        ("Bearer old", CART, "UNAUTHENTICATED", "the token expired at noon"),
        ("Bearer good", "mesh/shop/virtualNode/b", "PERMISSION_DENIED", "may not be mesh/shop"),
    ],
)
async def test_tokens_that_prove_something_else_are_refused(
    folder: Path, header: str | None, node: str, code: str, words: str
) -> None:
    admission = Proven(node_of_token=node_of_token)
    async with (
        tls_server(folder, admission=admission) as (address, server),
        secure(address, folder / "ca.pem") as channel,
    ):
        call = await subscribe(channel, header, id=node)
        assert (await call.code()).name == code
        assert words in await call.details()
        call = await subscribe(channel, "Bearer good", id=CART)
        assert (await call.read()).resources
        assert len(server.nodes) == 1


@pytest.mark.envoy
async def test_an_aging_stream_moves_to_another_connection_and_resumes(folder: Path) -> None:
    served = snapshot(
        listener("backend", folder / "backend.sock", body="served"),
        listener("front", folder / "front.sock", "front"),
        cluster("c"),
        endpoints("c", folder / "backend.sock"),
        route("front", {"/": "c"}),
    )
    seen: list[str] = []
    server = AdsServer(_counting(seen), age_s=0.5)
    await server.start(f"unix:{folder}/ads.sock")
    server.publish("test", served)
    try:
        async with running_envoy(folder, f"unix:{folder}/ads.sock") as envoy:
            await eventually(lambda: _served(folder))
            updates = await envoy.counter("cluster_manager.cds.update_success")
            async with load(folder / "front.sock") as counts:
                await eventually(lambda: len(seen) > 4, seconds=20)
            assert set(counts) == {"200 served"}
            assert await envoy.counter("cluster_manager.cds.update_success") == updates
            connections = await envoy.counter("cluster.ads.upstream_cx_total")
            assert connections >= len(seen) - 1
    finally:
        await server.stop(0.0)


def _counting(seen: list[str]) -> Callable[[Any], str]:
    def classify(newcomer: Any) -> str:
        seen.append(newcomer.id)
        return "test"

    return classify


async def _served(folder: Path) -> bool:
    return (await get(folder / "front.sock")).body == "served"
