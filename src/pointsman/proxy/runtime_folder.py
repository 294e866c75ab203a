"""A private folder for sockets and the bootstrap, which does not outlive its process for long.

A process that ends well removes its folder. One that was killed cannot; its folder is removed by
the next run. Whether the owner lives is told by a lock on a file inside, not by a process id:
ids are reused, and mean nothing between containers that share the temporary folder.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pointsman.errors import EnvoyError

PREFIX: Final = "pointsman-"
LONGEST_SOCKET_PATH: Final = 107
"""Bytes of a Unix socket's path: sockaddr_un holds 108 with the final zero (unix(7))."""
LONGEST_SOCKET_NAME: Final = 40
"""Bytes left for the name of a socket in the folder."""

_LOCK: Final = "lock"
_UNFINISHED: Final = ".new-" + PREFIX


class RuntimeFolder:
    """A folder of mode 0700 with a path short enough for Unix sockets.

    Use it as a context manager, or call `remove`. While it exists its lock is held.

    Attributes:
        path: the folder.
    """

    def __init__(self, parent: Path | None = None) -> None:
        """Make the folder and clear away those of dead owners.

        Args:
            parent: where to make it, such as $XDG_RUNTIME_DIR; the temporary folder if None.

        Raises:
            EnvoyError: it cannot be made, or its path is too long for a socket.
        """
        where = parent if parent is not None else Path(tempfile.gettempdir())
        _remove_abandoned(where)
        try:
            unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=where))
        except OSError as error:
            raise EnvoyError(f"cannot make a runtime folder in {where}: {error.strerror}") from None
        self._lock = _locked(unfinished / _LOCK)
        # Renamed only once locked, so that no other start can take it for abandoned.
        self.path = unfinished.with_name(unfinished.name.removeprefix(".new-"))
        unfinished.rename(self.path)
        if len(os.fsencode(self.path)) + 1 + LONGEST_SOCKET_NAME > LONGEST_SOCKET_PATH:
            self.remove()
            raise EnvoyError(
                f"the path of the runtime folder is too long for a Unix socket: {where}",
                hint="Set TMPDIR to a shorter path, such as /tmp.",
            )

    def socket(self, name: str) -> Path:
        """The path for a socket called `name`.

        Raises:
            ValueError: the name is longer than LONGEST_SOCKET_NAME bytes.
        """
        if len(os.fsencode(name)) > LONGEST_SOCKET_NAME:
            raise ValueError(f"socket name too long: {name}")
        return self.path / name

    def remove(self) -> None:
        """Remove the folder and all in it; harmless when it is gone already."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_abandoned(where: Path) -> None:
    for folder in where.glob(PREFIX + "*"):
        # Other users' folders, and names that merely look alike, have no lock we can open.
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
