"""A real Prometheus that reads what a test runs."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.up import free_port

needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is not installed"
)


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """A Prometheus that scrapes every second; gives its address.

    Args:
        folder: where it keeps what it knows.
        targets: labels of each target, by `HOST:PORT/PATH`.
    """
    jobs = [
        {
            "job_name": target,
            "metrics_path": f"/{target.partition('/')[2]}",
            "static_configs": [{"targets": [target.partition("/")[0]], "labels": {**labels}}],
        }
        for target, labels in targets.items()
    ]
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}
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
    """What PromQL gives now: labels and value of each series.

    Raises:
        urllib.error.URLError: nobody answers yet, or the query is wrong.
    """
    url = f"http://{address}/api/v1/query?query={urllib.parse.quote(text)}"
    with urllib.request.urlopen(url, timeout=10) as response:
        answer: dict[str, Any] = json.load(response)
    return [(item["metric"], float(item["value"][1])) for item in answer["data"]["result"]]


def value(address: str, text: str) -> float | None:
    """The one value of a query; None while there is none, or nobody answers."""
    try:
        found = query(address, text)
    except urllib.error.HTTPError:
        raise
    except OSError:
        return None
    return found[0][1] if found else None
