"""A mesh of four proxies on machines of their own, and one machine outside of it.

`front` calls `color`, which is `blue` (two machines) and `red`, and `db`, a TCP port of red's. What
is looked up for them is an address of `outside`, where nothing of them is: only proxies lead there.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.mesh.place import Place
from tests.support.netns import Namespace, switched, why_not
from tests.support.pem_files import Authority
from tests.support.up import Up, until

NODES = {"front": "front", "blue-1": "blue", "blue-2": "blue", "red": "red"}
"""Virtual nodes by machine."""
COLOR, DB = "color.shop.svc.cluster.local", "db.shop.svc.cluster.local"
STRANGER, AMAZON = "stranger.test", "s3.eu-west-1.amazonaws.com"
_SERVED: Mapping[str, Mapping[str, Any]] = {
    "front": {"web": [8080]},
    "blue-1": {"web": [8080]},
    "blue-2": {"web": [8080]},
    "red": {"web": [8080], "greeting": [9000]},
    "outside": {"web": [8080, 8081, 9080], "greeting": [2525, 3306], "tls": [443]},
}
_SHOP = Path(__file__).with_name("shop")
_PORTS = {"front": (8080,), "blue-1": (8080,), "blue-2": (8080,), "red": (8080, 9000)}
"""Of the virtual nodes' listeners."""


@dataclass
class Mesh:
    """A running mesh.

    Attributes:
        places: its machines, and `outside`.
        folder: its manifests.
        identity: folder of its certificate authority.
        control: the control plane.
        stack: ends it.
        held: what its proxies have got at first.
    """

    places: Mapping[str, Place]
    folder: Path
    identity: Path
    stack: ExitStack
    control: Up = field(init=False)
    held: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    def serve(self) -> None:
        """Starts the control plane, on a Unix socket that all may use."""
        xds = f"--xds=unix:{self.folder.parent}/xds.sock"
        options = (xds, "--socket-mode=0666", f"--identity={self.identity}")
        self.control = self.stack.enter_context(serving(self.folder, *options))

    def __getitem__(self, name: str) -> Place:
        return self.places[name]

    def write(self, name: str, text: str) -> None:
        """Makes or replaces a file of the manifests at once."""
        fresh = self.folder / f".{name}"
        fresh.write_text(text, encoding="utf-8")
        fresh.rename(self.folder / name)

    def edit(self, name: str, *changes: tuple[str, str]) -> None:
        """Replaces words in a file of the manifests."""
        text = (self.folder / name).read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.write(name, text)

    def allow_all(self) -> None:
        """Lets everything out, from now on."""
        self.edit("mesh.yaml", ("DROP_ALL", "ALLOW_ALL"))


def hosts(ends: Mapping[str, Namespace]) -> dict[str, Sequence[str]]:
    """What all machines find under which name."""
    outside = ends["outside"]
    found: dict[str, Sequence[str]] = {
        "front.shop": (ends["front"].ipv4,),
        "red.shop": (ends["red"].ipv4,),
        "red.six": (ends["red"].ipv6,),
        "blue.shop": (ends["blue-1"].ipv4, ends["blue-2"].ipv4),
        "blue.six": (ends["blue-1"].ipv6, ends["blue-2"].ipv6),
    }
    return found | dict.fromkeys((COLOR, DB, STRANGER, AMAZON), (outside.ipv4,))


@contextmanager
def serving(manifests: Path, *options: str) -> Iterator[Up]:
    """The control plane of some manifests."""
    run = Up.start(manifests, *options, command="serve")
    try:
        run.says(r'"event": "started"', 40)
        yield run
        assert "Traceback" not in run.text, run.text
    finally:
        run.clear()


@contextmanager
def machine(
    folder: Path, namespace: Namespace, name: str, served: Mapping[str, Any], node: str = ""
) -> Iterator[Place]:
    """A machine with an application, and a proxy if it is to be a node."""
    home = folder / name
    home.mkdir()
    home.chmod(0o777)
    place = Place(namespace, home, dict(served), {})
    with ExitStack() as stack:
        stack.enter_context(place.application())
        if node:
            stack.enter_context(place.proxy(f"unix:{folder}/xds.sock", node))
        yield place


@pytest.fixture(scope="session")
def started() -> Iterator[Mesh]:
    if reason := why_not():
        pytest.skip(reason)
    with (
        tempfile.TemporaryDirectory(prefix="pmm") as path,
        switched(*_SERVED, hosts=hosts) as ends,
        ExitStack() as stack,
    ):
        folder = Path(path)
        folder.chmod(0o755)
        pair = Authority(folder, "public").issue("server", AMAZON)
        outside = {**_SERVED["outside"], "certificate": [str(pair.certificate), str(pair.key)]}
        shutil.copytree(_SHOP, folder / "mesh")
        places: dict[str, Place] = {}
        mesh = Mesh(places, folder / "mesh", folder / "identity", stack)
        mesh.serve()
        for name, namespace in ends.items():
            served = outside if name == "outside" else _SERVED[name]
            node = f"mesh/shop/virtualNode/{NODES[name]}_shop" if name in NODES else ""
            places[name] = stack.enter_context(machine(folder, namespace, name, served, node))
        for name in NODES:
            places[name].intercept(*(f"--app-port={port}" for port in _PORTS[name]))
        for name in NODES:
            places[name].wait_ready()
        mesh.held = {name: places[name].held() for name in NODES}
        yield mesh


@pytest.fixture
def mesh(started: Mesh) -> Iterator[Mesh]:
    """The mesh; manifests, and what proxies have got of them, are as at first afterwards."""
    yield started
    for file in started.folder.glob("*.yaml"):
        first = _SHOP / file.name
        if not first.exists():
            file.unlink()
        elif file.read_text("utf-8") != first.read_text("utf-8"):
            started.write(file.name, first.read_text("utf-8"))
    for name in NODES:
        until(lambda n=name: started[n].held() == started.held[n], 20, name)  # type: ignore[misc]
