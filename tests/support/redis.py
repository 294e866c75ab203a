"""A Redis of the tests' own, on a Unix socket."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def redis() -> Iterator[Path]:
    """Runs a server as long as the block lasts; its socket."""
    # Not in tmp_path, whose name may be too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="redis"))
    socket = folder / "sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
    process = subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not socket.exists():
            assert time.monotonic() < deadline, "Redis does not listen"
            time.sleep(0.01)
        yield socket
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)
