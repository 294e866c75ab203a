"""What it costs to count requests over four proxies: leases, or a question for each request.

    python -m bench.limits

Four Envoys a way have a limit that is never reached. The ways take turns. Proxies and whoever
counts have core 0, the load (wrk) and the upstream core 1; CPU time is that of proxies and of who
counts. One who is asked counts in its
memory alone; the one in Go, whose source is beside this, does not even read what it is asked.
"""

import argparse
import asyncio
import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from envoy.service.ratelimit.v3 import rls_pb2
from tests.support.leasing import LIMIT, bootstrap, defined

from bench.dataplane.run import (
    LOAD_CORES,
    PROXY_CORES,
    TICKS_PER_S,
    cpu_ticks,
    envoy_command,
    free_port,
    machine,
    pinned,
    program,
    spread,
    upstream,
    wait_listening,
)
from pointsman.graph.model.limits import Rate
from pointsman.limits.server import LimitServer
from pointsman.limits.store import MemoryStore

PROXIES = 4
CONNECTIONS = 8
"""To each proxy."""
LIMITER = Path(__file__).parent / "limiter"
_TYPE = "type.googleapis.com/envoy."


@dataclass
class Way:
    """A way to count.

    Attributes:
        name: in the table.
        filter: before the answer; None counts nothing.
        server: command of who counts, but for its port.
    """

    name: str
    filter: dict[str, Any] | None = None
    server: tuple[str, ...] = ()
    port: int = 0
    proxies: list[int] = field(default_factory=list)
    pids: list[int] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)


def external() -> dict[str, Any]:
    """The filter that asks for each request."""
    entry = {"request_headers": {"header_name": ":authority", "descriptor_key": "who"}}
    return {
        "@type": f"{_TYPE}extensions.filters.http.ratelimit.v3.RateLimit",
        "domain": "bench",
        "timeout": "1s",
        "failure_mode_deny": True,
        "rate_limit_service": {
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": "leases"}},
        },
        "rate_limits": [{"actions": [entry]}],
    }


def ways(folder: Path) -> Iterator[Way]:
    """Everything that is compared; the first one is the base."""
    own = (sys.executable, "-m", "bench.limits", "--serve")
    yield Way("leases", None, (*own, "leases"))
    yield Way("the same again (the noise)", None, (*own, "leases"))
    yield Way("asked for each request: Python", external(), (*own, "asked"))
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        print("go is not installed: no limiter in Go")
    else:
        built = str(folder / "limiter")
        subprocess.run([go, "build", "-o", built, "."], cwd=LIMITER, check=True, timeout=300)
        yield Way("asked for each request: Go", external(), (built,))
    yield Way("no limit", {})


# --- who counts -------------------------------------------------------------------------------


async def serve(what: str, port: int) -> None:
    """Runs one who counts."""
    server = grpc.aio.server()
    tasks = set()
    if what == "leases":
        limits = LimitServer(MemoryStore())
        limits.define(defined(Rate(10_000_000, "second", 10_000_000)))
        tasks.add(asyncio.create_task(limits.run()))
        server.add_generic_rpc_handlers((limits.handler,))
    else:
        handler = grpc.unary_unary_rpc_method_handler(
            _decide,
            rls_pb2.RateLimitRequest.FromString,
            rls_pb2.RateLimitResponse.SerializeToString,
        )
        name = "envoy.service.ratelimit.v3.RateLimitService"
        handlers = {"ShouldRateLimit": handler}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


_used: dict[str, int] = {}


async def _decide(request: Any, _context: Any) -> Any:
    for item in request.descriptors:
        who = "|".join(entry.value for entry in item.entries)
        _used[who] = _used.get(who, 0) + 1
    return rls_pb2.RateLimitResponse(overall_code=rls_pb2.RateLimitResponse.OK)


# --- running them -----------------------------------------------------------------------------


