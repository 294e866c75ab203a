"""The memory that spares doing again what would come out the same.

Linking and translating ten thousand routes for one edit would cost more time than the edit may
take. Every step therefore states its inputs; while they are equal to those of the previous run,
its result is the very same object, so that what is built upon it compares equal at a glance. A
memo never changes what comes out, only how long it takes.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import Any


class Memo:
    """Results of one run, by step, with the inputs they were made from."""

    def __init__(self, previous: "Memo | None" = None) -> None:
        self._previous = previous._entries if previous else {}
        self._entries: dict[Hashable, tuple[tuple[Any, ...], Any]] = {}

    def get(self, step: Hashable, inputs: tuple[Any, ...], build: Callable[[], Any]) -> Any:
        """The result of a step: this run's, the previous run's for equal inputs, or a new one."""
        entry = self._entries.get(step)
        if entry is None:
            entry = self._previous.get(step)
            if entry is None or entry[0] != inputs:
                entry = (inputs, build())
            self._entries[step] = entry
        return entry[1]

    def recall(self, step: Hashable, inputs: tuple[Any, ...]) -> Any:
        """The previous run's result for equal inputs, or None; it is not kept for the next run."""
        entry = self._previous.get(step)
        return entry[1] if entry is not None and entry[0] == inputs else None

    def keep(self, step: Hashable, inputs: tuple[Any, ...], result: Any) -> None:
        """Keeps a result for the next run to recall."""
        self._entries[step] = (inputs, result)

    def seen(self, step: Hashable) -> Any:
        """The result of a step this run has already taken, or None."""
        entry = self._entries.get(step)
        return None if entry is None else entry[1]

    def results(self) -> Iterable[Any]:
        """Results of everything done in this run."""
        return (result for _, result in self._entries.values())

    def forget_previous(self) -> None:
        """Lets go of the results this run did not use."""
        self._previous = {}
