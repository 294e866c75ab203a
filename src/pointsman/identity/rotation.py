"""Current certificates of all nodes, renewed before they end.

What is due is decided by pure functions of the time; `Identities.renew` acts on it, and
`Identities.run` calls it when the time has come. Whoever serves snapshots is told whose secrets
changed and publishes those snapshots anew, with `secrets.with_secrets`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

import structlog

from pointsman.envoy.sealed import Sealed
from pointsman.errors import IdentityError
from pointsman.identity.ca import MEMORY_ROOT_LIFETIME, SKEW, Authority, Signer, new_root
from pointsman.identity.secrets import identity_secret, trust_secret
from pointsman.resources.key import Key

RENEW_AT: Final = 2 / 3
"""Part of its life after which a certificate is renewed."""
JITTER: Final = 0.1
"""Part of its life by which that may come earlier, so that not all are due at once."""
RETRY: Final = timedelta(seconds=30)
"""When a certificate that could not be issued is tried again."""
SHORTEST_WAIT: Final = 1.0
"""Seconds between two rounds, however short lives are."""
AT_ONCE: Final = 50
"""Certificates that are issued without letting others run."""
LONGEST_WAIT: Final = 30.0
"""Seconds after which the clock is looked at again: it may have been set, or have stood still for
a suspended machine that now has only expired certificates."""

log = structlog.get_logger(__name__)

OnChange = Callable[[frozenset[str]], None]
"""Told of the node ids whose secrets are new; called on the event loop, so it must be quick."""


def renewal(begin: datetime, end: datetime, jitter: float) -> datetime:
    """When a certificate is to be renewed: at two thirds of its life, or up to a tenth earlier.

    Args:
        begin: when it was issued.
        end: when it ends.
        jitter: 0 to 1; how much of the tenth is used.
    """
    return begin + (end - begin) * (RENEW_AT - JITTER * jitter)


def advanced(authority: Authority, now: datetime) -> Authority:
    """The authority as it should be now; only one that lives in memory changes by itself.

    At half of its root's life a new root is made and trusted. It signs once proxies have had the
    time to hear of it; the old one is trusted until it ends, so that what it signed can end first.
    """
    if not authority.renews:
        return authority
    if authority.coming is None and now >= _half(authority):
        coming = new_root(authority.trust_domain, now, MEMORY_ROOT_LIFETIME)
        authority = replace(authority.trusting(coming.chain), coming=coming)
    if authority.coming is not None and now >= _takeover(authority, authority.coming):
        authority = replace(authority, signer=authority.coming, coming=None)
    roots = tuple(root for root in authority.roots if root.not_valid_after_utc > now)
    return authority if roots == authority.roots else replace(authority, roots=roots)


def next_advance(authority: Authority) -> datetime | None:
    """When `advanced` has something to do; None when never."""
    if not authority.renews:
        return None
    if authority.coming is not None:
        return _takeover(authority, authority.coming)
    ends = (root.not_valid_after_utc for root in authority.roots)
    return min(_half(authority), *ends)


def _half(authority: Authority) -> datetime:
    return authority.signer.begin + (authority.signer.end - authority.signer.begin) / 2


def _takeover(authority: Authority, coming: Signer) -> datetime:
    """When the coming signer signs: a certificate's life after its root was made known."""
    known = coming.begin + min(authority.lifetime, MEMORY_ROOT_LIFETIME / 4)
    return min(known, authority.signer.end)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate is for.

    Attributes:
        node_id: the proxies' node id.
        dns_names: names by which they are called.
        keys: objects it is made from, such as the virtual node.
    """

    node_id: str
    dns_names: tuple[str, ...] = ()
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Current:
    """A certificate in use.

    Attributes:
        secret: it, sealed.
        begin: when it was issued.
        end: when it ends.
        due: when it is to be renewed.
    """

    secret: Sealed
    begin: datetime
    end: datetime
    due: datetime


class Identities:
    """The certificates of a set of nodes. All methods belong on one thread.

    Args:
        authority: who issues.
        on_change: see `OnChange`.
        clock: gives the time, in UTC.
        sleep: waits so many seconds, or less.
        jitter: gives numbers from 0 to 1.
    """

    def __init__(
        self,
        authority: Authority,
        on_change: OnChange,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._on_change = on_change
        self._clock = clock
        self._jitter = jitter
        self._sleep = sleep or self._wait
        self._authority = authority
        self._trust = trust_secret(authority)
        self._subjects: dict[str, Subject] = {}
        self._current: dict[str, Current] = {}
        self._failed: dict[str, tuple[str, datetime]] = {}
        self._untold: set[str] = set()
        self._woken = asyncio.Event()

    @property
    def authority(self) -> Authority:
        """Who issues now."""
        return self._authority

    @property
    def current(self) -> Mapping[str, Current]:
        """Certificates in use, by node id."""
        return MappingProxyType(self._current)

    @property
    def failures(self) -> Mapping[str, str]:
        """Node ids whose certificate could not be issued or renewed, and why."""
        return {node_id: reason for node_id, (reason, _) in self._failed.items()}

    def want(self, subjects: Iterable[Subject]) -> frozenset[str]:
        """Sets who needs a certificate; those of all others are forgotten.

        Returns:
            Node ids whose names have changed: their certificate is made anew.
        """
        before, self._subjects = self._subjects, {item.node_id: item for item in subjects}
        for node_id in self._current.keys() - self._subjects.keys():
            del self._current[node_id]
        for node_id in self._failed.keys() - self._subjects.keys():
            del self._failed[node_id]
        changed = frozenset(
            node_id
            for node_id, subject in self._subjects.items()
            if node_id in before and before[node_id] != subject
        )
        now = self._clock()
        for node_id in changed & (self._current.keys() | self._failed.keys()):
            self._issue(node_id, now)
        return changed

    def secrets(self, node_id: str) -> tuple[Sealed, ...]:
        """What a node's proxies need; its certificate is made when first asked for.

        Without a certificate, only the roots: the node's proxies wait then, and `failures` says
        why. The same objects until something changes.
        """
        if node_id in self._subjects and node_id not in self._current:
            if node_id not in self._failed:
                self._issue(node_id, self._clock())
            self._woken.set()
        current = self._current.get(node_id)
        return (current.secret, self._trust) if current is not None else (self._trust,)

    def use(self, authority: Authority) -> None:
        """Goes on with another authority; with another signer all certificates are due now.

        To replace a root without a failed request: first an authority that trusts the new root
        besides; then, once proxies have it, one that signs with the new; the old root goes last,
        once all certificates have been renewed and proxies have them.
        """
        if authority.signer.certificate != self._authority.signer.certificate:
            self.make_due()
        self._adopt(authority)

    def make_due(self) -> None:
        """Has all certificates renewed now, for instance because a key may be known to others."""
        now = self._clock()
        self._current = {key: replace(item, due=now) for key, item in self._current.items()}
        self._woken.set()

    @property
    def next_due(self) -> datetime | None:
        """When there is something to renew; None when there is nothing to wait for."""
        times = [item.due for key, item in self._current.items() if key not in self._failed]
        times += [when for _, when in self._failed.values()]
        advance = next_advance(self._authority)
        return min([*times, advance] if advance is not None else times, default=None)

    def renew(self, now: datetime, most: int | None = None) -> frozenset[str]:
        """Renews what is due, and tells of it.

        Args:
            now: the time.
            most: how many certificates at most; by default all.

        Returns:
            Node ids with a new certificate.
        """
        authority = advanced(self._authority, now)
        if authority is not self._authority:
            log.info("certificate authority advanced", roots=len(authority.roots))
            self._adopt(authority)
        due = [node_id for node_id, when in self._times(now) if when <= now]
        renewed = frozenset(node_id for node_id in due[:most] if self._issue(node_id, now))
        self._tell(renewed)
        return renewed

    def _tell(self, node_ids: Iterable[str]) -> None:
        """Tells whose secrets are new, and of those of whom it could not be told before."""
        self._untold |= set(node_ids)
        told = frozenset(self._untold & self._subjects.keys())
        if told:
            self._on_change(told)
        self._untold.clear()

    async def run(self) -> None:
        """Renews for ever, until cancelled."""
        while True:
            self._woken.clear()
            now = self._clock()
            due = self.next_due
            if self._untold or self._early(now) or (due is not None and due <= now):
                self.renew(now, AT_ONCE)
                await asyncio.sleep(0)
                continue
            await self._sleep(_seconds(due, now))

    def _adopt(self, authority: Authority) -> None:
        trusted = authority.trust != self._authority.trust
        self._authority = authority
        self._woken.set()
        if trusted:
            self._trust = trust_secret(authority)
            self._tell(self._subjects)

    def _times(self, now: datetime) -> Iterable[tuple[str, datetime]]:
        early = self._early(now)
        for node_id in self._subjects:
            if node_id in self._failed:
                yield node_id, self._failed[node_id][1]
            elif node_id in self._current:
                yield node_id, now if node_id in early else self._current[node_id].due

    def _early(self, now: datetime) -> frozenset[str]:
        """Whose certificates are not valid yet, since the clock has been set back."""
        return frozenset(
            node_id
            for node_id, item in self._current.items()
            if now < item.begin - SKEW and node_id not in self._failed
        )

    def _issue(self, node_id: str, now: datetime) -> bool:
        subject = self._subjects[node_id]
        try:
            issued = self._authority.issue(node_id, subject.dns_names, now)
        except IdentityError as error:
            log.warning("no certificate", node=node_id, reason=str(error))
            self._failed[node_id] = (str(error), now + RETRY)
            return False
        self._failed.pop(node_id, None)
        due = max(renewal(now, issued.end, self._jitter()), now + timedelta(seconds=SHORTEST_WAIT))
        secret = identity_secret(issued, subject.keys)
        self._current[node_id] = Current(secret, now, issued.end, due)
        return True

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass


def _seconds(due: datetime | None, now: datetime) -> float:
    return LONGEST_WAIT if due is None else min((due - now).total_seconds(), LONGEST_WAIT)
