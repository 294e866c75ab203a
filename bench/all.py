"""Runs every benchmark, one after the other: `make bench`.

Takes about fifteen minutes. The data plane's needs wrk, and compares with nginx, HAProxy and Caddy
as far as they are installed. Loopback only; every part is bounded in time.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

PARTS = (
    ("Decoding manifests", ["bench.decode"], 300),
    ("Control plane at 10,000 gateway routes", ["bench.control_plane"], 600),
    ("Diagnosing 10,000 gateway routes", ["bench.doctor"], 180),
    ("One change to 1,000 proxies", ["bench.fanout"], 300),
    ("An edit in a mesh of 200 nodes with 50 backends each", ["bench.mesh"], 120),
    ("One endpoint a second to 1,000 proxies", ["bench.endpoints"], 300),
    ("Certificates", ["bench.identity"], 60),
    ("A limit over four proxies", ["bench.limits"], 300),
    ("A key that is revoked", ["bench.revocation"], 300),
    ("Bodies as an API says", ["bench.bodies"], 120),
    ("Asking who calls", ["bench.dataplane.access"], 300),
    ("Telling of requests", ["bench.dataplane.requests"], 120),
    ("All telemetry together", ["bench.dataplane.everything"], 300),
    ("Why a request goes where it goes", ["bench.explain"], 120),
    ("Tokens", ["bench.oauth"], 120),
    ("What metrics cost", ["bench.telemetry"], 120),
    ("A request through two proxies", ["bench.dataplane.two_proxies"], 300),
)


def _run(title: str, arguments: list[str], limit_s: float) -> bool:
    print(f"\n## {title}\n\n    python -m {' '.join(arguments)}\n", flush=True)
    try:
        command = [sys.executable, "-m", *arguments]
        return subprocess.run(command, check=False, timeout=limit_s).returncode == 0
    except subprocess.TimeoutExpired:
        print(f"stopped after {limit_s:g} s")
        return False


def main() -> int:
    done = [_run(*part) for part in PARTS]
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "candidate.json")
        done.append(_run("The candidate", ["bench.dataplane.candidate", file], 60))
        done.append(_run("Data plane", ["bench.dataplane.run", "--candidate", file], 300))
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
