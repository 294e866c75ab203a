"""Shares of a quota: requests that proxies may admit, reserved before they are told so.

Pure: reports come in, moves for the store and words to proxies come out. In between the store
says how much it gives, so that whatever proxies are told outlasts this process.

A share is a bucket of some tokens that never fills. What it may still admit is counted against
the quota until reports tell that it was admitted, or prove that it never will be: after a bucket
was replaced and a report came that was made when the new one was in force. Of a proxy whose stream
ended nobody knows what it admitted since its last report, so all it had counts as used, when its
lease is surely over. So never more than the quota is admitted, and after a failure rather less.

That is what strict pools do. Others would rather not refuse anybody who has something left: they
give more at once, for bursts between two reports, and of a proxy that is gone they count what it
must have admitted by its demand.
"""

import math
from dataclasses import dataclass, field
from typing import Final

from pointsman.limits.counts import Balance
from pointsman.limits.demand import Demand
from pointsman.limits.terms import (
    DELAY_S,
    REPORT_S,
    SILENT_S,
    Blanket,
    Forget,
    Seen,
    Tokens,
    Word,
)

TTL_S: Final = 60
"""Seconds a share lasts without a report."""
IDLE_S: Final = 90.0
"""Seconds after the last request at which a proxy is told to forget a bucket."""
_AHEAD_S: Final = 20.0
"""Seconds of its demand that a proxy gets: it tells every five of them what became of it."""
_FIRST: Final = 10
"""Requests that a proxy gets whose demand is not known yet."""
_BURST: Final = 20
"""Requests that a proxy gets at least, where the pool is not strict."""
_BURST_PART: Final = 20
"""The same as a part of the quota: a twentieth."""
MOST: Final = 4_000_000_000
"""Tokens that a bucket of Envoy holds."""


@dataclass(slots=True)
class _Share:
    """What a proxy holds.

    Attributes:
        demand: what comes to it.
        left: requests its bucket may still admit.
        was_left: the same of the one that was replaced last.
        over: when what was replaced is surely not in force any more.
        sent: when its lease was told or renewed.
        size: tokens its bucket had when it was new; 0 when it was told to refuse all.
        refused: whether it has refused requests since it was last given some.
    """

    demand: Demand
    left: int = 0
    was_left: int = 0
    over: float = -math.inf
    sent: float = -math.inf
    size: int = 0
    refused: bool = True

    @property
    def held(self) -> int:
        return self.left + self.was_left

    @property
    def ends(self) -> float:
        return self.sent + TTL_S + DELAY_S

    def is_ageing(self, now: float) -> bool:
        """Whether its lease has to be renewed, and still can be.

        One that comes too late would be a full bucket to the proxy.
        """
        return now >= self.sent + TTL_S / 2 and now < self.sent + TTL_S - DELAY_S

    def need(self) -> int:
        """Requests that are to come until it is heard again, and some time beyond."""
        if self.demand.per_s is None:
            return _FIRST
        return min(MOST, math.ceil(self.demand.per_s * _AHEAD_S) + 1)

    def likely(self) -> int:
        """Requests that it will have admitted since its last report, when it is gone."""
        per_s = self.demand.per_s
        return min(self.held, _FIRST if per_s is None else math.ceil(per_s * 2 * REPORT_S))


@dataclass(frozen=True, slots=True)
class _Ghost:
    """What a proxy held that is gone: until when it may admit it, and what counts then."""

    until: float
    held: int
    counts: int


@dataclass(frozen=True, slots=True)
class Need:
    """What the store is to be asked.

    Attributes:
        used: requests admitted since it was last told.
        floor: requests that leases may still admit.
        hold: requests that they are to admit.
    """

    used: int
    floor: int
    hold: int


