"""What a request costs in the data plane: Envoy as Pointsman configures it, and its peers.

    python bench/dataplane/run.py --candidate FILE

Every contender weighs two upstreams 3 to 1, retries twice and gives up after 15 s. All run at once,
each on core 0; the load (wrk) and the upstream have core 1. Only the one under load uses time, and
they take turns in short rounds, so that whatever else the machine does falls on all alike. The
figure to trust is CPU time per request: requests per second also depend on core 1.

The candidate is an Envoy configuration (YAML or JSON) in which `${LISTEN_PORT}`,
`${UPSTREAM_A_PORT}`, `${UPSTREAM_B_PORT}` and `${FOLDER}` stand for what is chosen here.
"""

import argparse
import contextlib
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from pointsman.proxy import launcher
from pointsman.proxy.binary import find_envoy

CONFIGS = Path(__file__).parent / "configs"
CONNECTIONS = 32
LONGEST_RUN_S = 180.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SHARE_OF_A = (0.65, 0.85)
SAMPLE = 400

_USABLE = sorted(os.sched_getaffinity(0))
PROXY_CORES = {_USABLE[0]}
LOAD_CORES = {_USABLE[1 % len(_USABLE)]}
"""Of wrk and the upstream; with one core alone it is the proxies' too."""

Command = Callable[[Path, Path], list[str]]
"""(configuration file, folder) -> command line."""


@dataclass
class Round:
    """One turn: requests answered per second, and proxy CPU per request in microseconds."""

    rate: float
    cpu_us: float


@dataclass
class Contender:
    name: str
    version: str
    template: Path
    command: Command
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None
    rounds: list[Round] = field(default_factory=list)


def main() -> int:
    arguments = parse_arguments()
    if shutil.which("wrk") is None:
        print("wrk is not installed (Debian: apt-get install wrk): nothing can be measured")
        return 2
    print(measured(lambda _folder, _cleanup: contenders(arguments.candidate), arguments))
    return 0


def measured(
    enter: Callable[[Path, contextlib.ExitStack], list[Contender]], arguments: argparse.Namespace
) -> str:
    """The report of those who are entered, each in front of the same upstream.

    Args:
        enter: gives them; whatever they need besides ends with the stack.
        arguments: rounds, and seconds of a turn.
    """
    with contextlib.ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="dataplane-")))
        ports = {"UPSTREAM_A_PORT": free_port(), "UPSTREAM_B_PORT": free_port()}
        cleanup.enter_context(upstream(folder, ports))
        entered = enter(folder, cleanup)
        for contender in entered:
            cleanup.enter_context(serving(contender, folder, ports))
            check_share(contender)
        compete(entered, arguments)
    return report(entered, arguments)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare data planes on loopback.")
    parser.add_argument("--candidate", type=Path, help="an Envoy configuration to compare")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each (default 15)")
    parser.add_argument("--seconds", type=int, default=1, help="length of a turn (default 1)")
    return parser.parse_args()


# --- who takes part ---------------------------------------------------------------------------


def contenders(candidate: Path | None) -> list[Contender]:
    envoy = find_envoy()
    version = ".".join(map(str, envoy.version))
    entered = [
        Contender(name, version, CONFIGS / file, envoy_command)
        for name, file in (
            ("Envoy by hand, same behaviour", "envoy-edge.yaml"),
            # The same twice: how far the second is from 1.00 is what this machine's noise is.
            ("the same again", "envoy-edge.yaml"),
            ("Envoy by hand, minimal", "envoy.yaml"),
        )
    ]
    if candidate is not None:
        entered.append(Contender("Envoy by Pointsman", version, candidate, envoy_command))
    for name, file, command, ask in (
        ("nginx", "nginx.conf", nginx_command, ["-v"]),
        ("haproxy", "haproxy.cfg", haproxy_command, ["-v"]),
        ("caddy", "Caddyfile", caddy_command, ["version"]),
    ):
        program = shutil.which(name)
        if program is None:
            print(f"{name} is not installed (Debian: apt-get install {name}): skipped")
            continue
        entered.append(Contender(name, version_of([program, *ask]), CONFIGS / file, command))
    return entered


def version_of(command: list[str]) -> str:
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    match = re.search(r"\d+\.\d+(\.\d+)?", told.stdout + told.stderr)
    return match[0] if match else "?"


def envoy_command(file: Path, folder: Path) -> list[str]:  # noqa: ARG001
    return [
        *(str(find_envoy().path), "-c", str(file), "--disable-hot-restart"),
        *("--concurrency", "1", "--log-level", "error"),
    ]


def nginx_command(file: Path, folder: Path) -> list[str]:
    return ["nginx", "-p", str(folder), "-c", str(file), "-e", "stderr", "-g", "daemon off;"]


def haproxy_command(file: Path, folder: Path) -> list[str]:  # noqa: ARG001
    return ["haproxy", "-db", "-f", str(file)]


def caddy_command(file: Path, folder: Path) -> list[str]:
    home = [f"HOME={folder}", f"XDG_CONFIG_HOME={folder}", f"XDG_DATA_HOME={folder}"]
    run = ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]
    return ["env", "GOMAXPROCS=1", *home, *run]