@contextlib.contextmanager
def running(way: Way, folder: Path, behind: int) -> Iterator[None]:
    """A way's proxies and who counts for them."""
    with contextlib.ExitStack() as stack:
        way.port = free_port()
        if way.server:
            log = folder / "server.log"
            process = stack.enter_context(program([*way.server, str(way.port)], PROXY_CORES, log))
            wait_listening(way.port, process, log)
            way.pids.append(process.pid)
        for number in range(PROXIES):
            own = folder / str(number)
            own.mkdir()
            port = free_port()
            file = own / "envoy.json"
            address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
            file.write_text(json.dumps(bootstrap(address, way.port, way.filter, behind)))
            log = own / "log"
            process = stack.enter_context(program(envoy_command(file, own), PROXY_CORES, log))
            wait_listening(port, process, log)
            way.proxies.append(port)
            way.pids.append(process.pid)
        yield


def take_turn(way: Way, seconds: int, *, strict: bool = True) -> tuple[float, float]:
    """Requests per second over all proxies, and CPU time per request in microseconds."""
    before = sum(map(cpu_ticks, way.pids))
    with pinned(LOAD_CORES):
        loads = [
            subprocess.Popen(
                ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-H", "Host: acme", url],
                stdout=subprocess.PIPE,
                text=True,
            )
            for url in (f"http://127.0.0.1:{port}/" for port in way.proxies)
        ]
    told = [load.communicate(timeout=seconds + 20)[0] for load in loads]
    used_s = (sum(map(cpu_ticks, way.pids)) - before) / TICKS_PER_S
    if strict and any("Non-2xx" in text or "Socket errors" in text for text in told):
        sys.exit(f"{way.name} met errors:\n{told[0]}")
    requests = [int(found[1]) for text in told if (found := re.search(r"(\d+) requests in", text))]
    return sum(requests) / seconds, used_s / sum(requests) * 1e6


def report(entered: list[Way], rounds: int, seconds: int) -> str:
    """The table."""
    base = entered[0]
    lines = [
        machine(),
        f"{PROXIES} proxies, {CONNECTIONS} keep-alive connections to each, {rounds} rounds of "
        f"{seconds} s; median (min-max); ratios are of the same round",
        "",
        "| How requests are counted | Requests/s | Requests/s, ratio | CPU per request, µs "
        "| CPU, ratio |",
        "|---|---|---|---|---|",
    ]
    for way in entered:
        rates = [mine / theirs for mine, theirs in zip(way.rates, base.rates, strict=True)]
        cpus = [mine / theirs for mine, theirs in zip(way.cpu_us, base.cpu_us, strict=True)]
        lines.append(
            f"| {way.name} | {spread(way.rates, 0)} | {spread(rates, 2)} "
            f"| {spread(way.cpu_us, 1)} | {spread(cpus, 2)} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare ways to count over several proxies.")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each (default 9)")
    parser.add_argument("--seconds", type=int, default=2, help="length of a turn (default 2)")
    parser.add_argument("--serve", nargs=2, metavar=("WHAT", "PORT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve(arguments.serve[0], int(arguments.serve[1])))
        return 0
    if shutil.which("wrk") is None:
        print("wrk is not installed (Debian: apt-get install wrk): nothing can be measured")
        return 2
    with contextlib.ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="limits-")))
        ports = {"UPSTREAM_A_PORT": free_port(), "UPSTREAM_B_PORT": free_port()}
        cleanup.enter_context(upstream(folder, ports))
        entered = list(ways(folder))
        for number, way in enumerate(entered):
            own = folder / f"way{number}"
            own.mkdir()
            cleanup.enter_context(running(way, own, ports["UPSTREAM_A_PORT"]))
        for way in entered:
            # The first requests have no lease.
            take_turn(way, 1, strict=False)
        for number in range(arguments.rounds):
            for way in entered if number % 2 == 0 else entered[::-1]:
                rate, cpu_us = take_turn(way, arguments.seconds)
                way.rates.append(rate)
                way.cpu_us.append(cpu_us)
    print(f"limit {LIMIT}, never reached")
    print(report(entered, arguments.rounds, arguments.seconds))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
