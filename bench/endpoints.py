"""What a registered endpoint that changes costs, in a mesh of many nodes with many proxies.

Every node class calls some of the Cloud Map services. Once a second one instance changes; its
assignment is built once and pushed to every proxy of the classes that call the service. A second
process plays the proxies, one connection each. Prints the time from the change in the registry to
the last acknowledgement, the server's CPU time and memory, and what they come to for a mesh of
10,000 proxies.

Run: `python -m bench.endpoints [NODES] [PROXIES_PER_NODE] [CHANGES] [BACKENDS_PER_NODE]`
"""

import asyncio
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import structlog
from envoy.service.discovery.v3 import discovery_pb2
from grpc import aio

from bench.fanout import METHOD, sealed
from pointsman.control.endpoints import Endpoints
from pointsman.envoy import names
from pointsman.envoy.bundle import Bundle
from pointsman.envoy.clusters import cluster
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import CLUSTER, ENDPOINT, LISTENER, ROUTE
from pointsman.graph.model.cluster import Cluster
from pointsman.registry.instance import IPV4, Instance, ServiceName
from pointsman.registry.registry import Registry
from pointsman.resources.key import Key
from pointsman.resources.kinds.virtual_node import CloudMapServiceDiscovery
from pointsman.xds.server import AdsServer

TARGET = 10_000
INSTANCES = 50
PERIOD_S = 1.0
DEFAULTS = (200, 5, 20, 10)


def service(number: int) -> ServiceName:
    """A service; each node is one."""
    return ServiceName("bench.local", f"node-{number}")


def instances(number: int, version: int) -> Iterator[Instance]:
    """As many as a node has proxies; the first one's address tells the version."""
    for copy in range(INSTANCES):
        host = f"10.{number % 200}.{copy}.{version % 200 + 1 if copy == 0 else 1}"
        yield Instance(service(number), f"copy-{copy}", {IPV4: host, "version": "v1"})


def backend(number: int) -> Cluster:
    """A node as others call it."""
    namespace, name = service(number)
    found = CloudMapServiceDiscovery(namespace_name=namespace, service_name=name)
    key = Key("VirtualNode", "bench", name)
    return Cluster(key, "bench", name, "http", 8080, discovery=found)


def bundle(node: int, nodes: int, backends: int) -> Bundle:
    """What a proxy of a node gets: the nodes after its own are its backends."""
    called = [backend((node + step) % nodes) for step in range(1, backends + 1)]
    supplied = {names.cluster(item): item for item in called}
    return Bundle(
        {
            CLUSTER: {n: seal(cluster(n, item, "delta")) for n, item in sorted(supplied.items())},
            LISTENER: {"listener": sealed(LISTENER, "listener", "1")},
            ROUTE: {"route": sealed(ROUTE, "route", "1")},
        },
        supplied,
    )


async def proxy(address: str, node: int, number: int, backends: tuple[str, ...]) -> None:
    """One proxy, for ever: subscribes to everything and accepts it."""
    options = (("grpc.use_local_subchannel_pool", 1),)
    async with aio.insecure_channel(address, options=options) as channel:
        call = channel.stream_stream(
            METHOD,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=discovery_pb2.DeltaDiscoveryResponse.FromString,
        )()
        wanted = ((CLUSTER, ()), (ENDPOINT, backends), (LISTENER, ()), (ROUTE, ("route",)))
        for type_url, subscribe in wanted:
            await call.write(
                discovery_pb2.DeltaDiscoveryRequest(
                    node={"id": f"proxy-{node}-{number}", "cluster": str(node)},
                    type_url=type_url,
                    resource_names_subscribe=subscribe,
                )
            )
        while (answer := await call.read()) is not aio.EOF:
            await call.write(
                discovery_pb2.DeltaDiscoveryRequest(
                    type_url=answer.type_url, response_nonce=answer.nonce
                )
            )


async def proxies(address: str, nodes: int, each: int, backends: int) -> None:
    """The second process."""
    async with asyncio.TaskGroup() as tasks:
        for node in range(nodes):
            called = [backend((node + step) % nodes) for step in range(1, backends + 1)]
            wanted = tuple(names.cluster(item) for item in called)
            for number in range(each):
                tasks.create_task(proxy(address, node, number, wanted))


