"""Programs of others, from packages of npm.

A package is installed once into a folder of the user's cache, which is called after the lock
file. Where node, npm or their registry is missing, tests that need it are skipped and say so.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

PEERS = Path(__file__).parents[1] / "peers"
_INSTALL_S = 120


def installed(peer: str, script: str) -> Path:
    """The folder that a peer is installed in.

    Args:
        peer: its folder in `tests/peers`.
        script: what runs.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    files = ("package-lock.json", script)
    content = b"".join((PEERS / peer / name).read_bytes() for name in files)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pointsman-tests"
    folder = cache / f"{peer}-{hashlib.sha256(content).hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{peer}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _install(PEERS / peer, folder, script)
    return folder


def _install(peer: Path, folder: Path, script: str) -> None:
    made = Path(tempfile.mkdtemp(dir=folder.parent))
    for name in ("package.json", "package-lock.json", script):
        shutil.copy(peer / name, made / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command, cwd=made, capture_output=True, timeout=_INSTALL_S, check=False
        )
    except subprocess.TimeoutExpired:
        shutil.rmtree(made)
        pytest.skip(f"npm could not install what {peer.name} needs in time")
    if done.returncode != 0:
        shutil.rmtree(made)
        pytest.skip(f"npm could not install what {peer.name} needs; is its registry reachable?")
    made.rename(folder)
