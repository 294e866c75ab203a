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
    open: Mapping[Subject, int]


class Connections:
    """The last word of each proxy. Times are seconds since the epoch.

    Unlike what is counted this has no history, and several proxies of one node have to be told
    apart: each by the connection over which it reports.
    """

    def __init__(self) -> None:
        self._said: dict[str, _Said] = {}

    def report(self, whose: str, proxy: Key, open_now: Mapping[Subject, int], now: float) -> None:
        """Takes in what a proxy says.

        Args:
            whose: tells the proxy from all others.
            proxy: the gateway or node it is a proxy of.
            open_now: connections that are open.
            now: when that was.
        """
        self._said.pop(whose, None)
        self._said[whose] = _Said(now, proxy, open_now)
        # They stand in the order of their last words.
        for other, said in list(self._said.items()):
            if now - said.at <= FRESH_S and len(self._said) <= MOST_PROXIES:
                break
            del self._said[other]

    def by_subject(self, now: float) -> Mapping[Subject, int]:
        """Connections open now."""
        found: dict[Subject, int] = {}
        for said in self._fresh(now):
            for subject, count in said.open.items():
                found[subject] = found.get(subject, 0) + count
        return found

    def proxies(self, now: float) -> Mapping[Key, int]:
        """How many proxies of each gateway and node have reported lately."""
        found: dict[Key, int] = {}
        for said in self._fresh(now):
            found[said.proxy] = found.get(said.proxy, 0) + 1
        return found

    def _fresh(self, now: float) -> Iterator[_Said]:
        return (said for said in self._said.values() if now - said.at <= FRESH_S)
