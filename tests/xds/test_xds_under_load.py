"""Requests go on while configuration changes and while the server is gone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pointsman.envoy.sealed import Sealed
from pointsman.xds.server import AdsServer
from pointsman.xds.snapshot import Snapshot
from tests.support.envoy import running_envoy
from tests.support.http import get
from tests.support.load import load
from tests.support.resources import (
    cluster,
    endpoints,
    hosted_route,
    listener,
    route,
    snapshot,
    virtual_host,
)
from tests.support.wait import eventually

pytestmark = pytest.mark.envoy

CLASS = "test"


def leading_to(folder: Path, name: str) -> tuple[Sealed, ...]:
    """One backend, and a front whose only route leads to a cluster called `name`."""
    socket = folder / "backend.sock"
    return (
        listener("backend", socket, body="served"),
        listener("front", folder / "front.sock", "front"),
        cluster(name),
        endpoints(name, socket),
    )


def by_host(folder: Path, name: str) -> Snapshot:
    return snapshot(
        *leading_to(folder, name), hosted_route("front"), virtual_host("front", "*", name)
    )


def by_route(folder: Path, name: str) -> Snapshot:
    return snapshot(*leading_to(folder, name), route("front", {"/": name}))


async def served(folder: Path) -> bool:
    return (await get(folder / "front.sock")).body == "served"


@pytest.mark.parametrize(
    ("delta", "pointing"),
    [(True, by_host), (True, by_route), (False, by_route)],
    ids=["delta-hosts", "delta-routes", "state-routes"],
)
async def test_repointing_a_route_loses_no_request(
    server: AdsServer, folder: Path, delta: bool, pointing: Callable[[Path, str], Snapshot]
) -> None:
    server.publish(CLASS, pointing(folder, "c0"))
    async with running_envoy(folder, f"unix:{folder}/ads.sock", delta=delta) as envoy:
        await eventually(lambda: served(folder))
        async with load(folder / "front.sock") as seen:
            for turn in range(1, 201):
                server.publish(CLASS, pointing(folder, f"c{turn}"))
                async with asyncio.timeout(10):
                    await server.acknowledged(CLASS, streams=1)
        assert set(seen) == {"200 served"}
        assert seen.total() > 200
        assert await envoy.counter("cluster_manager.cluster_added") >= 201
        assert await envoy.counter("cluster_manager.active_clusters") == 3  # ads, secrets, last


async def test_publishing_faster_than_the_proxy_follows_loses_no_request(
    server: AdsServer, folder: Path
) -> None:
    server.publish(CLASS, by_host(folder, "c0"))
    async with running_envoy(folder, f"unix:{folder}/ads.sock") as envoy:
        await eventually(lambda: served(folder))
        async with load(folder / "front.sock") as seen:
            for turn in range(1, 201):
                server.publish(CLASS, by_host(folder, f"c{turn}"))
                await asyncio.sleep(0)
                if turn % 5 == 0:
                    await eventually(lambda: seen.total() > 0)
            async with asyncio.timeout(10):
                await server.acknowledged(CLASS, streams=1)
        assert set(seen) == {"200 served"}
        hosts = await envoy.config("dynamic_route_configs")
        assert '"c200"' in str(hosts).replace("'", '"')


@asynccontextmanager
async def serving(folder: Path, published: Snapshot) -> AsyncIterator[AdsServer]:
    server = AdsServer(lambda node: node.cluster)
    await server.start(f"unix:{folder}/ads.sock")
    server.publish(CLASS, published)
    try:
        yield server
    finally:
        await server.stop(0.0)


async def test_a_restarted_server_loses_no_request_and_reloads_nothing(folder: Path) -> None:
    unchanged = by_host(folder, "c0")
    async with running_envoy(folder, f"unix:{folder}/ads.sock") as envoy:
        async with serving(folder, unchanged) as first:
            await eventually(lambda: served(folder))
            await first.acknowledged(CLASS, streams=1)
            before = await envoy.counters(RELOADS)
        async with load(folder / "front.sock") as seen:
            await eventually(lambda: seen.total() > 200)
            async with serving(folder, unchanged) as second, asyncio.timeout(20):
                await second.acknowledged(CLASS, streams=1)
                after = await envoy.counters(RELOADS)
                second.publish(CLASS, by_host(folder, "c1"))
                await second.acknowledged(CLASS, streams=1)
        assert before
        assert after == before
        assert set(seen) == {"200 served"}
        assert await envoy.counter("cluster_manager.active_clusters") == 3  # ads, secrets, last


RELOADS = (
    r"(cds|lds)\.update_success|config_reload$|(cluster|listener)_(added|modified|removed)"
    r"|cluster\.c.*\.update_success|vhds.*update_success"
)
"""Counters of Envoy that grow when it takes something in."""


async def test_changes_made_while_the_server_was_gone_arrive_after_it(folder: Path) -> None:
    async with running_envoy(folder, f"unix:{folder}/ads.sock") as envoy:
        async with serving(folder, by_host(folder, "c0")) as first:
            await eventually(lambda: served(folder))
            await first.acknowledged(CLASS, streams=1)
        async with (
            load(folder / "front.sock") as seen,
            serving(folder, by_host(folder, "c1")) as second,
            asyncio.timeout(20),
        ):
            await second.acknowledged(CLASS, streams=1)
        assert set(seen) == {"200 served"}
        names = str(await envoy.config("dynamic_active_clusters"))
        assert "c1" in names
        assert "c0" not in names
