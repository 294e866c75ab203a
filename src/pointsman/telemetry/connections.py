"""How many connections are open now, as each proxy last said."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pointsman.resources.key import Key
from pointsman.telemetry.window import Subject

FRESH_S: Final = 15.0
"""Seconds after which a proxy that says nothing counts as gone: three reports."""
MOST_PROXIES: Final = 10_000
"""Proxies whose connections are known."""


@dataclass(frozen=True, slots=True)
class _Said:
    at: float
    proxy: Key
    open: Mapping[Subject, tuple[float, int]]
    """When it was said, and how many."""


class Connections:
    """The last word of each proxy. Times are seconds since the epoch.

    Unlike what is counted this has no history, and several proxies of one node have to be told
    apart: each by the connection over which it reports.
    """

    def __init__(self) -> None:
        self._said: dict[str, _Said] = {}

    def report(self, whose: str, proxy: Key, open_now: Mapping[Subject, int], now: float) -> None:
        """Takes in what a proxy says; of what it leaves out, its earlier word holds for a while.

        A report may come in several parts.

        Args:
            whose: tells the proxy from all others.
            proxy: the gateway or node it is a proxy of.
            open_now: connections that are open.
            now: when that was.
        """
        earlier = self._said.pop(whose, None)
        known = {} if earlier is None else dict(_fresh(earlier, now))
        known.update((subject, (now, count)) for subject, count in open_now.items())
        self._said[whose] = _Said(now, proxy, known)
        # They stand in the order of their last words.
        for other, said in list(self._said.items()):
            if now - said.at <= FRESH_S and len(self._said) <= MOST_PROXIES:
                break
            del self._said[other]

    def by_subject(self, now: float) -> Mapping[Subject, int]:
        """Connections open now."""
        found: dict[Subject, int] = {}
        for said in self._there(now):
            for subject, (_, count) in _fresh(said, now):
                found[subject] = found.get(subject, 0) + count
        return found

    def proxies(self, now: float) -> Mapping[Key, int]:
        """How many proxies of each gateway and node have reported lately."""
        found: dict[Key, int] = {}
        for said in self._there(now):
            found[said.proxy] = found.get(said.proxy, 0) + 1
        return found

    def _there(self, now: float) -> Iterator[_Said]:
        return (said for said in self._said.values() if now - said.at <= FRESH_S)


def _fresh(said: _Said, now: float) -> Iterator[tuple[Subject, tuple[float, int]]]:
    return (item for item in said.open.items() if now - item[1][0] <= FRESH_S)
