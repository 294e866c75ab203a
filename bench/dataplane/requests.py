"""What it costs that proxies tell of requests: with it against without, in the data plane.

    python -m bench.dataplane.requests

Envoys as Pointsman configures them take turns under the same load, as in `run.py`. Who listens has
core 1, with the load. What is seldom told of is a record that failed, so this load fails nowhere:
it is the sample that differs.
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

from grpc import aio

from bench.dataplane.candidate import PORTS, candidate
from bench.dataplane.run import (
    LOAD_CORES,
    Contender,
    envoy_command,
    measured,
    program,
)
from pointsman.envoy import pb
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.requests import SAMPLE_KEY, http_logs
from pointsman.graph.model.gateway import Gateway
from pointsman.proxy.binary import find_envoy
from pointsman.proxy.xds_cluster import Xds, XdsAddress, xds_cluster
from pointsman.resources.key import Key
from pointsman.telemetry.callers import Callers
from pointsman.telemetry.clocks import Clocks
from pointsman.telemetry.requests_ring import Ring
from pointsman.telemetry.requests_service import RequestsService
from pointsman.xds.admission import Anyone

GATEWAY = Gateway(Key("VirtualGateway", "bench", "front"), "bench", "front", ())


@dataclass(frozen=True)
class Way:
    """How a proxy tells of requests.

    Attributes:
        name: in the table.
        percent: of requests; None for no log at all.
        heard: whether somebody listens.
    """

    name: str
    percent: int | None
    heard: bool = True


WAYS = (
    Way("nothing is told", None),
    Way("the same again (the noise)", None),
    Way("one in a hundred", 1),
    Way("all of them", 100),
    Way("all of them, and nobody listens", 100, heard=False),
)


def configuration(way: Way, socket: Path) -> str:
    """The candidate of `run.py`, with the way's log."""
    text = candidate()
    if way.percent is None:
        return text
    for port, placeholder in PORTS.items():
        text = text.replace(f'"port_value": {placeholder}', f'"port_value": {port}')
    bootstrap: dict[str, Any] = json.loads(text)
    bootstrap["layered_runtime"]["layers"][0]["static_layer"][SAMPLE_KEY] = way.percent
    static = bootstrap["static_resources"]
    static["clusters"].append(xds_cluster(Xds((XdsAddress(path=socket),))))
    manager = pb.HttpConnectionManager(access_log=http_logs(GATEWAY, NodeClass(GATEWAY.key), 8088))
    (chain,) = static["listeners"][0]["filter_chains"]
    chain["filters"][-1]["typed_config"]["access_log"] = pb.to_dict(manager)["access_log"]
    text = json.dumps(bootstrap)
    for port, placeholder in PORTS.items():
        text = text.replace(f'"port_value": {port}', f'"port_value": {placeholder}')
    return text


async def listen(socket: str) -> None:
    """Listens for ever."""
    server = aio.server()
    service = RequestsService(Ring(), Anyone(), lambda _node, _moment: "", Callers(), Clocks())
    server.add_generic_rpc_handlers((service.handler,))
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    await server.wait_for_termination()


@contextlib.contextmanager
def listening(socket: Path, folder: Path) -> Iterator[None]:
    """Somebody listens, in a process of its own."""
    command = [sys.executable, "-m", "bench.dataplane.requests", "--listen", str(socket)]
    with program(command, LOAD_CORES, folder / "listener.log"):
        yield


def contender(way: Way, folder: Path) -> Contender:
    socket = folder / ("heard.sock" if way.heard else "nobody.sock")
    return contender_of(way.name, configuration(way, socket), folder / f"{WAYS.index(way)}.json")


def contender_of(name: str, template: str, file: Path) -> Contender:
    """The Envoy of this machine with a configuration, which is kept in a file."""
    file.write_text(template)
    version = ".".join(map(str, find_envoy().version))
    return Contender(name, version, file, envoy_command)


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare ways to tell of requests, on loopback.")
    parser.add_argument("--rounds", type=int, default=11, help="turns of each (default 11)")
    parser.add_argument("--seconds", type=int, default=1, help="length of a turn (default 1)")
    parser.add_argument("--listen", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.listen:
        asyncio.run(listen(arguments.listen))
        return 0
    print(measured(enter, arguments))
    return 0


def enter(folder: Path, cleanup: contextlib.ExitStack) -> list[Contender]:
    cleanup.enter_context(listening(folder / "heard.sock", folder))
    return [contender(way, folder) for way in WAYS]


if __name__ == "__main__":
    raise SystemExit(main())
