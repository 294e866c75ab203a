"""What all telemetry together costs a request: with it against without, in the data plane.

    python -m bench.dataplane.everything

Envoys as Pointsman configures them take turns under the same load, as in `run.py`. One process on
core 1, with the load, is the control plane that takes metrics and records, and the collector that
takes spans and log records. Every request is of one consumer, in all ways alike.
"""

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc import aio

from bench.dataplane.candidate import PORTS, candidate
from bench.dataplane.requests import contender_of
from bench.dataplane.run import (
    LOAD_CORES,
    Contender,
    free_port,
    measured,
    program,
)
from bench.telemetry import receiver
from pointsman.envoy import pb
from pointsman.envoy.filters.identity import METADATA
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.requests import http_logs
from pointsman.envoy.seal import unseal
from pointsman.envoy.traces import collector_clusters, tracing
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.telemetry import Collector, Telemetry
from pointsman.proxy.stats_sink import latency_buckets, metrics_cluster, stats_sink
from pointsman.proxy.xds_cluster import Xds, XdsAddress, xds_cluster
from pointsman.resources.key import Key
from pointsman.telemetry.callers import Callers
from pointsman.telemetry.clocks import Clocks
from pointsman.telemetry.requests_ring import Ring
from pointsman.telemetry.requests_service import RequestsService
from pointsman.xds.admission import Anyone

NODE_ID = "mesh/bench/virtualGateway/front"
SINKS = ("trace.v1.TraceService", "logs.v1.LogsService")
KNOWN = {
    "name": "consumer",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config",
        "metadata": [{"metadata_namespace": METADATA, "value": {"consumer": "bench/one"}}],
    },
}
"""Stands for the filters that know who calls; what they cost is another matter."""


@dataclass(frozen=True)
class Way:
    """What is told.

    Attributes:
        name: in the table.
        told: whether anything is.
        sample_percent: of requests that are traced; None traces none.
        consumers: whether requests are counted by consumer.
        logs: whether every request is a record for the collector.
    """

    name: str
    told: bool = True
    sample_percent: float | None = None
    consumers: bool = False
    logs: bool = False


WAYS = (
    Way("nothing", told=False),
    Way("the same again (the noise)", told=False),
    Way("what is on by itself: metrics, and 1 % of requests told"),
    Way("the same, and traces of 1 %", sample_percent=1),
    Way("the same, and numbers by consumer", consumers=True),
    Way("the same, and a log record of every request to a collector", logs=True),
    Way("all of it", sample_percent=1, consumers=True, logs=True),
)


def configuration(way: Way, control: Path, collector: int) -> str:
    """The candidate of `run.py`, with what the way tells."""
    text = candidate()
    for port, placeholder in PORTS.items():
        text = text.replace(f'"port_value": {placeholder}', f'"port_value": {port}')
    bootstrap: dict[str, Any] = json.loads(text)
    static = bootstrap["static_resources"]
    (chain,) = static["listeners"][0]["filter_chains"]
    manager = chain["filters"][-1]["typed_config"]
    manager["http_filters"].insert(0, KNOWN)
    if way.told:
        xds = Xds((XdsAddress(path=control),))
        static["clusters"] += [xds_cluster(xds), metrics_cluster(xds)]
        bootstrap |= stats_sink(NODE_ID)
        bootstrap["stats_config"] = {"histogram_bucket_settings": latency_buckets()}
        gateway = _gateway(way, collector)
        made = pb.HttpConnectionManager(
            access_log=http_logs(gateway, NodeClass(gateway.key), 8088), **tracing(gateway)
        )
        manager |= {
            name: value
            for name, value in pb.to_dict(made).items()
            if name in ("access_log", "tracing")
        }
        static["clusters"] += [pb.to_dict(unseal(item)) for item in collector_clusters(gateway)]
    text = json.dumps(bootstrap)
    for port, placeholder in PORTS.items():
        text = text.replace(f'"port_value": {port}', f'"port_value": {placeholder}')
    return text


def _gateway(way: Way, collector: int) -> Gateway:
    telemetry = Telemetry(
        Key("TelemetryPolicy", "bench", "all"),
        Collector(f"http://127.0.0.1:{collector}"),
        sample_percent=way.sample_percent,
        consumers=way.consumers,
        logs=way.logs,
    )
    key = Key("VirtualGateway", "bench", "front")
    return Gateway(key, "bench", "front", (), telemetry=telemetry)


async def listen(control: str, collector: int) -> None:
    """Listens for ever."""
    server = aio.server()
    requests = RequestsService(Ring(), Anyone(), lambda _node, _moment: "", Callers(), Clocks())
    sinks = (
        grpc.method_handlers_generic_handler(
            f"opentelemetry.proto.collector.{name}",
            {"Export": grpc.unary_unary_rpc_method_handler(_nothing)},
        )
        for name in SINKS
    )
    server.add_generic_rpc_handlers((requests.handler, receiver().handler, *sinks))
    server.add_insecure_port(f"unix:{control}")
    server.add_insecure_port(f"127.0.0.1:{collector}")
    await server.start()
    await server.wait_for_termination()


async def _nothing(_request: bytes, _context: Any) -> bytes:
    return b""


@contextlib.contextmanager
def listening(control: Path, collector: int, folder: Path) -> Iterator[None]:
    """Control plane and collector, in a process of their own."""
    command = [sys.executable, "-m", "bench.dataplane.everything"]
    command += ["--listen", str(control), str(collector)]
    with program(command, LOAD_CORES, folder / "listener.log"):
        yield


def main() -> int:
    parser = argparse.ArgumentParser(description="What all telemetry together costs, on loopback.")
    parser.add_argument("--rounds", type=int, default=11, help="turns of each (default 11)")
    parser.add_argument("--seconds", type=int, default=2, help="length of a turn (default 2)")
    parser.add_argument("--listen", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.listen:
        asyncio.run(listen(arguments.listen[0], int(arguments.listen[1])))
        return 0
    print(measured(enter, arguments))
    return 0


def enter(folder: Path, cleanup: contextlib.ExitStack) -> list[Contender]:
    control, collector = folder / "control.sock", free_port()
    cleanup.enter_context(listening(control, collector, folder))
    return [
        contender_of(way.name, configuration(way, control, collector), folder / f"{index}.json")
        for index, way in enumerate(WAYS)
    ]


if __name__ == "__main__":
    raise SystemExit(main())
