"""What it costs to ask who calls: a route with keys and tokens before it, against the same without.

    python -m bench.dataplane.access

Envoys as Pointsman configures them, one for each way, take turns under the same load. As in
`run.py` proxies have core 0, the load and the upstream core 1, and the figure to trust is CPU time
per request in the same round.
"""

import argparse
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from joserfc import jwk, jwt

from bench.dataplane.run import (
    CONNECTIONS,
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
from pointsman.app.offline import find_gateway, load, render
from pointsman.envoy.filters.credentials import KEYS, SUBJECTS
from pointsman.envoy.filters.issued import NAME as ISSUED
from pointsman.envoy.static import static_bootstrap
from pointsman.resources.problem import Severity

MESH = Path(__file__).parent / "mesh.yaml"
ISSUER = "https://idp.bench"
GATEWAY_PORT = 8088


@dataclass(frozen=True)
class Way:
    """A policy before the route, and what its callers send.

    Attributes:
        name: in the table.
        policies: further manifests.
        headers: of every request.
        keys: keys that Envoy knows beside that of the caller.
        key_set: key set of the gateway's own authorization server.
    """

    name: str
    policies: tuple[Mapping[str, Any], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    keys: int = 1
    key_set: str = ""


@dataclass
class Runner:
    """An Envoy of a way, and how its turns went."""

    way: Way
    port: int
    pid: int
    rss_kb: int = 0
    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)


def ways() -> Iterator[Way]:
    """Everything that is compared; the first one is the base."""
    key = ("x-api-key", key_of(0))
    yield Way("no policy")
    yield Way("the same again (the noise)")
    by_key = access(methods=[{"apiKey": {}}])
    for count in (10, 1_000, 100_000):
        yield Way(f"API key, of {count:,}", (by_key,), (key,), count)
    ruled = access(methods=[{"apiKey": {}}], rules=[{"name": "gold", "groups": ["gold"]}])
    yield Way("API key and a rule for its group", (ruled,), (key,), 10)
    limited = policy("RateLimitPolicy", limits=[{"name": "plan", "by": [{"ip": {}}], **PLENTY}])
    yield Way("limit by address", (limited,))
    by_caller = policy(
        "RateLimitPolicy", limits=[{"name": "plan", "by": [{"consumer": {}}], **PLENTY}]
    )
    yield Way("API key and a limit by consumer", (by_key, by_caller), (key,), 10)
    for alg, made in (
        ("RS256", jwk.RSAKey.generate_key(2048, {"kid": "1", "alg": "RS256"}, private=True)),
        ("ES256", jwk.ECKey.generate_key("P-256", {"kid": "1", "alg": "ES256"}, private=True)),
    ):
        keys = json.dumps({"keys": [made.as_dict(private=False)]})
        claims = {"iss": ISSUER, "aud": "urn:a", "exp": int(time.time()) + 86_400, "sub": "u"}
        token = jwt.encode({"alg": alg, "kid": "1"}, claims, made, algorithms=[alg])
        method = {"issuer": ISSUER, "audiences": ["urn:a"], "jwks": {"inline": keys}}
        signed = access(methods=[{"jwt": method}])
        bearer = ("authorization", f"Bearer {token}")
        yield Way(f"token, {alg}", (signed,), (bearer,))
    both = access(methods=[{"jwt": {**method, "consumer": {"claim": "sub"}}}])
    yield Way("token, its consumer and a limit by that", (both, by_caller, CALLER), (bearer,))

    own = access(methods=[{"jwt": {"authorizationServer": {"name": "authorizationserver"}}}])
    claims = {**claims, "client_id": "bench/caller"}
    token = jwt.encode({"alg": alg, "kid": "1"}, claims, made, algorithms=[alg])
    bearer = ("authorization", f"Bearer {token}")
    server = policy(
        "AuthorizationServer",
        issuer=ISSUER,
        audiences=["urn:a"],
        clients=[{"consumer": {"name": "caller"}, "grants": ["clientCredentials"]}],
    )
    yield Way("token of its own, with its consumer", (own, server, CALLER), (bearer,), key_set=keys)


PLENTY: Mapping[str, Any] = {"rate": {"requests": 10_000_000, "per": "second"}}
CALLER: Mapping[str, Any] = {
    "apiVersion": "pointsman.dev/v1alpha1",
    "kind": "Consumer",
    "metadata": {"name": "caller", "namespace": "bench"},
    "spec": {"groups": ["gold"], "tokens": [{"issuer": ISSUER, "subject": "u"}]},
}


def policy(kind: str, **spec: Any) -> Mapping[str, Any]:
    """A policy before the whole gateway."""
    return {
        "apiVersion": "pointsman.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": kind.lower(), "namespace": "bench"},
        "spec": {"targetRefs": [{"kind": "VirtualGateway", "name": "edge"}], **spec},
    }


def access(**spec: Any) -> Mapping[str, Any]:
    """An AccessPolicy before the whole gateway."""
    return policy("AccessPolicy", **spec)


def key_of(number: int) -> str:
    """A key of the length of real ones."""
    return f"pm_{number:08d}_{'0123456789abcdef' * 3}"