class Mesh:
    """The first process: a registry, the fast lane and a server."""

    def __init__(self, nodes: int, backends: int) -> None:
        self.server = AdsServer(lambda node: _class(int(node.cluster)))
        self.registry = Registry(["bench"])
        self.registry.replace(
            "bench", {service(number): list(instances(number, 0)) for number in range(nodes)}
        )
        self._endpoints = Endpoints(self.registry)
        bundles = {_class(node): bundle(node, nodes, backends) for node in range(nodes)}
        self.classes = tuple(bundles)
        for node_class, snapshot in self._endpoints.compose(bundles).items():
            self.server.publish(node_class, snapshot)

    def change(self, number: int, version: int) -> list[NodeClass]:
        """One instance of a service moves; the classes that are told of it."""
        name = service(number)
        self.registry.put("bench", name, instances(number, version))
        changed = self._endpoints.update([name])
        for node_class, snapshot in changed.items():
            self.server.publish(node_class, snapshot)
        return list(changed)

    async def acknowledged(self, classes: list[NodeClass], each: int) -> None:
        """Waits until all proxies of the classes have answered."""
        for node_class in classes:
            await self.server.acknowledged(node_class, streams=each)


def _class(node: int) -> NodeClass:
    return NodeClass(Key("VirtualNode", "bench", f"node-{node}"))


def resident_bytes() -> int:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def serve(nodes: int, each: int, changes: int, backends: int) -> None:
    """Loads all proxies, then changes one endpoint after the other."""
    mesh = Mesh(nodes, backends)
    with tempfile.TemporaryDirectory() as folder:
        address = await mesh.server.start(f"unix:{folder}/ads.sock")
        empty = resident_bytes()
        fleet = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.endpoints", "--proxies", address),
            *map(str, (nodes, each, backends)),
        )
        try:
            started, cpu = time.perf_counter(), time.process_time()
            await mesh.acknowledged(list(mesh.classes), each)
            streams = nodes * each
            wall, spent = time.perf_counter() - started, time.process_time() - cpu
            print(f"{streams} proxies of {nodes} nodes with {backends} backends: ", end="")
            print(f"loaded in {wall:.2f} s, {spent:.2f} s of CPU")
            memory = (resident_bytes() - empty) / streams
            print(f"memory: {empty / 1e6:.0f} MB before, {memory / 1e3:.1f} kB a stream")
            await measure(mesh, nodes, each, changes)
            print(f"at {TARGET} streams: {(empty + TARGET * memory) / 1e6:.0f} MB of memory")
        finally:
            fleet.kill()
            await fleet.wait()
            await mesh.server.stop(0.0)


async def measure(mesh: Mesh, nodes: int, each: int, changes: int) -> None:
    """One change a second; extrapolates to the target by the cost of a push."""
    latencies, cpus, lane, told = [], [], [], []
    for turn in range(1, changes + 1):
        began, cpu = time.perf_counter(), time.process_time()
        classes = mesh.change(turn % nodes, turn)
        lane.append(time.process_time() - cpu)
        await mesh.acknowledged(classes, each)
        latencies.append(time.perf_counter() - began)
        cpus.append(time.process_time() - cpu)
        told.append(len(classes) * each)
        await asyncio.sleep(max(0.0, PERIOD_S - (time.perf_counter() - began)))
    pushed = statistics.median(told)
    push = statistics.median(cpus) / pushed
    print(f"one endpoint change to {pushed:.0f} proxies, {changes} times: ", end="")
    print(f"median {statistics.median(latencies) * 1e3:.1f} ms", end=", ")
    print(f"longest {max(latencies) * 1e3:.1f} ms to the last acknowledgement")
    print(f"CPU a change: {statistics.median(cpus) * 1e3:.1f} ms", end=", ")
    print(f"of which building and publishing {statistics.median(lane) * 1e3:.2f} ms", end="; ")
    print(f"{push * 1e6:.0f} us a proxy told")
    scaled = pushed / (nodes * each) * TARGET
    print(f"at {TARGET} streams, {scaled:.0f} of them told each second: ", end="")
    print(f"{scaled * push * 100:.0f} % of a core; all told: {TARGET * push:.2f} s a change")


def main() -> None:
    """Serve, or play the proxies when asked to."""
    if sys.argv[1:2] == ["--proxies"]:
        nodes, each, backends = map(int, sys.argv[3:])
        asyncio.run(proxies(sys.argv[2], nodes, each, backends))
        return
    # A line for each of a thousand connections is no result.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    given = [int(text) for text in sys.argv[1:]]
    nodes, each, changes, backends = (*given, *DEFAULTS[len(given) :])
    asyncio.run(serve(nodes, each, changes, backends))


if __name__ == "__main__":
    main()
