"""A shop with an application behind it, and a short path for sockets."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.serve import Shop
from tests.support.traffic import backend


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pms") as path:
        yield Path(path)


@pytest.fixture
def shop(folder: Path) -> Iterator[Shop]:
    (folder / "mesh").mkdir()
    with backend() as port:
        yield Shop.make(folder / "mesh", port)
