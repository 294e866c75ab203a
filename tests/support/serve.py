"""`pointsman serve` and `pointsman proxy` as processes, and a small shop for them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.up import Up, ask, free_port, until
from tests.up import manifests

GATEWAY = "mesh/shop/virtualGateway/front_shop"
PATIENCE_S = 40.0


@dataclass(frozen=True)
class Shop:
    """A folder of manifests with one gateway, `front`, that serves `/web`.

    Attributes:
        folder: where they are.
        port: where the gateway listens.
        backend: port of the application behind it.
    """

    folder: Path
    port: int
    backend: int

    @classmethod
    def make(cls, folder: Path, backend: int) -> "Shop":
        shop = cls(folder, free_port(), backend)
        shop.write("mesh.yaml", manifests.mesh(), manifests.gateway("front", shop.port))
        shop.write("web.yaml", *manifests.shop("web"))
        return shop

    def write(self, name: str, *objects: dict[str, Any]) -> None:
        """Makes or replaces a file."""
        fresh = self.folder / f".{name}"
        fresh.write_text(manifests.text(*objects), encoding="utf-8")
        fresh.rename(self.folder / name)

    @property
    def options(self) -> list[str]:
        """Options of `serve` that keep everything on this machine."""
        names = ("web", "cart")
        where = f"127.0.0.1:{self.backend}"
        return [
            "--bind=127.0.0.1",
            *(f"--resolve={name}.shop.svc.cluster.local:8080={where}" for name in names),
        ]

    def answers(self, path: str = "/web", status: int = 200) -> bool:
        """Whether the gateway answers so."""
        return ask(f"127.0.0.1:{self.port}", path, seconds=5).status == status


def events(run: Up, name: str) -> list[dict[str, Any]]:
    """What a command has logged under that name."""
    return [entry for entry in logged(run) if entry["event"] == name]


def logged(run: Up) -> list[dict[str, Any]]:
    """Everything a command has logged; a line that is not JSON fails."""
    return [json.loads(line) for line in list(run.said) if line.startswith("{")]


@contextmanager
def serving(shop: Shop, xds: str, *options: str) -> Iterator[Up]:
    """`pointsman serve` of the shop, ready; ended by whoever wants, else killed at the end."""
    run = Up.start(shop.folder, f"--xds={xds}", *shop.options, *options, command="serve")
    try:
        run.says(r'"event": "started"', PATIENCE_S)
        yield run
        assert "Traceback" not in run.text, run.text
    finally:
        run.clear()


@contextmanager
def proxying(xds: str, *options: str, node: str = GATEWAY) -> Iterator[Up]:
    """`pointsman proxy`, starting, so that several start side by side; killed at the end."""
    run = Up.start(
        f"--node={node}",
        f"--xds={xds}",
        "--health=127.0.0.1:0",
        "--drain=1",
        *options,
        command="proxy",
    )
    try:
        yield run
        assert "Traceback" not in run.text, run.text
    finally:
        run.clear()


def health(run: Up) -> str:
    """Where a command answers for its health, once it has started."""
    run.says(r'"event": "started"', PATIENCE_S)
    address: str = events(run, "started")[0]["health"]
    return address


def is_ready(run: Up) -> bool:
    """Whether a command calls itself ready."""
    return ask(health(run), "/ready").status == 200


def wait_ready(*runs: Up) -> None:
    """Waits until commands call themselves ready."""
    for run in runs:
        until(lambda run=run: is_ready(run), PATIENCE_S, f"ready: {run.text}")  # type: ignore[misc]
