"""What a mesh costs: a request through the caller's proxy and the callee's.

    python -m bench.dataplane.two_proxies

Two Envoys as Pointsman configures sidecars take turns with two Envoys of the same shape that are
written by hand, both in plaintext and with mutual TLS, and with no proxy at all. As in `run.py`,
proxies have core 0 and the load and the application core 1, and the figure to trust is CPU time
per request, here of both proxies. Latency is that of one connection, so that nothing queues.
"""

import argparse
import contextlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any

import yaml

from bench.dataplane.run import (
    CONFIGS,
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
from pointsman.app.offline import load
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.static import static_bootstrap
from pointsman.envoy.translate import translate
from pointsman.graph.model.cluster import Address
from pointsman.identity.ca import Authority

MANIFESTS = Path(__file__).parent / "sidecars.yaml"
LOOPBACK = "127.0.0.1"
HOST = "color.bench:8080"
TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."


@dataclass
class Turn:
    """Proxy CPU per request in µs, requests per second, and one connection's latencies in µs."""

    cpu_us: float
    rate: float
    p50_us: float
    p99_us: float


@dataclass
class Way:
    """A way from the load to the application."""

    name: str
    port: int
    pids: list[int] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare ways through two proxies on loopback.")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each (default 15)")
    parser.add_argument("--seconds", type=int, default=1, help="length of a turn (default 1)")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="two-proxies-")))
        ports = {"UPSTREAM_A_PORT": free_port(), "UPSTREAM_B_PORT": free_port()}
        cleanup.enter_context(upstream(folder, ports))
        application = ports["UPSTREAM_A_PORT"]
        certificates(folder)
        paths = [
            serve(cleanup, folder, "two Envoys by hand", by_hand(folder, application, tls=False)),
            serve(cleanup, folder, "the same again", by_hand(folder, application, tls=False)),
            serve(cleanup, folder, "Pointsman", by_pointsman(folder, application, tls=False)),
            serve(cleanup, folder, "by hand, TLS", by_hand(folder, application, tls=True)),
            serve(
                cleanup,
                folder,
                "Pointsman, TLS",
                by_pointsman(folder, application, tls=True),
            ),
            Way("no proxy", application),
        ]
        for path in paths:
            turn(path, 1)
        for number in range(arguments.rounds):
            for path in paths if number % 2 == 0 else paths[::-1]:
                path.turns.append(turn(path, arguments.seconds))
    print(report(paths, arguments))
    return 0


# --- configurations ---------------------------------------------------------------------------

Proxies = tuple[int, list[tuple[int, dict[str, Any]]]]
"""The port to call, and each proxy's port and bootstrap, the last one first."""


def certificates(folder: Path) -> None:
    """`color` and `front`, signed by `ca.pem`, in files."""
    now = datetime.now(UTC)
    authority = Authority.in_memory(now)
    (folder / "ca.pem").write_bytes(authority.trust)
    for name in ("color", "front"):
        issued = authority.issue(f"mesh/bench/virtualNode/{name}_bench", (f"{name}.bench",), now)
        (folder / f"{name}.pem").write_bytes(issued.chain)
        key = folder / f"{name}.key"
        key.touch(mode=0o600)
        key.write_bytes(issued.key.pem())


def by_hand(folder: Path, application: int, *, tls: bool) -> Proxies:
    outer, inner = free_port(), free_port()
    egress = filled("egress.yaml", LISTEN_PORT=outer, NEXT_PORT=inner)
    ingress = filled("ingress.yaml", LISTEN_PORT=inner, NEXT_PORT=application)
    if tls:
        (cluster,) = egress["static_resources"]["clusters"]
        check = {"match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": EXACT}]}
        cluster["transport_socket"] = socket_of("UpstreamTlsContext", folder, "front", check)
        (listener,) = ingress["static_resources"]["listeners"]
        context = socket_of("DownstreamTlsContext", folder, "color", {})
        context["typed_config"]["require_client_certificate"] = True
        listener["filter_chains"][0]["transport_socket"] = context
    return outer, [(inner, ingress), (outer, egress)]


EXACT = {"exact": "color.bench"}


def socket_of(kind: str, folder: Path, name: str, check: dict[str, Any]) -> dict[str, Any]:
    files = {
        "certificate_chain": {"filename": str(folder / f"{name}.pem")},
        "private_key": {"filename": str(folder / f"{name}.key")},
    }
    trusted = {"trusted_ca": {"filename": str(folder / "ca.pem")}, **check}
    common = {"tls_certificates": [files], "validation_context": trusted}
    config = {"@type": TLS + kind, "common_tls_context": common}
    return {"name": "envoy.transport_sockets.tls", "typed_config": config}


def filled(template: str, **ports: int) -> dict[str, Any]:
    text = Template((CONFIGS / template).read_text()).safe_substitute(ports)
    configuration: dict[str, Any] = yaml.safe_load(text)
    return configuration


