"""All buckets of all proxies: reports come in; moves for the store and words to proxies come out.

Pure, like the pools it keeps: the time is told, and nothing is waited for.
"""

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from pointsman.graph.model.limits import SECONDS, Quota, Rate
from pointsman.limits.counts import Balance, Move
from pointsman.limits.definitions import (
    Bucket,
    Definition,
    Definitions,
    per_second,
    place,
    store_key,
    who,
)
from pointsman.limits.quota_pool import TTL_S, Need, QuotaPool
from pointsman.limits.rate_pool import RatePool
from pointsman.limits.shadow_pool import ShadowPool
from pointsman.limits.terms import DELAY_S, Seen, Word
from pointsman.limits.usage import Kind, Recent, Usage
from pointsman.limits.windows import span

_HOLD_S: Final = math.ceil(TTL_S + 3 * DELAY_S)
"""Seconds from a move on in which leases may admit what it holds."""
_SOON_S: Final = 1.0
"""Seconds before a quota that is used up is asked for again, at least."""

Pool = RatePool | QuotaPool | ShadowPool


@dataclass(frozen=True, slots=True)
class Told:
    """Something to tell a proxy about a bucket."""

    bucket: Bucket
    word: Word


@dataclass(slots=True)
class _Entry:
    bucket: Bucket
    definition: Definition
    pool: Pool
    recent: Recent
    due: float = math.inf


@dataclass(frozen=True, slots=True)
class Asked:
    """A move, and what it was made of."""

    move: Move
    need: Need


