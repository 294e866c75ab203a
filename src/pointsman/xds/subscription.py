"""What one stream wants of one type, following the protocol's rules and nothing else.

Source of the rules: Envoy's xDS protocol document, "How the client specifies what resources to
return", "Subscribing to Resources" and "Unsubscribing From Resources". Both variants answer an
update with a `Change`, so that the session need not know which one it serves.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass

WILDCARD = "*"


@dataclass(frozen=True, slots=True)
class Change:
    """What a request changed.

    Attributes:
        send: names to answer now, whether or not the proxy is believed to have them.
        dropped: names that are no longer wanted.
        joined: the wildcard was subscribed to; everything is to be sent.
        left: the wildcard was given up.
    """

    send: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    joined: bool = False
    left: bool = False


NO_CHANGE = Change()


class Subscription:
    """Names and wildcard of one type on one stream.

    Attributes:
        wildcard: whether everything is wanted.
        names: names wanted explicitly, existing or not.
    """

    __slots__ = ("_legacy", "_started", "names", "wildcard")

    def __init__(self, *, legacy_wildcard: bool) -> None:
        self.wildcard = False
        self.names: set[str] = set()
        self._legacy = legacy_wildcard
        self._started = False

    def wants(self, name: str) -> bool:
        """Whether a resource of this name is to be sent."""
        return self.wildcard or name in self.names

    def covers(self, names: Set[str]) -> bool:
        """Whether all of the names are to be sent."""
        return self.wildcard or names <= self.names


class DeltaSubscription(Subscription):
    """Subscription of the incremental variant: requests add and take away."""

    __slots__ = ()

    def update(self, subscribe: Iterable[str], unsubscribe: Iterable[str]) -> Change:
        """Apply one request; an ACK is an update with nothing in it."""
        added, taken = set(subscribe), set(unsubscribe)
        first, self._started = not self._started, True
        if not first and not added and not taken:
            return NO_CHANGE
        taken -= added
        left = self.wildcard and WILDCARD in taken
        legacy = first and self._legacy and not added
        joined = legacy or (not self.wildcard and WILDCARD in added)
        self.wildcard = (self.wildcard and not left) or joined
        added.discard(WILDCARD)
        dropped = self.names & taken
        self.names = (self.names - taken) | added
        if self.wildcard:
            # Still wanted by the wildcard, but the proxy has dropped them: tell it anew.
            added |= dropped
            dropped = set()
        return Change(frozenset(added), frozenset(dropped), joined=joined, left=left)


class StateSubscription(Subscription):
    """Subscription of the state-of-the-world variant: requests repeat all names."""

    __slots__ = ("_explicit",)

    def __init__(self, *, legacy_wildcard: bool) -> None:
        super().__init__(legacy_wildcard=legacy_wildcard)
        self._explicit = False

    def update(self, names: Iterable[str]) -> Change:
        """Apply one request; an ACK repeats the names of the request before it."""
        wanted = set(names)
        self._explicit = self._explicit or bool(wanted)
        wildcard = WILDCARD in wanted or (self._legacy and not self._explicit)
        wanted.discard(WILDCARD)
        change = Change(
            frozenset(wanted - self.names),
            frozenset(self.names - wanted),
            joined=wildcard and not self.wildcard,
            left=self.wildcard and not wildcard,
        )
        self.wildcard, self.names, self._started = wildcard, wanted, True
        return change