def configuration(way: Way, ports: Mapping[str, int], listen: int, folder: Path) -> Path:
    """The Envoy of a way."""
    manifests = folder / "policies.yaml"
    manifests.write_text(yaml.safe_dump_all(way.policies))
    resolves = {
        ("a.bench", 8001): ("127.0.0.1", ports["UPSTREAM_A_PORT"]),
        ("b.bench", 8002): ("127.0.0.1", ports["UPSTREAM_B_PORT"]),
    }
    loaded = load([str(MESH), str(manifests)], {}, resolves)
    worse = [item for item in loaded.problems if item.code.severity is not Severity.NOTE]
    if worse:
        sys.exit(f"{way.name}: {worse[0].message}")
    gateway = find_gateway(loaded.gateways, None, "--gateway")
    tree = static_bootstrap(gateway, render(loaded, gateway))
    fill(tree, way)
    text = json.dumps(tree).replace(f'"port_value": {GATEWAY_PORT}', f'"port_value": {listen}')
    file = folder / "envoy.json"
    file.write_text(text.replace('"0.0.0.0"', '"127.0.0.1"'))
    return file


def fill(tree: Any, way: Way) -> None:
    """Puts keys into the table of keys, and what tokens need, wherever they are."""
    for item in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(item, dict) and item.get("name") == KEYS and "typed_config" in item:
            item["typed_config"]["credentials"] = [
                {"key": key_of(number), "client": f"bench/caller-{number}|k{number}|,gold,"}
                for number in range(way.keys)
            ]
        elif isinstance(item, dict) and item.get("name") == SUBJECTS and "typed_config" in item:
            item["typed_config"]["credentials"] = [
                {"key": f"{ISSUER} {name}", "client": "bench/caller|token|,gold,"}
                for name in ("u", "bench/caller")
            ]
        elif isinstance(item, dict) and item.get("name") == ISSUED:
            for provider in item["typed_config"]["providers"].values():
                provider["local_jwks"]["inline_string"] = way.key_set
        elif isinstance(item, dict | list):
            fill(item, way)


@contextlib.contextmanager
def running(way: Way, ports: Mapping[str, int], parent: Path) -> Iterator[Runner]:
    """The Envoy of a way, on the core of proxies."""
    folder = Path(tempfile.mkdtemp(dir=parent))
    port = free_port()
    file = configuration(way, ports, port, folder)
    with program(envoy_command(file, folder), PROXY_CORES, folder / "log") as process:
        wait_listening(port, process, folder / "log")
        yield Runner(way, port, process.pid)


def take_turn(runner: Runner, seconds: int) -> tuple[float, float]:
    """Requests per second, and CPU per request in µs; ends the run if any was turned away."""
    headers = [part for name, value in runner.way.headers for part in ("-H", f"{name}: {value}")]
    url = f"http://127.0.0.1:{runner.port}/"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *headers, url]
    before = cpu_ticks(runner.pid)
    with pinned(LOAD_CORES):
        told = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=seconds + 20
        ).stdout
    used_s = (cpu_ticks(runner.pid) - before) / TICKS_PER_S
    requests = re.search(r"(\d+) requests in", told)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    if "Non-2xx" in told or "Socket errors" in told or requests is None or rate is None:
        sys.exit(f"{runner.way.name} met errors:\n{told}")
    return float(rate[1]), used_s / int(requests[1]) * 1e6


def memory_kb(pid: int) -> int:
    """Resident memory of a process and its children."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (int(found[1]) if found else 0) + sum(memory_kb(int(child)) for child in children)


def compete(runners: list[Runner], rounds: int, seconds: int) -> None:
    """Turns in changing order, after a warm-up."""
    for runner in runners:
        take_turn(runner, 1)
        runner.rss_kb = memory_kb(runner.pid)
    for number in range(rounds):
        for runner in runners if number % 2 == 0 else runners[::-1]:
            rate, cpu_us = take_turn(runner, seconds)
            runner.rates.append(rate)
            runner.cpu_us.append(cpu_us)


def report(runners: list[Runner], rounds: int, seconds: int) -> str:
    """The table."""
    base = runners[0]
    lines = [
        machine(),
        f"{rounds} rounds of {seconds} s each, {CONNECTIONS} keep-alive connections; "
        "median (min-max); ratios are of the same round",
        "",
        "| Before the route | CPU per request, µs | Requests/s, ratio | CPU, ratio | Memory, MB |",
        "|---|---|---|---|---|",
    ]
    for runner in runners:
        rates = [mine / theirs for mine, theirs in zip(runner.rates, base.rates, strict=True)]
        cpus = [mine / theirs for mine, theirs in zip(runner.cpu_us, base.cpu_us, strict=True)]
        lines.append(
            f"| {runner.way.name} | {spread(runner.cpu_us, 1)} | {spread(rates, 2)} "
            f"| {spread(cpus, 2)} | {runner.rss_kb / 1024:.0f} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare ways to ask who calls, on loopback.")
    parser.add_argument("--rounds", type=int, default=11, help="turns of each (default 11)")
    parser.add_argument("--seconds", type=int, default=1, help="length of a turn (default 1)")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="access-")))
        ports = {"UPSTREAM_A_PORT": free_port(), "UPSTREAM_B_PORT": free_port()}
        cleanup.enter_context(upstream(folder, ports))
        runners = [cleanup.enter_context(running(way, ports, folder)) for way in ways()]
        compete(runners, arguments.rounds, arguments.seconds)
    print(report(runners, arguments.rounds, arguments.seconds))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
