from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.proxy.binary import EnvoyBinary, find_envoy
from pointsman.proxy.runtime_folder import RuntimeFolder


@pytest.fixture(scope="session")
def envoy() -> EnvoyBinary:
    return find_envoy()


@pytest.fixture
def folder() -> Iterator[Path]:
    with RuntimeFolder() as folder:
        yield folder.path
