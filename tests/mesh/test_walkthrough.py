"""App Mesh's walkthrough howto-k8s-egress, as its manifests stand, with one edit of its Mesh."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.mesh.conftest import machine, serving
from tests.mesh.place import Place
from tests.support.corpus import WALKTHROUGHS, needed
from tests.support.netns import Namespace, switched, why_not
from tests.support.up import until

pytestmark = [
    pytest.mark.netns,
    pytest.mark.envoy,
    pytest.mark.corpus,
    pytest.mark.xdist_group("mesh"),
    needed,
]

NAME = "howto-k8s-egress"
BLUE, RED = (f"{color}.mesh-external.svc.cluster.local" for color in ("blue", "red"))


def hosts(ends: Mapping[str, Namespace]) -> dict[str, Sequence[str]]:
    return {BLUE: (ends["blue"].ipv4,), RED: (ends["red"].ipv4,)}


@pytest.fixture
def folder() -> Iterator[Path]:
    if reason := why_not():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="pmm") as path:
        Path(path).chmod(0o755)
        yield Path(path)


def test_what_is_no_backend_is_reached_once_the_mesh_allows_all(folder: Path) -> None:
    walkthrough = WALKTHROUGHS[NAME]
    (manifest,) = walkthrough.files
    own = Path(shutil.copy(manifest, folder / "mesh.yaml"))
    filled = [f"--var={name}={value}" for name, value in walkthrough.variables.items()]
    xds = f"--xds=unix:{folder}/xds.sock"
    with switched("front", "blue", "red", hosts=hosts) as ends, ExitStack() as stack:
        stack.enter_context(serving(own, xds, "--socket-mode=0666", *filled))
        node = f"mesh/{NAME}/virtualNode/front_{NAME}"
        nodes = {"front": node}
        places: dict[str, Place] = {
            name: stack.enter_context(
                machine(folder, end, name, {"web": [8080]}, nodes.get(name, ""))
            )
            for name, end in ends.items()
        }
        front = places["front"]
        front.intercept("--app-port=8080")
        front.wait_ready()
        assert front.ask(BLUE).short == (200, "blue")
        assert front.ask(RED).short == (404, "")

        fresh = folder / ".mesh.yaml"
        fresh.write_text(own.read_text("utf-8").replace("DROP_ALL", "ALLOW_ALL"), "utf-8")
        fresh.rename(own)
        until(lambda: front.ask(RED).short == (200, "red"), 20)
        assert front.ask(BLUE).short == (200, "blue")
