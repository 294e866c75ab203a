"""Credentials that are good at this moment, kept in memory and brought up to date by what changes.

With a hundred thousand keys, opening them all takes seconds and a revocation must not wait for
that. So only rows that have changed since the last look are read, and time takes away the rest.
"""

from datetime import datetime

from pointsman.access.credential import Active
from pointsman.access.credentials import Credentials


class LiveCredentials:
    """Keys and passwords that proxies are to know.

    Args:
        credentials: where they are from.

    Attributes:
        failures: id -> why its secret cannot be opened.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._active: dict[str, Active] = {}
        self._order: list[str] = []
        self._revision = -1
        self.failures: dict[str, str] = {}

    async def refresh(self) -> bool:
        """Looks at what has changed; whether anything had.

        Raises:
            StateError: the database does not answer.
        """
        opened = await self._credentials.opened(self._revision)
        self._revision = opened.revision
        changed = {item.id for item in opened.active} | set(opened.gone)
        for name in changed:
            self.failures.pop(name, None)
        self.failures.update(opened.failures)
        for name in (*opened.gone, *dict(opened.failures)):
            self._active.pop(name, None)
        self._active.update((item.id, item) for item in opened.active)
        if changed:
            # All but a few are in order already, which makes it quick.
            kept = (name for name in self._order if name in self._active)
            fresh = (item.id for item in opened.active)
            self._order = sorted(dict.fromkeys((*kept, *fresh)))
        return bool(changed or opened.failures)

    def active(self, now: datetime) -> list[Active]:
        """Those that are good, by id."""
        found = [self._active[name] for name in self._order]
        if any(not _lasts(item, now) for item in self._ending()):
            found = [item for item in found if _lasts(item, now)]
        return found

    def next_expiry(self, now: datetime) -> datetime | None:
        """When the next one ends; None for never."""
        ends = (item.expires_at for item in self._ending() if _lasts(item, now))
        return min((end for end in ends if end is not None), default=None)

    def _ending(self) -> list[Active]:
        return [item for item in self._active.values() if item.expires_at is not None]


def _lasts(item: Active, now: datetime) -> bool:
    return item.expires_at is None or item.expires_at > now
