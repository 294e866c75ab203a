"""A PostgreSQL of the tests' own, on a Unix socket."""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BY_DEBIAN = "/usr/lib/postgresql/*/bin"


def program(name: str) -> str | None:
    """Where a program of PostgreSQL's server is; None when it is not installed."""
    installed = sorted(Path("/").glob(f"{_BY_DEBIAN[1:]}/{name}"))
    return str(installed[-1]) if installed else shutil.which(name)


@contextmanager
def postgres() -> Iterator[Path]:
    """Runs a server as long as the block lasts; the folder of its socket."""
    initdb, server = program("initdb"), program("postgres")
    assert initdb is not None
    assert server is not None
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    user = _user()
    if user is not None:
        shutil.chown(folder, user)
    data = folder / "data"
    try:
        subprocess.run(
            [initdb, "-D", str(data), "-U", "pointsman", "-A", "trust", "--no-sync"],
            check=True,
            capture_output=True,
            user=user,
            cwd="/",
        )
        process = subprocess.Popen(
            [server, "-D", str(data), "-k", str(folder), "-c", "listen_addresses=", "-F"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=user,
            cwd="/",
        )
        try:
            yield folder
        finally:
            process.terminate()
            process.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fresh_database(folder: Path) -> str:
    """The URL of a database of the server that is new and empty."""
    name = f"t{uuid.uuid4().hex}"
    createdb = program("createdb") or "createdb"
    command = [createdb, "-h", str(folder), "-U", "pointsman", name]
    for _ in range(200):
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            break
    else:
        raise AssertionError("PostgreSQL does not answer")
    return f"postgresql://pointsman@/{name}?host={folder}"


def _user() -> str | None:
    """Whom the server runs as: not root, which it refuses."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
