import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pointsman.errors import EnvoyError
from pointsman.proxy.ports import cannot_listen
from pointsman.proxy.runtime_folder import LONGEST_SOCKET_NAME, RuntimeFolder

KILLED = """
import os, pathlib, signal, sys
from pointsman.proxy.runtime_folder import RuntimeFolder
folder = RuntimeFolder(pathlib.Path(sys.argv[1]))
(folder.path / "admin.sock").touch()
print(folder.path, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_private_usable_for_sockets_and_gone_afterwards() -> None:
    with RuntimeFolder() as folder:
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(folder.socket("s" * LONGEST_SOCKET_NAME)))
        with pytest.raises(ValueError, match="too long"):
            folder.socket("s" * (LONGEST_SOCKET_NAME + 1))
    assert not folder.path.exists()
    folder.remove()


def test_too_long_a_path_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60)
    deep.mkdir()
    with pytest.raises(EnvoyError, match="too long for a Unix socket") as raised:
        RuntimeFolder(deep)
    assert "TMPDIR" in raised.value.hint
    assert list(deep.iterdir()) == []


def test_the_next_run_removes_what_a_killed_one_left_and_nothing_else() -> None:
    with RuntimeFolder() as outer:  # a short path
        (outer.path / "pointsman-notes").mkdir()
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(outer.path)], stdout=subprocess.PIPE, check=False
        )
        left = Path(killed.stdout.decode().strip())
        assert left.exists()
        with RuntimeFolder(outer.path) as living, RuntimeFolder(outer.path):
            assert not left.exists()
            assert living.path.exists()
            assert (outer.path / "pointsman-notes").exists()


def test_a_taken_port_is_seen_even_when_shared() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        failure = cannot_listen("127.0.0.1", port)
        assert failure is not None
        assert (failure.address, failure.reason) == (f"127.0.0.1:{port}", "Address already in use")
    assert cannot_listen("127.0.0.1", port) is None
