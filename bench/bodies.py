"""What it costs to compare a JSON body of a kilobyte with an OpenAPI document.

    python -m bench.bodies

One `pointsman up` serves a route whose bodies are compared beside one whose are not, before the
same nginx; both take turns under the same load. Everything shares the machine's cores.
"""

import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bench.dataplane.run import CONNECTIONS, free_port, upstream

PATHS = ("/plain", "/compared")


def manifests() -> str:
    """A gateway with two routes to one node."""
    item = {
        "type": "object",
        "required": ["id", "name"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "integer", "minimum": 0},
            "name": {"type": "string", "maxLength": 60, "pattern": "^[a-z ]+$"},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 10},
        },
    }
    content = {"application/json": {"schema": {"type": "array", "items": item}}}
    document = {
        "openapi": "3.1.0",
        "paths": {"/compared": {"post": {"requestBody": {"required": True, "content": content}}}},
    }
    objects: list[dict[str, Any]] = [
        _object("Mesh", "bench", {"namespaceSelector": {}}),
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench"}},
        _object(
            "VirtualGateway",
            "edge",
            {
                "namespaceSelector": {},
                "listeners": [{"portMapping": {"port": 8088, "protocol": "http"}}],
            },
        ),
        _object(
            "VirtualNode",
            "node",
            {
                "listeners": [{"portMapping": {"port": 8001, "protocol": "http"}}],
                "serviceDiscovery": {"dns": {"hostname": "a.bench"}},
            },
        ),
        _object(
            "VirtualService",
            "shop",
            {"provider": {"virtualNode": {"virtualNodeRef": {"name": "node"}}}},
        ),
        *(_route(path) for path in PATHS),
        {
            "apiVersion": "pointsman.dev/v1alpha1",
            "kind": "HygienePolicy",
            "metadata": {"name": "compared", "namespace": "bench"},
            "spec": {
                "targetRefs": [{"kind": "GatewayRoute", "name": "compared"}],
                "openapi": {"document": json.dumps(document)},
            },
        },
    ]
    return yaml.safe_dump_all(objects)


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    namespace = {} if kind == "Mesh" else {"namespace": "bench"}
    metadata = {"name": name, **namespace}
    return {
        "apiVersion": "appmesh.k8s.aws/v1beta2",
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }


def _route(path: str) -> dict[str, Any]:
    action = {
        "target": {"virtualService": {"virtualServiceRef": {"name": "shop"}}},
        "rewrite": {"prefix": {"value": "/"}},
    }
    route = {"match": {"prefix": path}, "action": action}
    return _object("GatewayRoute", path[1:], {"httpRoute": route})


def body() -> str:
    """A kilobyte."""
    items = [
        {"id": number, "name": "a thing of some kind", "tags": ["red", "large"]}
        for number in range(15)
    ]
    return json.dumps(items)


@contextlib.contextmanager
def running(folder: Path, port: int) -> Iterator[str]:
    """`pointsman up`; where its gateway listens."""
    file = folder / "mesh.yaml"
    file.write_text(manifests(), encoding="utf-8")
    command = [sys.executable, "-m", "pointsman.cli", "up", str(file), "--listen", "8088=0"]
    process = subprocess.Popen(
        [*command, "--resolve", f"a.bench:8001=127.0.0.1:{port}"],
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = (re.search(r"http://(127\.0\.0\.1:\d+)", line) for line in process.stdout)
        yield next(item[1] for item in found if item)
    finally:
        process.terminate()
        process.wait(30)


def rate(address: str, path: str, script: Path, seconds: int) -> float:
    """Requests a second."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script)]
    told = subprocess.run(
        [*command, f"http://{address}{path}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 20,
    ).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", told)
    if "Non-2xx" in told or "Socket errors" in told or found is None:
        sys.exit(f"{path} met errors:\n{told}")
    return float(found[1])


def main() -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(description="Compare bodies, on loopback.")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each (default 7)")
    parser.add_argument("--seconds", type=int, default=2, help="length of a turn (default 2)")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="bodies-")))
        script = folder / "post.lua"
        script.write_text(
            'wrk.method = "POST"\n'
            'wrk.headers["content-type"] = "application/json"\n'
            f"wrk.body = [==[{body()}]==]\n"
        )
        ports = {name: free_port() for name in ("UPSTREAM_A_PORT", "UPSTREAM_B_PORT")}
        cleanup.enter_context(upstream(folder, ports))
        address = cleanup.enter_context(running(folder, ports["UPSTREAM_A_PORT"]))
        rates: dict[str, list[float]] = {path: [] for path in PATHS}
        for path in PATHS:
            rate(address, path, script, 1)
        for number in range(arguments.rounds):
            for path in PATHS if number % 2 == 0 else PATHS[::-1]:
                rates[path].append(rate(address, path, script, arguments.seconds))
    print(f"{arguments.rounds} rounds of {arguments.seconds} s, {len(body())} bytes a body\n")
    print("| Route | Requests/s |\n|---|---|")
    for path, found in rates.items():
        print(f"| {path} | {statistics.median(found):,.0f} ({min(found):,.0f}-{max(found):,.0f}) |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