@dataclass(slots=True)
class Ledger:
    """What is leased to whom.

    Attributes:
        definitions: limits by the ids of buckets. One that is not there is answered by nobody, so
            that its proxies go by `whenAway`; one that was there goes on as it was.
        planes: control planes that give leases of the same limits.
        not_before: when the first shares of rates may be given: others may hold some until then.
    """

    definitions: Definitions = field(default_factory=dict)
    planes: int = 1
    not_before: float = -math.inf
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _of_proxy: dict[int, set[str]] = field(default_factory=dict)
    _touched: dict[str, None] = field(default_factory=dict)
    _moments: list[tuple[float, str]] = field(default_factory=list)

    def define(self, definitions: Definitions, now: float) -> list[Told]:
        """There are other limits now; what to tell at once."""
        self.definitions = definitions
        told: list[Told] = []
        for key, entry in self._entries.items():
            fresh = definitions.get(place(entry.bucket))
            if fresh is not None and fresh != entry.definition:
                told += self._told(key, self._redefine(entry, fresh, now))
                self._touched[key] = None
        return told

    def crowd(self, planes: int, now: float) -> None:
        """There are so many control planes now; each has an even part of the rates."""
        if planes == self.planes:
            return
        self.planes = planes
        for key, entry in self._entries.items():
            self._fit(entry, now)
            self._touched[key] = None

    def report(self, proxy: int, bucket: Bucket, seen: Seen, now: float) -> list[Told]:
        """A proxy told what it did; what it is to be told at once."""
        key = store_key(bucket)
        entry = self._entries.get(key) or self._open(key, bucket, now)
        if entry is None:
            return []
        self._of_proxy.setdefault(proxy, set()).add(key)
        self._touched[key] = None
        entry.recent.add(seen.allowed, now)
        return self._told(key, entry.pool.hear(proxy, seen, now))

    def gone(self, proxy: int, now: float) -> None:
        """The proxy's stream has ended."""
        for key in self._of_proxy.pop(proxy, ()):
            entry = self._entries.get(key)
            if entry is not None:
                entry.pool.lose(proxy, now)
                self._touched[key] = None

    def plan(self, now: float) -> list[Told]:
        """What to tell whom of rates; call it after reports, and again at `deadline`."""
        while self._moments and self._moments[0][0] <= now:
            moment, key = heapq.heappop(self._moments)
            entry = self._entries.get(key)
            if entry is not None and entry.due == moment:
                entry.due = math.inf
                self._touched[key] = None
        told: list[Told] = []
        for key in list(self._touched):
            pool = self._entries[key].pool
            if isinstance(pool, RatePool):
                told += self._told(key, pool.plan(now))
                self._settled(key, now)
            else:
                pool.look(now)
                if not pool.is_due:
                    self._settled(key, now)
        return told

    @property
    def deadline(self) -> float | None:
        """When `plan` may have something to say without a report; None for never."""
        return self._moments[0][0] if self._moments else None

    def moves(self, now: float, wall: float) -> list[Asked]:
        """What the store has to be told; `granted` or `refused` has to follow."""
        asked = []
        for key in list(self._touched):
            entry = self._entries[key]
            if isinstance(entry.pool, RatePool):
                continue
            quota = entry.definition.allowance
            if not entry.pool.is_due or not isinstance(quota, Quota):
                continue
            need = entry.pool.need(now)
            until = int(wall) + _HOLD_S
            sums = (quota.requests, need.used, need.floor, need.hold, until)
            asked.append(Asked(Move(key, span(quota, wall), *sums), need))
            del self._touched[key]
        return asked

    def ending(self, now: float, wall: float) -> list[Move]:
        """What the store has to be told before this control plane ends.

        Of strict quotas nothing: whatever is held counts as used when leases are over.
        """
        moves = []
        for key, entry in self._entries.items():
            quota = entry.definition.allowance
            if isinstance(entry.pool, QuotaPool) and isinstance(quota, Quota):
                if entry.pool.strict:
                    continue
                used = entry.pool.end(now)
                until = int(wall) + _HOLD_S
                moves.append(Move(key, span(quota, wall), quota.requests, used, 0, 0, until))
        return moves

    def granted(
        self, asked: Iterable[Asked], balances: Iterable[Balance], now: float, wall: float
    ) -> list[Told]:
        """The store has answered; what to tell whom."""
        told: list[Told] = []
        for item, balance in zip(asked, balances, strict=True):
            entry = self._entries.get(item.move.key)
            if entry is None or isinstance(entry.pool, RatePool):
                continue
            wait = _SOON_S if balance.resets_at is None else balance.resets_at - wall
            again = now + max(_SOON_S, wait)
            words = entry.pool.grant(item.need, balance, now, again_at=again)
            told += self._told(item.move.key, words)
            if entry.pool.is_due:
                self._touched[item.move.key] = None
            else:
                self._settled(item.move.key, now)
        return told

    def refused(self, asked: Iterable[Asked]) -> None:
        """The store has not answered; `moves` asks it anew."""
        for item in asked:
            entry = self._entries.get(item.move.key)
            if entry is not None and not isinstance(entry.pool, RatePool):
                entry.pool.refuse()
                self._touched[item.move.key] = None

    def usage(self, now: float) -> Iterator[Usage]:
        """How all limits stand that proxies have asked for of late."""
        for key, entry in self._entries.items():
            limit, allowance = place(entry.bucket)
            pool, of = entry.pool, entry.definition.allowance
            used, held, resets = entry.recent.total(now), 0, None
            quota = isinstance(of, Quota)
            if quota and not isinstance(pool, RatePool):
                balance = pool.balance
                if balance is None:
                    used = 0
                else:
                    used, held, resets = balance.used, balance.held, balance.resets_at
            proxies = len(pool.proxies)
            most = of.requests
            values = who(entry.bucket)
            kind: Kind = "quota" if quota else "rate"
            yield Usage(key, kind, limit, allowance, values, used, held, most, resets, proxies)

    def touch(self, keys: Iterable[str]) -> None:
        """What the store has of these keys is not what was thought."""
        for key in keys:
            entry = self._entries.get(key)
            if entry is not None and isinstance(entry.pool, QuotaPool):
                entry.pool.ask()
                self._touched[key] = None

    # --- entries ------------------------------------------------------------------------------

    def _open(self, key: str, bucket: Bucket, now: float) -> _Entry | None:
        definition = self.definitions.get(place(bucket))
        if definition is None:
            return None
        of = definition.allowance
        pool = self._pool(definition, now, self.not_before)
        entry = _Entry(bucket, definition, pool, Recent(SECONDS[of.per]))
        self._entries[key] = entry
        return entry

    def _pool(self, definition: Definition, now: float, not_before: float) -> Pool:
        of = definition.allowance
        if definition.shadow:
            return ShadowPool(counted=isinstance(of, Quota))
        if isinstance(of, Quota):
            return QuotaPool(of.requests, self.planes > 1, definition.strict)
        rate, burst = per_second(of, self.planes)
        level = 0.0 if now < not_before else burst
        return RatePool(rate, burst, now, level, not_before, definition.strict)

    def _fit(self, entry: _Entry, now: float) -> None:
        of = entry.definition.allowance
        if isinstance(entry.pool, RatePool) and isinstance(of, Rate):
            entry.pool.resize(*per_second(of, self.planes), now)
        elif isinstance(entry.pool, QuotaPool):
            entry.pool.most, entry.pool.crowded = of.requests, self.planes > 1

    def _redefine(self, entry: _Entry, fresh: Definition, now: float) -> list[Word]:
        entry.definition = fresh
        entry.recent.length = SECONDS[fresh.allowance.per]
        if type(entry.pool) is _kind(fresh):
            if not isinstance(entry.pool, ShadowPool):
                entry.pool.strict = fresh.strict
            self._fit(entry, now)
            return []
        old = entry.pool
        entry.pool = self._pool(fresh, now, max(self.not_before, now + DELAY_S))
        words: list[Word] = []
        for proxy in old.proxies:
            # It is told at once what holds now, which replaces what it had.
            words += entry.pool.hear(proxy, Seen(0, 0), now)
        return words

    def _settled(self, key: str, now: float) -> None:
        self._touched.pop(key, None)
        entry = self._entries[key]
        if entry.pool.empty:
            del self._entries[key]
            return
        due = entry.pool.deadline(now)
        if due is not None and due != entry.due:
            entry.due = due
            heapq.heappush(self._moments, (due, key))

    def _told(self, key: str, words: Iterable[Word]) -> list[Told]:
        bucket = self._entries[key].bucket
        return [Told(bucket, word) for word in words]


def _kind(definition: Definition) -> type[Pool]:
    if definition.shadow:
        return ShadowPool
    return QuotaPool if isinstance(definition.allowance, Quota) else RatePool


def by_proxy(told: Iterable[Told], *more: Iterable[Told]) -> Mapping[int, list[Told]]:
    """Sorts words by whom they are for."""
    found: dict[int, list[Told]] = {}
    for item in chain(told, *more):
        found.setdefault(item.word.proxy, []).append(item)
    return found
