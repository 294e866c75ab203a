"""A proxy that proves which node it is by a token, which is renewed while it runs."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pointsman.errors import PointsmanError
from pointsman.xds.address import ListenOptions
from pointsman.xds.admission import Proven
from pointsman.xds.server import AdsServer
from pointsman.xds.server_tls import ServerTls
from tests.support.pem_files import Authority
from tests.support.resources import listener, snapshot
from tests.support.serve import GATEWAY, is_ready, proxying, wait_ready
from tests.support.up import Up

pytestmark = pytest.mark.envoy


def node_of_token(token: str) -> str:
    if token != "fresh.token":
        raise PointsmanError("the token expired at noon")
    return GATEWAY


async def test_an_expired_token_is_refused_and_a_renewed_one_is_taken(folder: Path) -> None:
    authority = Authority(folder)
    pair = authority.issue("server", "127.0.0.1")
    token = folder / "token"
    token.write_text("old.token\n", encoding="utf-8")
    server = AdsServer(_anything, admission=Proven(node_of_token=node_of_token))
    tls = ServerTls(pair.certificate, pair.key)
    xds = await server.start(ListenOptions("127.0.0.1:0", tls))
    server.publish("any", snapshot(listener("front", folder / "front.sock", body="served")))

    def scenario() -> None:
        with proxying(xds, f"--tls-ca={authority.file}", f"--token-file={token}") as proxy:
            proxy.says("closed: 16, no credentials: the token expired at noon")
            assert not is_ready(proxy)
            token.write_text("fresh.token\n", encoding="utf-8")
            wait_ready(proxy)
            assert_untold(proxy)

    try:
        await asyncio.to_thread(scenario)
        assert not any("token" in str(node) for node in server.nodes.values())
    finally:
        await server.stop(0.0)


def assert_untold(proxy: Up) -> None:
    """The token was written nowhere where people look."""
    assert "fresh.token" not in proxy.text
    assert "old.token" not in proxy.text


def _anything(_newcomer: Any) -> str:
    return "any"
