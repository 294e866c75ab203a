"""A server and real Envoys for the tests beside it."""

import tempfile
from collections.abc import AsyncIterator, Hashable, Iterator
from pathlib import Path

import pytest

from pointsman.xds.rejection import Rejection
from pointsman.xds.server import AdsServer


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="xds") as path:
        yield Path(path)


@pytest.fixture
def rejections() -> list[Rejection]:
    return []


@pytest.fixture
async def server(folder: Path, rejections: list[Rejection]) -> AsyncIterator[AdsServer]:
    def note(_node_class: Hashable, rejection: Rejection) -> None:
        rejections.append(rejection)

    server = AdsServer(lambda node: node.cluster, note)
    await server.start(f"unix:{folder}/ads.sock")
    yield server
    await server.stop(0.0)
