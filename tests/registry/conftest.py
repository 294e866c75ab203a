"""AWS as moto plays it, on a real socket."""

from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from tests.registry.aws import Aws


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")


@pytest.fixture
def moto() -> Iterator[ThreadedMotoServer]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def cloud(moto: ThreadedMotoServer) -> Aws:
    host, port = moto.get_host_and_port()
    found = Aws(f"http://{host}:{port}")
    found.reset()
    return found
