"""What a user sees of the server through a real Envoy."""

import asyncio
from pathlib import Path

import pytest

from pointsman.envoy.sealed import Sealed
from pointsman.xds.rejection import Rejection
from pointsman.xds.server import AdsServer
from tests.support.envoy import running_envoy
from tests.support.http import get
from tests.support.resources import (
    bad_cluster,
    bad_virtual_host,
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


def backend(folder: Path, name: str) -> tuple[Sealed, Sealed, Sealed]:
    """A listener that answers its name, and the cluster and endpoints that lead to it."""
    socket = folder / f"{name}.sock"
    return listener(f"backend-{name}", socket, body=name), cluster(name), endpoints(name, socket)


def front(folder: Path) -> Sealed:
    return listener("front", folder / "front.sock", "front")


async def acknowledged(server: AdsServer, streams: int = 1) -> float:
    async with asyncio.timeout(10):
        return (await server.acknowledged(CLASS, streams=streams)).seconds


async def answers(folder: Path, body: str, host: str = "a", path: str = "/") -> None:
    async def same() -> bool:
        return (await get(folder / "front.sock", path, host)).body == body

    await eventually(same, what=f"{body!r} for host {host}")


@pytest.mark.parametrize("delta", [True, False], ids=["delta", "state"])
async def test_a_proxy_loads_changes_and_removes(
    server: AdsServer, folder: Path, delta: bool
) -> None:
    one, two = backend(folder, "one"), backend(folder, "two")
    server.publish(CLASS, snapshot(*one, front(folder), route("front", {"/": "one"})))
    async with running_envoy(folder, f"unix:{folder}/ads.sock", delta=delta) as envoy:
        await acknowledged(server)
        await answers(folder, "one")

        server.publish(CLASS, snapshot(*one, *two, front(folder), route("front", {"/": "two"})))
        await acknowledged(server)
        await answers(folder, "two")

        server.publish(CLASS, snapshot(*two, front(folder), route("front", {"/": "two"})))
        seconds = await acknowledged(server)
        assert seconds < 2
        assert (await get(folder / "front.sock")).body == "two"
        assert await envoy.counter("cluster_manager.active_clusters") == 3  # ads, secrets and two
        assert await envoy.counter("cluster_manager.cds.update_rejected") == 0


async def test_a_cluster_without_endpoints_does_not_hold_the_start_back(
    server: AdsServer, folder: Path
) -> None:
    server.publish(
        CLASS,
        snapshot(
            *backend(folder, "one"),
            cluster("hollow"),
            front(folder),
            route("front", {"/hollow": "hollow", "/": "one"}),
        ),
    )
    async with running_envoy(folder, f"unix:{folder}/ads.sock"):
        assert await acknowledged(server) < 5
        await answers(folder, "one")
        assert (await get(folder / "front.sock", "/hollow")).status == 503


@pytest.mark.parametrize("delta", [True, False], ids=["delta", "state"])
async def test_a_changed_cluster_is_not_held_back(
    server: AdsServer, folder: Path, delta: bool
) -> None:
    listening, _, hosts = backend(folder, "one")
    rest = (listening, hosts, front(folder), route("front", {"/": "one"}))
    server.publish(CLASS, snapshot(cluster("one"), *rest))
    async with running_envoy(folder, f"unix:{folder}/ads.sock", delta=delta) as envoy:
        await acknowledged(server)
        await answers(folder, "one")
        server.publish(CLASS, snapshot(cluster("one", connect_timeout="3s"), *rest))
        assert await acknowledged(server) < 2
        assert await envoy.counter("cluster_manager.warming_clusters") == 0
        assert await envoy.counter("cluster_manager.cluster_modified") == 1
        assert (await get(folder / "front.sock")).body == "one"


@pytest.mark.parametrize("delta", [True, False], ids=["delta", "state"])
async def test_a_bad_cluster_is_named_and_its_neighbours_are_served(
    server: AdsServer, folder: Path, rejections: list[Rejection], delta: bool
) -> None:
    good = [backend(folder, name) for name in ("one", "two", "three")]
    rest = (front(folder), route("front", {"/one": "one", "/two": "two", "/": "three"}))
    first, second, third = good
    server.publish(CLASS, snapshot(*first, bad_cluster("bad"), *second, *third, *rest))
    async with running_envoy(folder, f"unix:{folder}/ads.sock", delta=delta):
        await acknowledged(server)
        await answers(folder, "one", path="/one")
        assert (await get(folder / "front.sock", "/two")).body == "two"
        assert (await get(folder / "front.sock")).body == "three"
        assert [r.name for r in rejections] == ["bad"]
        assert "/nonexistent/ca.pem" in rejections[0].message
        assert str(rejections[0].keys[0]) == "Test bad"


@pytest.mark.parametrize("delta", [True, False], ids=["delta", "state"])
async def test_bad_listeners_do_not_keep_a_good_one_away(
    server: AdsServer, folder: Path, rejections: list[Rejection], delta: bool
) -> None:
    bad = [listener(name, folder / name / "no-such-folder.sock", body="") for name in ("x", "y")]
    server.publish(CLASS, snapshot(bad[0], listener("front", folder / "front.sock"), bad[1]))
    async with running_envoy(folder, f"unix:{folder}/ads.sock", delta=delta):
        await acknowledged(server)
        await eventually(lambda: sorted(r.name for r in rejections) == ["x", "y"])
        assert (await get(folder / "front.sock")).status == 200


async def test_a_bad_change_keeps_the_last_good_version_until_it_is_mended(
    server: AdsServer, folder: Path, rejections: list[Rejection]
) -> None:
    one, two = backend(folder, "one"), backend(folder, "two")
    base = (*one, *two, front(folder), hosted_route("front"))

    def hosts(*changed: Sealed) -> tuple[Sealed, ...]:
        good = {f"front/h{n}": virtual_host("front", f"h{n}", "one") for n in range(9)}
        return tuple({**good, **{s.name: s for s in changed}}.values())

    server.publish(CLASS, snapshot(*base, *hosts()))
    async with running_envoy(folder, f"unix:{folder}/ads.sock"):
        await acknowledged(server)
        await answers(folder, "one", host="h4")

        changed = [virtual_host("front", f"h{n}", "two") for n in range(9) if n != 4]
        server.publish(CLASS, snapshot(*base, *hosts(*changed, bad_virtual_host("front", "h4"))))
        await acknowledged(server)
        bodies = [(await get(folder / "front.sock", host=f"h{n}")).body for n in range(9)]
        assert bodies == ["two"] * 4 + ["one"] + ["two"] * 4
        assert [r.name for r in rejections] == ["front/h4"]

        server.publish(CLASS, snapshot(*base, *hosts(*changed)))
        await acknowledged(server)
        assert (await get(folder / "front.sock", host="h4")).body == "one"

        mended = virtual_host("front", "h4", "two")
        server.publish(CLASS, snapshot(*base, *hosts(*changed, mended)))
        await acknowledged(server)
        assert (await get(folder / "front.sock", host="h4")).body == "two"
        assert len(rejections) == 1


async def test_a_bare_route_and_late_hosts_do_not_hold_a_listener_back(
    server: AdsServer, folder: Path
) -> None:
    one = backend(folder, "one")
    first = (*one, front(folder), hosted_route("front"), virtual_host("front", "a", "one"))
    server.publish(CLASS, snapshot(*first))
    async with running_envoy(folder, f"unix:{folder}/ads.sock"):
        await acknowledged(server)
        await answers(folder, "one")
        side = listener("side", folder / "side.sock", "side")
        server.publish(CLASS, snapshot(*first, side, hosted_route("side")))
        await eventually((folder / "side.sock").exists, 5)
        await eventually(lambda: _status(folder / "side.sock", 404), 5)

        server.publish(
            CLASS, snapshot(*first, side, hosted_route("side"), virtual_host("side", "a", "one"))
        )
        await acknowledged(server)
        assert (await get(folder / "side.sock")).body == "one"


async def _status(socket: Path, status: int) -> bool:
    return (await get(socket)).status == status
