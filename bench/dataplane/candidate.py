"""Writes what Pointsman renders for `mesh.yaml` as a candidate for `run.py`.

    python -m bench.dataplane.candidate FILE

Addresses and ports become placeholders, which `run.py` fills in.
"""

import json
import sys
from pathlib import Path

from pointsman.app.offline import find_gateway, load, render
from pointsman.envoy.static import static_bootstrap

MESH = Path(__file__).parent / "mesh.yaml"
PORTS = {8088: "${LISTEN_PORT}", 10001: "${UPSTREAM_A_PORT}", 10002: "${UPSTREAM_B_PORT}"}
"""Ports in the rendered configuration, and what the benchmark fills in for them."""


def candidate() -> str:
    """The rendered Envoy configuration with placeholders for ports."""
    resolves = {
        ("a.bench", 8001): ("127.0.0.1", 10001),
        ("b.bench", 8002): ("127.0.0.1", 10002),
    }
    loaded = load([str(MESH)], {}, resolves)
    gateway = find_gateway(loaded.gateways, None, "--gateway")
    text = json.dumps(static_bootstrap(gateway, render(loaded, gateway)), indent=1)
    for port, placeholder in PORTS.items():
        text = text.replace(f'"port_value": {port}', f'"port_value": {placeholder}')
    return text.replace('"0.0.0.0"', '"127.0.0.1"')


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(candidate())
