"""Until when the certificates are good that proxies have from files, as proxies themselves say."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from pointsman.resources.key import Key

FRESH_S: Final = 20.0
"""Seconds after which a certificate that no proxy tells of counts as gone."""
SILENT_S: Final = 15.0
"""Seconds after which nobody has a certificate any more that a newer one was seen beside."""
MOST: Final = 4_096
"""Certificates that are remembered; what is more is not known of."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """The end of a certificate, in seconds since 1970 as all moments here.

    Attributes:
        end: until when it is good.
        first: when this one was first heard of.
        last: when it was last heard of.
        renewed: whether another one was there before: so somebody does renew it.
    """

    end: float
    first: float
    last: float
    renewed: bool = False


class Expiries:
    """Remembers them by whose proxies have them, and by the file they are in."""

    def __init__(self) -> None:
        self._known: dict[tuple[Key, str], Expiry] = {}

    def report(self, proxy: Key, file: str, end: float, now: float) -> None:
        """A proxy tells of one; of several proxies the end that comes first counts."""
        place = (proxy, file)
        earlier = self._known.get(place)
        if earlier is None:
            if len(self._known) >= MOST:
                self.fresh(now)
            if len(self._known) < MOST:
                self._known[place] = Expiry(end, now, now)
        elif end == earlier.end:
            self._known[place] = replace(earlier, last=now)
        elif end < earlier.end:
            self._known[place] = Expiry(end, now, now, earlier.renewed)
        elif now - earlier.last > SILENT_S:
            self._known[place] = Expiry(end, now, now, renewed=True)

    def fresh(self, now: float) -> Mapping[Key, Mapping[str, Expiry]]:
        """What proxies have told of lately."""
        found: dict[Key, dict[str, Expiry]] = {}
        for (proxy, file), expiry in list(self._known.items()):
            if now - expiry.last > FRESH_S:
                del self._known[proxy, file]
            else:
                found.setdefault(proxy, {})[file] = expiry
        return found
