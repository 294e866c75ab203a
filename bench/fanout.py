"""How long one endpoint change takes to reach many proxies of one class.

A second process plays the proxies: real gRPC connections, one per proxy, that subscribe to what
an Envoy would and acknowledge at once. Prints the time from the publication to the last
acknowledgement, and the server's CPU time.

Run: `python -m bench.fanout [PROXIES] [ROUNDS]`
"""

import asyncio
import logging
import statistics
import sys
import tempfile
import time

import structlog
from envoy.service.discovery.v3 import discovery_pb2
from grpc import aio

from pointsman.envoy.sealed import CLUSTER, ENDPOINT, LISTENER, ROUTE, Sealed
from pointsman.xds.server import AdsServer
from pointsman.xds.snapshot import Snapshot

CLUSTERS = 50
METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"


def sealed(type_url: str, name: str, version: str) -> Sealed:
    """A resource of about one kilobyte."""
    any_message = discovery_pb2.Resource().resource
    any_message.type_url = type_url
    any_message.value = f"{name}@{version}".encode().ljust(1000, b".")
    return Sealed(type_url, name, version, any_message.SerializeToString())


def snapshot(version: str) -> Snapshot:
    """Everything of a proxy with fifty backends, the endpoints of one at `version`."""
    clusters = [f"cluster-{n}" for n in range(CLUSTERS)]
    endpoints = {name: sealed(ENDPOINT, name, "1") for name in clusters}
    endpoints[clusters[0]] = sealed(ENDPOINT, clusters[0], version)
    return Snapshot(
        {
            CLUSTER: {name: sealed(CLUSTER, name, "1") for name in clusters},
            ENDPOINT: endpoints,
            LISTENER: {"listener": sealed(LISTENER, "listener", "1")},
            ROUTE: {"route": sealed(ROUTE, "route", "1")},
        }
    )


async def proxy(address: str, number: int) -> None:
    """One proxy, for ever."""
    options = (("grpc.use_local_subchannel_pool", 1),)
    async with aio.insecure_channel(address, options=options) as channel:
        call = channel.stream_stream(
            METHOD,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=discovery_pb2.DeltaDiscoveryResponse.FromString,
        )()
        names = [f"cluster-{n}" for n in range(CLUSTERS)]
        for type_url, subscribe in (
            (CLUSTER, []),
            (ENDPOINT, names),
            (LISTENER, []),
            (ROUTE, ["route"]),
        ):
            await call.write(
                discovery_pb2.DeltaDiscoveryRequest(
                    node={"id": f"proxy-{number}"},
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


async def proxies(address: str, count: int) -> None:
    """The second process."""
    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            tasks.create_task(proxy(address, number))


async def serve(count: int, rounds: int) -> None:
    """The first process: measures."""
    server = AdsServer(lambda _node: "bench")
    with tempfile.TemporaryDirectory() as folder:
        address = await server.start(f"unix:{folder}/ads.sock")
        server.publish("bench", snapshot("0"))
        fleet = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.fanout", "--proxies", address, str(count))
        )
        try:
            await measure(server, count, rounds)
        finally:
            fleet.kill()
            await fleet.wait()
            await server.stop(0.0)


async def measure(server: AdsServer, count: int, rounds: int) -> None:
    """Load all proxies, then change one endpoint again and again."""
    started = time.process_time()
    loaded = await server.acknowledged("bench", streams=count)
    print(f"{count} proxies loaded in {loaded.seconds:.2f} s", end=", ")
    print(f"{time.process_time() - started:.2f} s of CPU")
    wall, cpu = [], []
    for turn in range(1, rounds + 1):
        before = time.process_time()
        server.publish("bench", snapshot(str(turn)))
        acknowledged = await server.acknowledged("bench", streams=count)
        wall.append(acknowledged.seconds)
        cpu.append(time.process_time() - before)
    print(f"one endpoint change to {count} proxies, {rounds} rounds:", end=" ")
    print(f"median {statistics.median(wall):.3f} s, longest {max(wall):.3f} s", end=", ")
    print(f"{statistics.median(cpu):.3f} s of CPU a round")


def main() -> None:
    """Serve, or play the proxies when asked to."""
    if sys.argv[1:2] == ["--proxies"]:
        asyncio.run(proxies(sys.argv[2], int(sys.argv[3])))
        return
    # A line for each of a thousand connections is no result.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    numbers = [int(text) for text in sys.argv[1:]]
    count, rounds = (*numbers, *(1000, 20)[len(numbers) :])
    asyncio.run(serve(count, rounds))


if __name__ == "__main__":
    main()
