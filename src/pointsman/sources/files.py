"""Manifests in files and folders, read once or watched.

A folder stands for the manifests in it and below. Anything that changes makes the paths be
looked through again and what differs be told, so editors that rename, deleted and new files
and Kubernetes' swapped links are all one case.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from watchfiles import Change, awatch

from pointsman.errors import SourceError

STDIN: Final = "-"
"""The path that stands for standard input."""

_ENDINGS: Final = tuple(
    ending + template for ending in (".yaml", ".yml", ".json") for template in ("", ".template")
)
_QUIET_MS: Final = 20
"""Milliseconds without a change after which files are read; editors write in several steps."""
_PATIENCE_MS: Final = 1000
"""Milliseconds after which files are read although changes go on."""

_Stamp = tuple[int, int, int]


def read(paths: Sequence[str]) -> Mapping[str, str]:
    """The texts of all manifests at the paths, by file path as the user would write it.

    Files are UTF-8; a byte that is not becomes a lone surrogate, which decoding reports with its
    position.

    Args:
        paths: files of any name, folders, or `-` for standard input.

    Raises:
        SourceError: a path does not exist or cannot be read.
    """
    texts: dict[str, str] = {}
    for path in dict.fromkeys(paths):
        if path == STDIN:
            texts[STDIN] = _decode(sys.stdin.buffer.read())
            continue
        if not Path(path).exists():
            raise SourceError(f"{path} does not exist", hint="name files or folders of manifests")
        try:
            texts.update((file, _decode(Path(file).read_bytes())) for file in _files(path))
        except OSError as error:
            raise SourceError(
                f"{error.filename or path} cannot be read: {error.strerror}"
            ) from None
    return texts


async def watch(
    paths: Sequence[str], known: Mapping[str, str]
) -> AsyncGenerator[Mapping[str, str | None], None]:
    """Tells what changed at the paths, until it is closed.

    Args:
        paths: as for `read`; standard input is not watched.
        known: what `read` gave; a change between the two is told at once.

    Yields:
        The files that differ and their new texts; None for a file that is gone. A file that cannot
        be read at the moment counts as unchanged.
    """
    scanner = Scanner([path for path in paths if path != STDIN], known)
    changed = asyncio.Event()
    watchers = [
        asyncio.create_task(_notify(folders, recursive, changed))
        for recursive, folders in _folders(scanner.paths)
    ]
    try:
        while True:
            await _first(changed, watchers)
            changed.clear()
            changes = await asyncio.to_thread(scanner.changes)
            if changes:
                yield changes
    finally:
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)


async def _first(changed: asyncio.Event, watchers: list[asyncio.Task[None]]) -> None:
    """Waits for a change; an error of a watcher is raised here."""
    waiter = asyncio.create_task(changed.wait())
    try:
        done, _ = await asyncio.wait([waiter, *watchers], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        waiter.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiter


async def _notify(folders: list[Path], recursive: bool, changed: asyncio.Event) -> None:
    """Tells of changes until it is cancelled.

    A folder that is removed takes its watch along, and the system's watches may be used up. While
    there is none, a look every second stands in for it.
    """
    while True:
        with contextlib.suppress(OSError, RuntimeError):
            await _notify_while_there(folders, recursive, changed)
        changed.set()
        await asyncio.sleep(_PATIENCE_MS / 1000)


async def _notify_while_there(folders: list[Path], recursive: bool, changed: asyncio.Event) -> None:
    """Tells of changes until one of the folders is removed or replaced."""
    folders = [folder.absolute() for folder in folders]
    watched = [_identity(folder) for folder in folders]
    removals = {(Change.deleted, str(folder)) for folder in folders}
    # The first round ends by timeout, when the watch is already in place: what changed before it
    # is found by the look that this triggers. Later timeouts only serve to look at the folders.
    looked = False
    async for events in awatch(
        *folders,
        watch_filter=None,
        debounce=_PATIENCE_MS,
        step=_QUIET_MS,
        rust_timeout=_PATIENCE_MS,
        yield_on_timeout=True,
        recursive=recursive,
        ignore_permission_denied=True,
    ):
        if events or not looked:
            looked = True
            changed.set()
        if not removals.isdisjoint(events) or [_identity(folder) for folder in folders] != watched:
            return


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        stat = folder.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _folders(paths: Iterable[str]) -> Iterator[tuple[bool, list[Path]]]:
    """Folders to watch: those given with all below, and those that hold a file given."""
    whole: set[Path] = set()
    holding: set[Path] = set()
    for path in map(Path, paths):
        if path.is_dir():
            whole.add(path)
        else:
            holding |= {path.parent, path.resolve().parent}
    if whole:
        yield True, sorted(whole)
    if holding:
        yield False, sorted(holding)


class Scanner:
    """Finds what differs from the last look, reading only files whose stamp changed."""

    def __init__(self, paths: list[str], known: Mapping[str, str]) -> None:
        self.paths = paths
        self._texts = {file: text for file, text in known.items() if file != STDIN}
        self._stamps: dict[str, _Stamp] = {}

    def changes(self) -> dict[str, str | None]:
        """Files that differ and their new texts; None for a file that is gone."""
        try:
            found = [file for path in self.paths if Path(path).exists() for file in _files(path)]
        except OSError:
            return {}  # what cannot be looked at now counts as unchanged
        gone = self._texts.keys() - set(found)
        changes: dict[str, str | None] = dict.fromkeys(sorted(gone))
        for file in found:
            with contextlib.suppress(OSError):
                self._look(file, changes)
        for file in gone:
            del self._texts[file]
            self._stamps.pop(file, None)
        return changes

    def _look(self, file: str, changes: dict[str, str | None]) -> None:
        stat = _settled(file)
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if self._stamps.get(file) == stamp:
            return
        text = _decode(Path(file).read_bytes())
        self._stamps[file] = stamp
        if self._texts.get(file) != text:
            self._texts[file] = changes[file] = text


def _refuse(error: OSError) -> None:
    """A folder that cannot be read is an error, not an empty folder."""
    raise error


def _settled(file: str) -> os.stat_result:
    """The file's status once it has been quiet: one just truncated is about to be written."""
    patience = time.monotonic() + _PATIENCE_MS / 1000
    while True:
        stat = Path(file).stat()
        missing = _QUIET_MS / 1000 - (time.time() - stat.st_mtime)
        if not 0 < missing <= _QUIET_MS / 1000 or time.monotonic() > patience:
            return stat
        time.sleep(missing)


def _files(path: str) -> Iterator[str]:
    """The files a path stands for, in order; a file stands for itself, whatever its name."""
    if not Path(path).is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path, onerror=_refuse, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(_ENDINGS) and not name.startswith("."):
                yield str(Path(folder, name))


def _decode(content: bytes) -> str:
    return content.decode("utf-8-sig", "surrogateescape")
