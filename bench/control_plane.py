"""Control plane at size: start, one edit, memory, bytes pushed.

    python -m bench.control_plane [--routes 10000] [--edits 100]

Runs the real command on generated manifests, asks through the real Envoy, and edits one route
again and again. A backend here tells which path it saw, so "live" means that a request took the
new route. Everything listens on loopback; the run ends by itself.
"""

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx2

from bench import manifests
from pointsman.envoy.names import XDS_CLUSTER

START_LIMIT_S = 120.0
WATCH_S = 2.0
"""Files are watched from about a second after the start; an edit before that waits for it."""
EDIT_LIMIT_S = 20.0


async def _backend() -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1]
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(path) + path)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0)


class _Probe:
    """Asks for one path over a kept connection, cheaply: it shares the processors measured."""

    REQUEST = b"GET /api/0 HTTP/1.1\r\nhost: host-0.example.com\r\nx-tenant: tenant-a\r\n\r\n"

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def seen(self) -> bytes | None:
        """The path the backend saw, or None while the gateway does not forward."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(self.REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0] or 0)
            body = await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError):
            self._streams = None
            return None
        return body if head.startswith(b"HTTP/1.1 200") else None

    async def until(self, path: str, limit_s: float) -> float:
        """Seconds until the backend sees `path`."""
        started = time.perf_counter()
        while await self.seen() != path.encode():
            if time.perf_counter() - started > limit_s:
                raise SystemExit(f"{path} was not served within {limit_s:g} s")
            await asyncio.sleep(0.005)
        return time.perf_counter() - started


def _memory_mb(pid: int) -> tuple[float, float]:
    status = Path(f"/proc/{pid}/status").read_text()
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return tuple(int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]


def _children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children]


async def _received_bytes(envoy: int) -> int:
    """Bytes Envoy has received from the control plane."""
    arguments = Path(f"/proc/{envoy}/cmdline").read_bytes().split(b"\0")
    bootstrap = Path(os.fsdecode(arguments[arguments.index(b"-c") + 1]))
    transport = httpx2.AsyncHTTPTransport(uds=str(bootstrap.parent / "admin.sock"))
    async with httpx2.AsyncClient(transport=transport) as client:
        text = (await client.get("http://envoy/stats?filter=upstream_cx_rx_bytes_total")).text
    lines = [line for line in text.splitlines() if line.startswith(f"cluster.{XDS_CLUSTER}.")]
    return sum(int(line.rpartition(":")[2]) for line in lines)


async def _measure(options: argparse.Namespace) -> None:
    backend = await _backend()
    backend_port = backend.sockets[0].getsockname()[1]
    port = options.port
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        services = max(1, options.routes // 10)
        manifests.write(
            folder,
            routes=options.routes,
            hosts=options.hosts,
            services=services,
            port=port,
            backend=backend_port,
        )
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pointsman.cli", "up", str(folder),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            probe = _Probe(port)
            await probe.until("/v1/", START_LIMIT_S)
            start_s = time.perf_counter() - started
            await _report(options, process.pid, probe, folder, services, start_s)
        finally:
            process.send_signal(signal.SIGINT)
            await asyncio.wait_for(process.wait(), 30)
    backend.close()


async def _report(
    options: argparse.Namespace,
    pid: int,
    probe: _Probe,
    folder: Path,
    services: int,
    start_s: float,
) -> None:
    envoy = next(
        child
        for child in _children(pid)
        if b"envoy" in Path(f"/proc/{child}/exe").readlink().name.encode()
    )
    rss, peak = _memory_mb(pid)
    envoy_rss, _ = _memory_mb(envoy)
    await asyncio.sleep(WATCH_S)
    times, sizes = [], []
    for edit in range(options.edits):
        before = await _received_bytes(envoy)
        path = f"/edit-{edit}/"
        text = manifests.route_file(0, options.routes // options.hosts, services, path)
        (folder / "host-0.yaml").write_text(text)
        times.append(await probe.until(path, EDIT_LIMIT_S) * 1000)
        sizes.append(await _received_bytes(envoy) - before)
    after_rss, _ = _memory_mb(pid)
    times.sort()
    p99 = times[min(len(times) - 1, round(len(times) * 0.99))]
    print(f"| {options.routes} routes, {options.hosts} hosts, {services} services |  |")
    print("|---|---|")
    print(f"| process start to first answer through Envoy | {start_s:.2f} s |")
    print(
        f"| one edited route to live, median of {len(times)} | {statistics.median(times):.0f} ms |"
    )
    print(f"| the same, p99 (max) | {p99:.0f} ms ({times[-1]:.0f} ms) |")
    print(f"| bytes pushed for one edit, median | {statistics.median(sizes):,.0f} |")
    print(
        f"| memory of the control plane: now, after the edits (peak) | "
        f"{rss:.0f} MB, {after_rss:.0f} MB ({peak:.0f} MB) |"
    )
    print(f"| memory of Envoy | {envoy_rss:.0f} MB |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--routes", type=int, default=10_000)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--edits", type=int, default=100)
    parser.add_argument("--port", type=int, default=18088)
    asyncio.run(_measure(parser.parse_args()))


if __name__ == "__main__":
    main()