# --- running them -----------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def pinned(on: set[int]) -> Iterator[None]:
    """What is started in the block stays on these cores: affinity is inherited."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, on)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def program(command: list[str], on: set[int], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The program in the background, ended with the block, or with this process if it is killed."""
    tied = [sys.executable, "-I", "-S", launcher.__file__, str(os.getpid())]
    path = shutil.which(command[0])
    assert path is not None
    with pinned(on), log.open("wb") as said:
        process = subprocess.Popen(
            [*tied, path, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def upstream(folder: Path, ports: dict[str, int]) -> Iterator[None]:
    if shutil.which("nginx") is not None:
        template, command = CONFIGS / "upstream.nginx.conf", nginx_command
    else:
        template, command = CONFIGS / "upstream.envoy.yaml", envoy_command
    file = filled(template, folder, ports)
    log = folder / "upstream.log"
    with program(command(file, folder), LOAD_CORES, log) as process:
        for port in ports.values():
            wait_listening(port, process, log)
        yield


@contextlib.contextmanager
def serving(contender: Contender, folder: Path, ports: dict[str, int]) -> Iterator[None]:
    contender.port = free_port()
    own = folder / contender.name.replace(" ", "").replace(",", "-")
    own.mkdir()
    own.chmod(0o755)
    file = filled(contender.template, own, ports | {"LISTEN_PORT": contender.port})
    log = own / "log"
    with program(contender.command(file, own), PROXY_CORES, log) as process:
        contender.process = process
        wait_listening(contender.port, process, log)
        yield


def filled(template: Path, folder: Path, values: dict[str, int]) -> Path:
    # Not strict: nginx and route expressions have dollars of their own.
    text = Template(template.read_text()).safe_substitute({**values, "FOLDER": str(folder)})
    file = folder / template.name
    file.write_text(text)
    return file


def wait_listening(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{process.args!r} does not listen:\n{log.read_text()}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.02)


def check_share(contender: Contender) -> None:
    """A contender that does not weigh its upstreams would be compared for other work."""
    url = f"http://127.0.0.1:{contender.port}/"
    plain = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    bodies = []
    for _ in range(SAMPLE):
        with plain.open(url, timeout=5) as response:
            bodies.append(response.read())
    share = bodies.count(b"a\n") / SAMPLE
    if not SHARE_OF_A[0] <= share <= SHARE_OF_A[1]:
        sys.exit(f"{contender.name} sends {share:.0%} to the first upstream, not 75%")


# --- measuring --------------------------------------------------------------------------------


def compete(entered: list[Contender], arguments: argparse.Namespace) -> None:
    ends = time.monotonic() + LONGEST_RUN_S
    for contender in entered:
        load(contender.port, 1)  # connections, caches and allocators warm up
    for number in range(arguments.rounds):
        if time.monotonic() + len(entered) * (arguments.seconds + 0.5) > ends:
            print(f"stopped after {number} rounds: the run is bounded to {LONGEST_RUN_S:.0f} s")
            return
        # Every second round runs backwards, so that nobody always follows the same neighbour.
        for contender in entered if number % 2 == 0 else entered[::-1]:
            contender.rounds.append(take_turn(contender, arguments.seconds))


def take_turn(contender: Contender, seconds: int) -> Round:
    assert contender.process is not None
    before = cpu_ticks(contender.process.pid)
    requests, rate = load(contender.port, seconds)
    used_s = (cpu_ticks(contender.process.pid) - before) / TICKS_PER_S
    return Round(rate, used_s / requests * 1e6)


def load(port: int, seconds: int) -> tuple[int, float]:
    """Requests answered and their rate; ends the run if any was not answered well."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"http://127.0.0.1:{port}/"]
    with pinned(LOAD_CORES):
        told = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=seconds + 20
        ).stdout
    requests = re.search(r"(\d+) requests in", told)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    if "Socket errors" in told or "Non-2xx" in told or requests is None or rate is None:
        sys.exit(f"the load on port {port} met errors:\n{told}")
    return int(requests[1]), float(rate[1])


def cpu_ticks(pid: int) -> int:
    """User and system time of a process, its threads and its children, in clock ticks."""
    # After the name, which may hold anything: fields 14 and 15 of proc(5), counted from field 3.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(fields[11]) + int(fields[12]) + sum(cpu_ticks(int(child)) for child in children)


# --- telling ----------------------------------------------------------------------------------


def report(entered: list[Contender], arguments: argparse.Namespace) -> str:
    base = entered[0]
    lines = [
        machine(),
        f"{len(base.rounds)} rounds of {arguments.seconds} s each, {CONNECTIONS} keep-alive "
        "connections; median (min-max); ratios are of the same round",
        "",
        "| Data plane | Version | CPU per request, µs | Ratio to the first | Requests/s |",
        "|---|---|---|---|---|",
    ]
    for contender in entered:
        cpu = [turn.cpu_us for turn in contender.rounds]
        pairs = zip(contender.rounds, base.rounds, strict=True)
        ratios = [mine.cpu_us / theirs.cpu_us for mine, theirs in pairs]
        rate = [turn.rate for turn in contender.rounds]
        lines.append(
            f"| {contender.name} | {contender.version} | {spread(cpu, 1)} | {spread(ratios, 2)} "
            f"| {spread(rate, 0)} |"
        )
    return "\n".join(lines)


def spread(values: list[float], digits: int) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:,.{digits}f} ({low:,.{digits}f}-{high:,.{digits}f})"


def machine() -> str:
    text = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.+)", text)
    placed = "separate cores" if PROXY_CORES != LOAD_CORES else "ONE core for everything"
    name = model[1].strip() if model else platform.machine()
    return f"{name}, {os.cpu_count()} cores, Linux {platform.release()}; {placed}"


if __name__ == "__main__":
    raise SystemExit(main())
