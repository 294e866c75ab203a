"""How long a revoked key is good for: from the command to the first refusal of a real Envoy.

    python -m bench.revocation

For each number of keys `pointsman up` runs with a database that has them; keys are revoked one
after another over its administration, while a client asks with the key every other millisecond.
"""

import argparse
import asyncio
import http.client
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import yaml

from pointsman.access.masterkey import read_master_key
from pointsman.access.schema import CREDENTIAL
from pointsman.access.secrets import new_id, new_secret
from pointsman.api.admin_client import AdminClient
from pointsman.state.database import Database

MESH = Path(__file__).parent / "dataplane" / "mesh.yaml"
POLICIES = (
    {
        "apiVersion": "pointsman.dev/v1alpha1",
        "kind": "Consumer",
        "metadata": {"name": "acme", "namespace": "bench"},
    },
    {
        "apiVersion": "pointsman.dev/v1alpha1",
        "kind": "AccessPolicy",
        "metadata": {"name": "access", "namespace": "bench"},
        "spec": {
            "targetRefs": [{"kind": "VirtualGateway", "name": "edge"}],
            "methods": [{"apiKey": {}}],
        },
    },
)
_READY_S = 120.0
_KEPT = 200


async def fill(folder: Path, count: int) -> list[tuple[str, str]]:
    """Makes a database with so many keys; ids and secrets of some of them."""
    master = read_master_key(folder / "master.key")
    made = [(new_id("k"), new_secret()) for _ in range(count)]
    now = datetime.now(UTC)
    async with (
        Database(f"sqlite:///{folder / 'state.db'}") as database,
        database.changing("bench") as change,
    ):
        rows = [
            {
                "id": name,
                "kind": "key",
                "namespace": "bench",
                "consumer": "acme",
                "prefix": secret.prefix,
                "label": "",
                "digest": master.digest(secret.text),
                "sealed": master.close(secret.text, name),
                "master_key": master.id,
                "settings": {},
                "created_at": now,
                "created_by": "bench",
                "changed": change.revision,
            }
            for name, secret in made
        ]
        await change.connection.execute(CREDENTIAL.insert(), rows)
    chosen = random.Random(1).sample(made, min(_KEPT, count))
    return [(name, secret.text) for name, secret in chosen]


@contextmanager
def running(folder: Path) -> Iterator[tuple[int, AdminClient]]:
    """`pointsman up`; the port of its gateway, and its administration."""
    mesh = folder / "mesh"
    mesh.mkdir()
    text = MESH.read_text(encoding="utf-8") + "\n---\n" + yaml.safe_dump_all(POLICIES)
    (mesh / "mesh.yaml").write_text(text, encoding="utf-8")
    runtime = folder / "run"
    runtime.mkdir()
    command = [sys.executable, "-m", "pointsman.cli", "up", str(mesh), "--echo"]
    kept = ["--state", str(folder / "state.db"), "--master-key", str(folder / "master.key")]
    process = subprocess.Popen(
        [*command, "--listen", "8088=0", *kept],
        env={**os.environ, "XDG_RUNTIME_DIR": str(runtime)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = 0
        for line in process.stdout:
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            if found:
                port = int(found[1])
                break
        (socket,) = runtime.glob(f"pointsman-{os.getuid()}/*.sock")
        with AdminClient(socket) as client:
            yield port, client
    finally:
        process.terminate()
        process.wait(30)


def status(connection: http.client.HTTPConnection, key: str) -> int:
    """How a request with a key is answered."""
    connection.request("GET", "/", headers={"x-api-key": key})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def until(connection: http.client.HTTPConnection, key: str, wanted: int) -> None:
    """Asks until it is answered so."""
    deadline = time.perf_counter() + _READY_S
    while status(connection, key) != wanted:
        if time.perf_counter() > deadline:
            raise TimeoutError(f"the key is never answered {wanted}")
        time.sleep(0.002)


def measure(count: int, revocations: int) -> list[float]:
    """Milliseconds of each revocation."""
    with tempfile.TemporaryDirectory(prefix="revoke-") as name:
        folder = Path(name)
        keys = asyncio.run(fill(folder, count))[:revocations]
        with running(folder) as (port, client):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            until(connection, keys[-1][1], 200)
            # The administration is imported when it is asked first.
            client.ask("GET", "credentials", query={"limit": 1})
            found = []
            for credential, secret in keys[:-1]:
                assert status(connection, secret) == 200
                started = time.perf_counter()
                client.ask("POST", "credentials", credential, "revoke")
                until(connection, secret, 401)
                found.append((time.perf_counter() - started) * 1_000)
            connection.close()
    return found


def main() -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(description="Revoke keys until Envoy refuses them.")
    parser.add_argument("--revocations", type=int, default=50, help="of each size (default 50)")
    parser.add_argument("--json", action="store_true", help="for machines")
    arguments = parser.parse_args()
    rows = []
    for count in (10, 1_000, 100_000):
        times = sorted(measure(count, min(arguments.revocations, count)))
        p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
        rows.append({"keys": count, "p50_ms": statistics.median(times), "p99_ms": p99})
    if arguments.json:
        print(json.dumps(rows))
        return 0
    print("| keys | p50 | p99 |\n|---|---|---|")
    for row in rows:
        print(f"| {row['keys']:,} | {row['p50_ms']:.0f} ms | {row['p99_ms']:.0f} ms |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
