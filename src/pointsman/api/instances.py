"""Which instances run here, by their sockets.

Every instance has one socket, `PID.sock` in the user's runtime folder of mode 0700: who may open
it is the file system's decision, so there is neither a port nor a password.
"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pointsman.errors import InstanceError

_TIMEOUT_S: Final = 5.0
_START: Final = "start one with: pointsman up PATH..."


def socket_path(runtime_folder: Path, pid: int) -> Path:
    """Where the instance with that process id listens."""
    return runtime_folder / f"{pid}.sock"


def find_instance(runtime_folder: Path, pid: int | None = None) -> Path:
    """The socket of a running instance.

    Args:
        runtime_folder: where instances keep their sockets.
        pid: process id of the instance; None takes the only one.

    Raises:
        InstanceError: there is none, none with that id, or it cannot be told which.
    """
    if pid is not None:
        path = socket_path(runtime_folder, pid)
        if not _is_alive(path):
            raise InstanceError(
                f"there is no running instance {pid}", hint=_running(runtime_folder)
            )
        return path
    alive = list(_alive(runtime_folder))
    if not alive:
        raise InstanceError("there is no running instance", hint=_START)
    if len(alive) > 1:
        raise InstanceError(
            f"which of {len(alive)} running instances?",
            hint=f"name one with --instance PID: {', '.join(path.stem for path in alive)}",
        )
    return alive[0]


def _running(runtime_folder: Path) -> str:
    pids = ", ".join(path.stem for path in _alive(runtime_folder))
    return f"running: {pids}" if pids else _START


def _alive(runtime_folder: Path) -> Iterator[Path]:
    """Sockets somebody listens on; an instance that was killed leaves its socket behind."""
    return (path for path in sorted(runtime_folder.glob("*.sock")) if _is_alive(path))


def _is_alive(path: Path) -> bool:
    # In a folder that is not ours, such as one made below /tmp before us, nobody is trusted.
    try:
        if path.parent.stat().st_uid != os.getuid():
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_TIMEOUT_S)
            probe.connect(str(path))
    except OSError:
        return False
    return True
