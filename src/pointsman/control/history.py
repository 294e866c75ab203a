"""What manifests said and when, and which of it counts. No clock and no I/O.

An earlier revision can be made to count again without touching files: what is edited meanwhile
is remembered, and waits until it is released. It lives in memory: a restart begins anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pointsman.errors import RefusedError
from pointsman.resources.codes.reading import HELD
from pointsman.resources.problem import Problem

MOST: Final = 50
"""Revisions that are remembered."""
MOST_CHARACTERS: Final = 64_000_000
"""Characters of manifests that are remembered, texts that several revisions share counted once."""

Texts = Mapping[str, str]
Changes = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Revision:
    """What counted from some moment on.

    Attributes:
        number: from 1.
        at: when, in seconds since the epoch.
        by: who: `files`, or who asked for an earlier revision.
        changed: sources that were added, changed or removed.
        again: the revision that it repeats, if it does.
        texts: all sources.
    """

    number: int
    at: float
    by: str
    changed: tuple[str, ...]
    again: int | None = None
    texts: Texts = field(default_factory=dict, repr=False)


class History:
    """Revisions, the last of which counts."""

    def __init__(self) -> None:
        self._revisions: list[Revision] = []
        self._files: dict[str, str] = {}
        self._held = False

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """Those that are remembered, the oldest first."""
        return tuple(self._revisions)

    @property
    def current(self) -> Revision:
        """The one that counts."""
        return self._revisions[-1]

    @property
    def held(self) -> bool:
        """Whether an earlier revision was asked for, so that edits wait."""
        return self._held

    @property
    def waiting(self) -> tuple[str, ...]:
        """Sources that say something else than what counts."""
        return _differing(self.current.texts, self._files)

    def begin(self, files: Texts, at: float) -> None:
        """Takes what files say at the start."""
        self._files = dict(files)
        self._revisions = [Revision(1, at, "files", tuple(sorted(files)), texts=dict(files))]

    def edited(self, changes: Changes, at: float) -> Changes:
        """Takes in what was edited.

        Returns:
            What is to be made live; nothing while a revision is held.
        """
        for source, text in changes.items():
            if text is None:
                self._files.pop(source, None)
            else:
                self._files[source] = text
        if self._held:
            return {}
        self._add(at, "files", self._files)
        return changes

    def go_back(self, number: int, at: float, by: str) -> Changes:
        """Makes an earlier revision count, and keeps edits waiting.

        Returns:
            What is to be made live.

        Raises:
            RefusedError: it is not known, or says what counts already.
        """
        target = self.get(number)
        if not _differing(self.current.texts, target.texts):
            raise RefusedError(f"revision {number} says what is in force", status=409)
        self._held = True
        return self._add(at, by, target.texts, again=number)

    def release(self, at: float, by: str) -> Changes:
        """Makes files count again.

        Returns:
            What is to be made live.

        Raises:
            RefusedError: no revision is held.
        """
        if not self._held:
            raise RefusedError("no revision is held: files are in force", status=409)
        self._held = False
        return self._add(at, by, self._files)

    def get(self, number: int) -> Revision:
        """The revision of a number.

        Raises:
            RefusedError: it is not known.
        """
        for revision in self._revisions:
            if revision.number == number:
                return revision
        first, last = self._revisions[0].number, self.current.number
        raise RefusedError(
            f"there is no revision {number}: {first} to {last} are known", status=404
        )

    def expect(self, number: int) -> None:
        """Makes sure that the revision of a number is the one that counts.

        Raises:
            RefusedError: another one does.
        """
        if self.current.number != number:
            raise RefusedError(f"revision {self.current.number} is in force", status=409)

    def problems(self) -> tuple[Problem, ...]:
        """That edits wait."""
        if not self._held:
            return ()
        waiting = ", ".join(self.waiting)
        told = f"; what {waiting} says now waits" if waiting else ""
        return (
            Problem(
                HELD,
                f"revision {self.current.again} is in force again{told}",
                hint="mend the files, then: pointsman rollback --release",
            ),
        )

    def _add(self, at: float, by: str, texts: Texts, again: int | None = None) -> Changes:
        before = self.current
        changed = _differing(before.texts, texts)
        if changed or again is not None:
            self._revisions.append(Revision(before.number + 1, at, by, changed, again, dict(texts)))
            self._forget()
        return {source: texts.get(source) for source in changed}

    def _forget(self) -> None:
        del self._revisions[:-MOST]
        while len(self._revisions) > 2 and self._characters() > MOST_CHARACTERS:
            del self._revisions[0]

    def _characters(self) -> int:
        distinct = {id(text): len(text) for item in self._revisions for text in item.texts.values()}
        return sum(distinct.values())


def _differing(before: Texts, after: Texts) -> tuple[str, ...]:
    return tuple(
        sorted(
            source
            for source in before.keys() | after.keys()
            if before.get(source) != after.get(source)
        )
    )
