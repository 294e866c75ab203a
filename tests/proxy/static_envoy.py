"""A static bootstrap with one listener, and the small servers the tests put behind it."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

HCM = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
STDOUT = "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
ROUTER = "envoy.extensions.filters.http.router.v3.Router"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def static_bootstrap(
    folder: Path, port: int, *, upstream: int = 1, reuse_port: bool = True, access_log: bool = False
) -> dict[str, Any]:
    log = {
        "name": "stdout",
        "typed_config": {
            "@type": f"type.googleapis.com/{STDOUT}",
            "log_format": {"text_format_source": {"inline_string": "seen %REQ(:PATH)%\n"}},
        },
    }
    manager = {
        "@type": f"type.googleapis.com/{HCM}",
        "stat_prefix": "in",
        "access_log": [log] if access_log else [],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}],
                }
            ]
        },
        "http_filters": [
            {"name": "router", "typed_config": {"@type": f"type.googleapis.com/{ROUTER}"}}
        ],
    }
    listener = {
        "name": "in",
        "address": _address(port),
        "enable_reuse_port": reuse_port,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    endpoint = {"endpoint": {"address": _address(upstream)}}
    cluster = {
        "name": "upstream",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "upstream",
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }
    return {
        "admin": {"address": {"pipe": {"path": str(folder / "admin.sock"), "mode": 0o600}}},
        "static_resources": {"listeners": [listener], "clusters": [cluster]},
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


class HeldUpstream:
    """Answers `/held` only when released, anything else at once."""

    def __init__(self) -> None:
        self.port = 0
        self.arrived = asyncio.Event()
        self.release = asyncio.Event()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["HeldUpstream"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while request := await reader.readuntil(b"\r\n\r\n"):
                if b"/held" in request:
                    self.arrived.set()
                    await self.release.wait()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone")
                await writer.drain()
        writer.close()


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.01)