def by_pointsman(folder: Path, application: int, *, tls: bool) -> Proxies:
    outer, inner = free_port(), free_port()
    manifests = folder / f"mesh-{outer}.yaml"
    manifests.write_text(secured(folder) if tls else MANIFESTS.read_text())
    resolves = {("color.bench", 8080): (LOOPBACK, inner)}
    graph = load([str(manifests)], {}, resolves).linked.graph
    made = []
    for port, name in ((inner, "color"), (outer, "front")):
        (sidecar,) = (item for item in graph.sidecars.values() if item.key.name == name)
        node_class = NodeClass(
            sidecar.key,
            "static",
            LOOPBACK,
            ((8080, inner),),
            egress=LOOPBACK,
            egress_ports=((8080, outer), (15001, free_port())),
            applications=((8080, Address(LOOPBACK, application)),),
        )
        made.append((port, static_bootstrap(sidecar, translate(graph, node_class))))
    return outer, made


def secured(folder: Path) -> str:
    """The manifests, with a STRICT listener that verifies its callers, and a caller that does."""
    documents = list(yaml.safe_load_all(MANIFESTS.read_text()))
    trust = {"trust": {"file": {"certificateChain": str(folder / "ca.pem")}}}
    front, color = (item["spec"] for item in documents if item["kind"] == "VirtualNode")
    own = {"certificate": {"file": files_of(folder, "front")}, "validation": trust}
    front["backendDefaults"] = {"clientPolicy": {"tls": own}}
    color["listeners"][0]["tls"] = {
        "mode": "STRICT",
        "certificate": {"file": files_of(folder, "color")},
        "validation": trust,
    }
    return yaml.safe_dump_all(documents)


def files_of(folder: Path, name: str) -> dict[str, str]:
    return {
        "certificateChain": str(folder / f"{name}.pem"),
        "privateKey": str(folder / f"{name}.key"),
    }


# --- running and measuring --------------------------------------------------------------------


def serve(cleanup: contextlib.ExitStack, folder: Path, name: str, proxies: Proxies) -> Way:
    port, bootstraps = proxies
    path = Way(name, port)
    for listening, bootstrap in bootstraps:
        path.pids.append(cleanup.enter_context(envoy(folder, listening, bootstrap)))
    return path


@contextlib.contextmanager
def envoy(folder: Path, port: int, bootstrap: dict[str, Any]) -> Iterator[int]:
    file, log = folder / f"{port}.json", folder / f"{port}.log"
    file.write_text(json.dumps(bootstrap))
    with program(envoy_command(file, folder), PROXY_CORES, log) as process:
        wait_listening(port, process, log)
        yield process.pid


def turn(path: Way, seconds: int) -> Turn:
    before = sum(map(cpu_ticks, path.pids))
    requests, rate, _, _ = wrk(path.port, CONNECTIONS, seconds)
    used_s = (sum(map(cpu_ticks, path.pids)) - before) / TICKS_PER_S
    _, _, p50, p99 = wrk(path.port, 1, seconds)
    return Turn(used_s / requests * 1e6, rate, p50, p99)


def wrk(port: int, connections: int, seconds: int) -> tuple[int, float, float, float]:
    """Requests, their rate, and latencies in µs; ends the run if any was not answered well."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-H"]
    url = f"http://{LOOPBACK}:{port}/"
    with pinned(LOAD_CORES):
        told = subprocess.run(
            [*command, f"Host: {HOST}", url],
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + 20,
        ).stdout
    requests = re.search(r"(\d+) requests in", told)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    if "Socket errors" in told or "Non-2xx" in told or requests is None or rate is None:
        sys.exit(f"the load on port {port} met errors:\n{told}")
    return int(requests[1]), float(rate[1]), latency(told, 50), latency(told, 99)


def latency(told: str, percentile: int) -> float:
    found = re.search(rf"{percentile}%\s+([\d.]+)(us|ms|s)", told)
    assert found is not None, told
    return float(found[1]) * {"us": 1.0, "ms": 1e3, "s": 1e6}[found[2]]


def report(paths: list[Way], arguments: argparse.Namespace) -> str:
    lines = [
        machine(),
        f"{len(paths[0].turns)} rounds of {arguments.seconds} s; median (min-max); CPU is that of "
        f"both proxies with {CONNECTIONS} connections, latency that of one connection",
        "",
        "| Way | CPU per request, µs | Ratio to by hand | p50, µs | p99, µs | Requests/s |",
        "|---|---|---|---|---|---|",
    ]
    for path in paths:
        base = paths[3] if "TLS" in path.name else paths[0]
        cpu = [item.cpu_us for item in path.turns]
        pairs = zip(path.turns, base.turns, strict=True)
        ratios = [mine.cpu_us / theirs.cpu_us for mine, theirs in pairs]
        lines.append(
            f"| {path.name} | {spread(cpu, 1)} | {spread(ratios, 2)} "
            f"| {spread([item.p50_us for item in path.turns], 0)} "
            f"| {spread([item.p99_us for item in path.turns], 0)} "
            f"| {spread([item.rate for item in path.turns], 0)} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