@dataclass(slots=True)
class QuotaPool:
    """A quota that proxies share.

    Attributes:
        most: requests in a window.
        crowded: whether other control planes give shares of it, too.
        strict: whether proxies refuse requests of a bucket that they have no share of.
        balance: what the store said last.
    """

    most: int
    crowded: bool = False
    strict: bool = True
    balance: Balance | None = None
    _used: int = 0
    _asked: int = 0
    _dirty: bool = False
    _due: float = math.inf
    _shares: dict[int, _Share] = field(default_factory=dict)
    _ghosts: list[_Ghost] = field(default_factory=list)
    _wanted: dict[int, int] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing is lost when it is forgotten."""
        return not (self._shares or self._ghosts or self._used or self._asked or self._dirty)

    @property
    def proxies(self) -> frozenset[int]:
        """Those that know the bucket."""
        return frozenset(self._shares)

    @property
    def is_due(self) -> bool:
        """Whether the store has something to be told."""
        return self._dirty

    def hear(self, proxy: int, seen: Seen, now: float) -> list[Word]:
        """A report came; what to tell without asking the store."""
        share = self._shares.get(proxy)
        if share is None:
            share = self._shares[proxy] = _Share(Demand(now))
            share.demand.last_used = now
        # All of the report is of the bucket that is in force.
        of_it = share.demand.heard >= share.over + DELAY_S
        share.demand.hear(seen, now)
        self._used += seen.allowed
        of_old = min(seen.allowed, share.was_left)
        share.was_left -= of_old
        share.left = max(0, share.left - (seen.allowed - of_old))
        share.refused = share.refused or seen.denied > 0
        held = share.held
        if of_it and seen.denied:
            # It has nothing left, whatever was thought that the one before had admitted.
            share.left = 0
        # The report was made when these were over: all that they admitted has been told.
        if now >= share.over + DELAY_S:
            share.was_left = 0
        if now >= share.ends + DELAY_S:
            share.left = share.size = 0
        more = self._wants(share, now) or (share.left > 0 and share.is_ageing(now))
        self._dirty = self._dirty or seen.allowed > 0 or share.held < held or more
        return self._tell(proxy, share, now)

    def lose(self, proxy: int, now: float) -> None:
        """The proxy's stream has ended."""
        share = self._shares.pop(proxy, None)
        if share is not None and share.held:
            counts = self._unknown(share)
            self._ghosts.append(_Ghost(max(share.ends, now), share.held, counts))

    def end(self, now: float) -> int:
        """Nothing more will be told; how many count as admitted that were not noted yet."""
        for proxy in list(self._shares):
            self.lose(proxy, now)
        return self._used + sum(ghost.counts for ghost in self._ghosts)

    def ask(self) -> None:
        """The store knows something else than was thought."""
        self.balance, self._dirty = None, True

    def look(self, now: float) -> None:
        """Time has passed."""
        for proxy, share in list(self._shares.items()):
            silent = now >= share.demand.heard + IDLE_S
            if share.held and now >= max(share.ends, share.over) and silent:
                # It does not say what became of it.
                self._used += self._unknown(share)
                share.left = share.was_left = 0
            if silent and not share.held:
                del self._shares[proxy]
        ended = [ghost for ghost in self._ghosts if now >= ghost.until]
        if ended:
            self._used += sum(ghost.counts for ghost in ended)
            self._ghosts = [ghost for ghost in self._ghosts if now < ghost.until]
            self._dirty = True
        waited = any(
            share.over <= now < share.over + DELAY_S and self._wants(share, now)
            for share in self._shares.values()
        )
        self._dirty = self._dirty or self._used > 0 or waited or now >= self._due

    def need(self, now: float) -> Need:
        """What to ask the store now; `grant` has to follow, or `refuse`."""
        self._wanted = self._wishes(now)
        floor = self._floor()
        used, self._used, self._asked = self._used, 0, self._used
        self._dirty, self._due = False, math.inf
        return Need(used, floor, floor + sum(self._wanted.values()))

    def refuse(self) -> None:
        """The store did not answer; it may have noted what was used, or not."""
        self._used += self._asked
        self._asked = 0
        self._dirty = True

    def grant(self, need: Need, balance: Balance, now: float, *, again_at: float) -> list[Word]:
        """The store has answered; what to tell whom.

        Args:
            need: what it was asked.
            balance: its answer.
            now: the time.
            again_at: when a window begins anew.
        """
        self._asked = 0
        self.balance = balance
        words = []
        given = balance.hold - need.floor
        for proxy, wish in sorted(self._wanted.items(), key=lambda item: item[1]):
            share = self._shares.get(proxy)
            if share is None:
                continue
            part = min(wish, given)
            if part >= 1:
                given -= part
                words.append(_give(proxy, share, part, now))
            elif not share.left and (share.size or now >= share.sent + TTL_S / 2):
                words.append(_refuse(proxy, share, now))
        for proxy, share in self._shares.items():
            if share.left and share.is_ageing(now):
                share.sent = now
                words.append(Word(proxy, Tokens(share.size, 0.0, fresh=False), TTL_S))
        self._dirty = self._dirty or given > 0
        if any(share.refused or not share.left for share in self._shares.values()):
            self._due = again_at
        return words

    def deadline(self, now: float) -> float | None:
        """When to look again without a report; None for never."""
        moments = [ghost.until for ghost in self._ghosts]
        moments += [share.demand.heard + IDLE_S for share in self._shares.values()]
        moments += [share.over for share in self._shares.values() if share.refused]
        if self._due < math.inf:
            moments.append(self._due)
        return min((moment for moment in moments if moment > now), default=None)

    # --- who gets what ------------------------------------------------------------------------

    def _floor(self) -> int:
        return sum(share.held for share in self._shares.values()) + sum(
            ghost.held for ghost in self._ghosts
        )

    def _wants(self, share: _Share, now: float) -> bool:
        """Whether it is to get more: it has refused some, or will have to soon."""
        if now >= share.demand.heard + SILENT_S or now < share.over:
            return False
        if share.left == 0:
            # What passed before the first lease may be taken for what it had.
            return share.refused or (share.size > 0 and not self.strict)
        per_s = share.demand.per_s or 0.0
        return share.left < max(per_s * (2 * REPORT_S + DELAY_S), self._burst / 2)

    def _wishes(self, now: float) -> dict[int, int]:
        wanting = {who: share for who, share in self._shares.items() if self._wants(share, now)}
        known = self.balance
        spent = 0 if known is None else known.used + known.held + self._used
        there = max(1, self.most - spent)
        others = len([s for s in self._shares.values() if s.refused or s.demand.per_s])
        even = max(1, math.ceil(there / max(1, others)))
        return {who: min(max(share.need(), self._burst), even) for who, share in wanting.items()}

    @property
    def _burst(self) -> int:
        """Requests that a proxy is to have at least."""
        return 0 if self.strict else min(MOST, max(_BURST, self.most // _BURST_PART))

    def _unknown(self, share: _Share) -> int:
        """Requests that count as admitted by a proxy that will not tell any more."""
        return share.held if self.strict else share.likely()

    def _tell(self, proxy: int, share: _Share, now: float) -> list[Word]:
        """Takes back what is not needed, where there is no more; and buckets nobody uses."""
        if now < share.over:
            return []
        idle = now >= share.demand.last_used + IDLE_S
        if idle and self._may_forget(share):
            self._dirty = self._dirty or share.held > 0
            del self._shares[proxy]
            return [Word(proxy, Forget(), 0)]
        takes = idle if self.strict else False
        if share.left and (takes or self._is_surplus(proxy, share)):
            return [_refuse(proxy, share, now)]
        if not share.left and not share.refused and now >= share.sent + TTL_S / 2:
            return [_refuse(proxy, share, now)]
        return []

    def _may_forget(self, share: _Share) -> bool:
        """Whether a proxy may do without a share that is not used.

        A strict one refuses the next request, and what it has must have come back before, by a
        report. Others let the next one pass, which is right as long as there is something left;
        what they have is as good as back, for the report that just came says it is not used.
        """
        if self.strict:
            return not share.held
        known = self.balance
        return known is not None and known.used + self._used + known.held < self.most + share.held

    def _is_surplus(self, proxy: int, share: _Share) -> bool:
        """Whether another proxy, or one of another control plane, may need what it does not."""
        known = self.balance
        if known is None or known.used + known.held < self.most:
            return False
        others = (other for who, other in self._shares.items() if who != proxy)
        lacking = self.crowded or any(other.refused for other in others)
        per_s = share.demand.per_s
        return lacking and per_s is not None and share.left > per_s * _AHEAD_S


def _give(proxy: int, share: _Share, part: int, now: float) -> Word:
    _replace(share, now)
    share.left = share.size = part
    share.refused = False
    return Word(proxy, Tokens(part, 0.0, fresh=True), TTL_S)


def _refuse(proxy: int, share: _Share, now: float) -> Word:
    _replace(share, now)
    share.left = share.size = 0
    return Word(proxy, Blanket(allow=False), TTL_S)


def _replace(share: _Share, now: float) -> None:
    if share.left:
        share.was_left += share.left
    share.over, share.sent = now + DELAY_S, now
