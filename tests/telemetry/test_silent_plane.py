"""A control plane that takes reports and never answers costs no request, and nothing piles up."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.envoy.names import METRICS_CLUSTER
from pointsman.proxy.binary import find_envoy
from pointsman.proxy.bootstrap import bootstrap
from pointsman.proxy.runtime_folder import RuntimeFolder
from pointsman.proxy.xds_cluster import XdsAddress
from tests.support.http import get
from tests.support.wait import eventually

pytestmark = pytest.mark.envoy
_MANAGER = (
    "type.googleapis.com/envoy.extensions.filters.network"
    ".http_connection_manager.v3.HttpConnectionManager"
)
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


def configuration(folder: Path) -> dict[str, Any]:
    """What a proxy is born with, reporting ten times a second, and a listener that answers."""
    made = bootstrap(
        node_id="mesh/shop/virtualGateway/edge",
        node_cluster="test",
        xds=XdsAddress(path=folder / "xds.sock"),
        admin=folder / "admin.sock",
        metrics=True,
    )
    del made["dynamic_resources"]
    made["stats_flush_interval"] = "0.1s"
    (cluster,) = (c for c in made["static_resources"]["clusters"] if c["name"] == METRICS_CLUSTER)
    (options,) = cluster["typed_extension_protocol_options"].values()
    assert options["common_http_protocol_options"]["max_stream_duration"] == "4s"
    options["common_http_protocol_options"]["max_stream_duration"] = "1s"
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
    manager = {
        "@type": _MANAGER,
        "stat_prefix": "ingress",
        "route_config": {"virtual_hosts": [{"name": "a", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": _ROUTER}}],
    }
    listener = {
        "name": "front",
        "address": {"pipe": {"path": str(folder / "front.sock")}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    made["static_resources"]["listeners"] = [listener]
    return made


async def counter(folder: Path, name: str) -> int:
    answer = await get(folder / "admin.sock", f"/stats?filter=^{name}$&format=json")
    found = [item for item in json.loads(answer.body)["stats"] if item.get("name") == name]
    return int(found[0]["value"]) if found else 0


@pytest.fixture
def folder() -> Iterator[Path]:
    with RuntimeFolder() as folder:
        yield folder.path


async def test_a_silent_control_plane(folder: Path) -> None:
    heard = 0

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        while data := await reader.read(65536):
            heard += len(data)
        writer.close()

    async def serves() -> bool:
        return (await get(folder / "front.sock", "/")).status == 200

    (folder / "envoy.json").write_text(json.dumps(configuration(folder)))
    server = await asyncio.start_unix_server(listen, str(folder / "xds.sock"))
    command = (str(find_envoy().path), "-c", str(folder / "envoy.json"), "--log-level", "error")
    process = await asyncio.create_subprocess_exec(
        *command, "--disable-hot-restart", "--concurrency", "1"
    )
    try:
        await eventually(serves, 20)
        name = f"cluster.{METRICS_CLUSTER}.upstream_rq_"

        async def reported() -> bool:
            assert (await get(folder / "front.sock", "/")).status == 200
            return await counter(folder, f"{name}max_duration_reached") >= 40

        async with asyncio.timeout(60):
            while not await reported():
                assert await counter(folder, f"{name}active") <= 20
        assert heard > 0
    finally:
        process.terminate()
        await process.wait()
        server.close()
