"""The real Prometheus reads what a running instance says of itself and of the mesh."""

import json
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.up import ask, free_port, running, until
from tests.up import manifests as m

pytestmark = [
    pytest.mark.envoy,
    pytest.mark.xdist_group("up-prometheus"),
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed"),
]


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[str]:
    """A Prometheus that scrapes a target every second; gives its address."""
    scrape = {"job_name": "mesh", "static_configs": [{"targets": [target]}]}
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [scrape]}
    (folder / "prometheus.yml").write_text(json.dumps(config))
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield address
    finally:
        process.terminate()
        process.wait(20)


def query(address: str, text: str) -> list[tuple[dict[str, str], float]]:
    url = f"http://{address}/api/v1/query?query={urllib.parse.quote(text)}"
    with urllib.request.urlopen(url, timeout=10) as response:
        answer: dict[str, Any] = json.load(response)
    return [(item["metric"], float(item["value"][1])) for item in answer["data"]["result"]]


def test_numbers_are_those_of_what_was_sent(tmp_path: Path) -> None:
    mesh = tmp_path / "mesh.yaml"
    mesh.write_text(m.text(m.mesh(), m.gateway("front", 8088), *m.shop("books")))
    port = free_port()
    options = ("--echo", "--listen", "8088=0", "--metrics", str(port))
    with running(mesh, *options) as up, prometheus(tmp_path, f"127.0.0.1:{port}") as address:
        for status in (200, 200, 500):
            sent = ask(up.address("front"), "/books", {"x-echo-status": str(status)})
            assert sent.status == status
        mesh.write_text(mesh.read_text() + "\n# touched\n")

        def value(text: str) -> float | None:
            found = query(address, text)
            return found[0][1] if found else None

        until(lambda: value("sum(envoy_cluster_upstream_rq_xx)") == 3, 40)
        assert value('up{job="mesh"}') == 1
        failed = 'envoy_cluster_upstream_rq_xx{envoy_response_code_class="5"}'
        ((labels, count),) = query(address, failed)
        assert count == 1
        assert labels["target_virtual_node"] == labels["target_virtual_service"] == "shop/books"
        assert labels["appmesh_virtual_gateway"] == "shop/front"
        name = "envoy_vhost_route_upstream_rq_time_bucket"
        within = value(f"histogram_quantile(1, sum by (le) ({name}))")
        assert within is not None
        assert 0 < within < 10_000
        until(lambda: (value("pointsman_push_seconds_count") or 0) >= 2, 20)
        assert value("pointsman_connected_proxies") == 1
        assert value('pointsman_resources{kind="VirtualNode"}') == 1
