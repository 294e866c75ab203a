"""What metrics cost: a request through Envoy with and without them, and reports a core takes in.

    python -m bench.telemetry [--rounds 8] [--seconds 2]

Two Envoys have the configuration of one gateway route; one reports every five seconds to a control
plane, and its route has statistics of its own. They take turns under the same load (wrk): ratios
of CPU time per request, median over the rounds. Then a report of many routes is taken in, over and
over, on one core.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from bench.dataplane.run import (
    PROXY_CORES,
    TICKS_PER_S,
    cpu_ticks,
    envoy_command,
    free_port,
    load,
    machine,
    program,
    spread,
    upstream,
    wait_listening,
)
from pointsman.envoy import names, pb
from pointsman.envoy.stats import BUCKETS_MS, Scope
from pointsman.graph.model.graph import Graph
from pointsman.proxy.stats_sink import NODE, latency_buckets, metrics_cluster, stats_sink
from pointsman.proxy.xds_cluster import Xds, XdsAddress
from pointsman.resources.key import Key
from pointsman.telemetry.connections import Connections
from pointsman.telemetry.expiries import Expiries
from pointsman.telemetry.metrics import MetricsServer
from pointsman.telemetry.subjects import Subjects
from pointsman.telemetry.window import Subject, Window
from pointsman.xds.admission import Anyone
from pointsman.xds.server import AdsServer

ROUTES: Final = 1_000
EDGE: Final = Key("VirtualGateway", "shop", "edge")
NODE_ID: Final = "mesh/shop/virtualGateway/edge"
CLUSTER: Final = "cds_egress_shop_cart_http_8080"
_TYPE: Final = "type.googleapis.com/envoy."
_MANAGER: Final = (
    f"{_TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)


class KnownRoutes(Subjects):
    """Knows every route, so that a report needs no mesh behind it."""

    def find(self, proxy: Key, stat: Any) -> Subject | None:
        if stat.scope is Scope.ROUTE:
            return Subject(Scope.ROUTE, proxy, route=stat.name)
        return Subject(stat.scope, proxy)


def receiver() -> MetricsServer:
    subjects = KnownRoutes(Graph())
    return MetricsServer(Anyone(), lambda _id: EDGE, subjects, Window(), Connections(), Expiries())


def configuration(port: int, backend: int, xds: int | None) -> dict[str, Any]:
    route: dict[str, Any] = {"match": {"prefix": "/"}, "route": {"cluster": CLUSTER}}
    if xds is not None:
        route["stat_prefix"] = names.route_stat("shop/cart/all")
    manager = {
        "@type": _MANAGER,
        "stat_prefix": "ingress",
        "route_config": {"virtual_hosts": [{"name": "any", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPE}extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    clusters = [_cluster(backend)]
    made: dict[str, Any] = {"node": {"id": NODE_ID, "cluster": NODE_ID}}
    if xds is not None:
        clusters.append(metrics_cluster(Xds((XdsAddress("127.0.0.1", xds),))))
        made |= stats_sink(NODE_ID)
        made["stats_config"] = {"histogram_bucket_settings": latency_buckets()}
    listener = {"name": "l", "address": _address(port), "filter_chains": [chain]}
    return made | {"static_resources": {"listeners": [listener], "clusters": clusters}}


def _cluster(port: int) -> dict[str, Any]:
    endpoint = {"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}
    return {
        "name": CLUSTER,
        "type": "STATIC",
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": [endpoint]},
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


@contextlib.contextmanager
def proxy(folder: Path, name: str, backend: int, xds: int | None) -> Iterator[tuple[int, int]]:
    """A running Envoy; gives its process and its port."""
    port = free_port()
    file, log = folder / f"{name}.json", folder / f"{name}.log"
    file.write_text(json.dumps(configuration(port, backend, xds)))
    with program(envoy_command(file, folder), PROXY_CORES, log) as process:
        wait_listening(port, process, log)
        yield process.pid, port


def turn(pid: int, port: int, seconds: int) -> float:
    """CPU time per request, in µs."""
    before = cpu_ticks(pid)
    requests, _ = load(port, seconds)
    return (cpu_ticks(pid) - before) / TICKS_PER_S / requests * 1_000_000


async def on_the_path(rounds: int, seconds: int) -> None:
    server = receiver()
    ads = AdsServer(lambda _newcomer: None, services=(server.handler,))
    xds = int((await ads.start("127.0.0.1:0")).rpartition(":")[2])
    pairs = []
    with tempfile.TemporaryDirectory(prefix="telemetry-") as text, ExitStack() as stack:
        folder = Path(text)
        ports = {"UPSTREAM_A_PORT": free_port(), "UPSTREAM_B_PORT": free_port()}
        stack.enter_context(upstream(folder, ports))
        backend = ports["UPSTREAM_A_PORT"]
        off = stack.enter_context(proxy(folder, "off", backend, None))
        on = stack.enter_context(proxy(folder, "on", backend, xds))
        for index in range(rounds + 1):
            ways = (off, on) if index % 2 else (on, off)
            took = {way: await asyncio.to_thread(turn, *way, seconds) for way in ways}
            if index:
                pairs.append((took[off], took[on]))
    await ads.stop(0)
    ratios = [with_them / without for without, with_them in pairs]
    print(f"{machine()}\n")
    print(f"CPU per request without metrics, µs  {spread([item for item, _ in pairs], 1)}")
    print(f"CPU per request with metrics, µs     {spread([item for _, item in pairs], 1)}")
    print(f"ratio, of pairs                      {spread(ratios, 3)}")
    print(f"reports                              {server.reports}\n")


def report(routes: int) -> bytes:
    """What a proxy sends of so many routes: a counter and a histogram each."""
    counts = [3 if index in (2, 3, 4, 7) else 0 for index in range(len(BUCKETS_MS) + 1)]
    metrics: list[dict[str, Any]] = []
    for index in range(routes):
        begin = f"vhost.rds_ingress_http_8080/*.route.shop/route-{index}/all.upstream_rq"
        metrics.append({"name": f"{begin}_2xx", "sum": {"data_points": [{"as_int": 12}]}})
        point = {"count": 12, "sum": 60.0, "bucket_counts": counts, "explicit_bounds": BUCKETS_MS}
        metrics.append({"name": f"{begin}_time", "histogram": {"data_points": [point]}})
    attribute = {"key": NODE, "value": {"string_value": NODE_ID}}
    resource = {"attributes": [attribute]}
    scopes = [{"metrics": metrics}]
    one = {"resource": resource, "instrumentation_library_metrics": scopes}
    return bytes(pb.MetricsRequest(resource_metrics=[one]).SerializeToString())


def taking_in(seconds: int) -> None:
    server, text = receiver(), report(ROUTES)
    times = []
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        before = time.process_time()
        for resource in pb.MetricsRequest.FromString(text).resource_metrics:
            server.take(EDGE, "a", resource)
        times.append(time.process_time() - before)
    one = statistics.median(times)
    print(f"a report of {ROUTES:,} routes, {len(text) / 1024:.0f} KB: {one * 1000:.1f} ms")
    print(f"numbers a second and core: {2 * ROUTES / one:,.0f}")
    print(f"proxies with 20 routes in use each, a core: {5 / (one / ROUTES * 20):,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=2)
    given = parser.parse_args()
    asyncio.run(on_the_path(given.rounds, given.seconds))
    taking_in(given.seconds * 2)


if __name__ == "__main__":
    main()
