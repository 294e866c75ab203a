"""Shares of a rate: token buckets that proxies hold, together never more than the rate.

Pure: what the time is and what was reported comes in, what to tell proxies comes out.

For a rate of L requests in T seconds with a burst of b, at most L + b requests pass in any T
seconds, over all proxies. The pool has a bucket of its own, of b tokens. Before a proxy gets a
bucket of m tokens, m are taken out of it; what proxies' buckets fill at comes off what fills the
pool's. So at any moment all tokens there are, in the pool and at proxies, are at most b, and at
most L / T more come in a second, wherever they come.

Envoy keeps, when a bucket is replaced, how full it is in proportion. Therefore the rate of a share
changes at no cost, and only a larger bucket costs tokens: the difference, or, where the one before
is as good as empty and would make an empty one again, a whole new bucket.

What is replaced, withdrawn or held by a proxy that is gone counts until it is surely over (see
`terms`). Tokens of a bucket that was made smaller come back as far as reports prove that they were
there.
"""

import math
from dataclasses import dataclass, field
from typing import Final

from pointsman.limits.demand import Demand, fair_shares
from pointsman.limits.rate_share import TTL_S, Ghost, Share
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

IDLE_S: Final = 90.0
"""Seconds after the last request at which a proxy is told to forget a bucket."""
_SLACK: Final = 0.01
"""Part of the rate that fills the pool, from which larger buckets are paid."""
_HELD_BACK: Final = 0.1
"""Part of the burst that no proxy gets, so that there is something for one that comes."""
_STEP: Final = 0.01
"""Change of a share, against an even one, that is worth telling."""
_COST: Final = 4.0
"""Tokens: Envoy rounds down what is left in a bucket when it is replaced."""
_MORE: Final = 1.2
"""Growth of a bucket that is worth telling."""
_LESS: Final = 0.7
"""The same of one that is made smaller."""
_MOMENT_S: Final = 0.5
"""Seconds of the rate that are divided by demand when tokens are."""
_LITTLE: Final = 0.3
"""Part of an even share that is better than waiting."""
_PATIENCE_S: Final = 2 * REPORT_S
"""Seconds a proxy keeps what nobody else can have at the same time."""


@dataclass(slots=True)
class RatePool:
    """A rate that proxies share.

    Attributes:
        rate: requests a second.
        burst: tokens there are at most.
        now: the time, in seconds on a clock that is never set.
        level: tokens in the pool's own bucket.
        not_before: when the first share may be given: others may hold some until then.
        strict: whether proxies refuse requests of a bucket that they have no share of. Else what
            they let pass is paid afterwards.
    """

    rate: float
    burst: float
    now: float
    level: float = 0.0
    not_before: float = -math.inf
    strict: bool = True
    _shares: dict[int, Share] = field(default_factory=dict)
    _ghosts: list[Ghost] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing is lost when it is forgotten."""
        return not self._shares and not self._ghosts and self.level >= self.burst - 1e-9

    @property
    def proxies(self) -> frozenset[int]:
        """Those that know the bucket."""
        return frozenset(self._shares)

    def hear(self, proxy: int, seen: Seen, now: float) -> list[Word]:
        """A report came; `plan` tells what follows."""
        self._advance(now)
        share = self._shares.get(proxy)
        if share is None:
            share = self._shares[proxy] = Share(Demand(now), over=now, since=now)
            share.demand.last_used = now
        if not self.strict and now < share.since + 2 * REPORT_S:
            # What it let pass before it had a share.
            there = share.held(now) + share.fills(now) * (now - share.demand.heard)
            self.level -= max(0.0, seen.allowed - there)
        share.hear(seen, now)
        if share.back and now >= share.over + DELAY_S:
            # Whatever was admitted before the smaller bucket was there has been reported now.
            self.level = min(self.level + share.back * share.proved, self._room(now))
            share.back = 0.0
        return []

    def lose(self, proxy: int, now: float) -> None:
        """The proxy's stream has ended."""
        self._advance(now)
        share = self._shares.pop(proxy, None)
        if share is None:
            return
        # What was replaced a moment ago may have stayed, if the word did not arrive.
        most = share.held(now)
        if most:
            self._ghosts.append(Ghost(most, share.fills(now), share.ends))

    def resize(self, rate: float, burst: float, now: float) -> None:
        """The rate is another one now."""
        self._advance(now)
        self.rate, self.burst = rate, burst
        self.level = max(0.0, min(self.level, self._room(now)))

    def plan(self, now: float) -> list[Word]:
        """What to tell whom now; call it after reports, and again at `deadline`."""
        self._advance(now)
        words: list[Word] = []
        for proxy in [who for who, share in self._shares.items() if self._is_over(share, now)]:
            self._end(proxy, now, words)
        if now < self.not_before:
            return words
        targets = self._targets(now)
        for proxy, target in sorted(targets.items(), key=lambda item: item[1]):
            share = self._shares[proxy]
            if share.most and self._shrink(share, target, now):
                words.append(self._word(proxy, share, now, fresh=False))
        for proxy, target in targets.items():
            share = self._shares[proxy]
            if self._grow(share, target, now):
                fresh = share.both or share.was_most == 0
                words.append(self._word(proxy, share, now, fresh=fresh))
        words += self._renewals(now, {word.proxy for word in words})
        words += self._release(targets, now)
        words += self._denials(now)
        return words

    def deadline(self, now: float) -> float | None:
        """When `plan` may have something to say, without a report; None for never."""
        moments = [share.over for share in self._shares.values()]
        moments += [share.ends for share in self._shares.values() if share.most]
        moments += [ghost.until for ghost in self._ghosts]
        moments.append(self.not_before)
        if not self._shares and not self._ghosts:
            moments.append(now + max(0.01, (self.burst - self.level) / self.rate))
        if any(not share.most for share in self._shares.values()) and self.level < 1.0:
            free = self.rate - self._reserved(now)
            if free > 0:
                moments.append(now + max(0.01, (1.0 - self.level) / free))
        return min((moment for moment in moments if moment > now), default=None)

    # --- what there is ------------------------------------------------------------------------

    def _advance(self, now: float) -> None:
        """Fills the pool's bucket; the ends of what others hold lie between then and now."""
        while self.now < now:
            ends = [share.over for share in self._shares.values()]
            ends += [share.ends for share in self._shares.values()]
            ends += [ghost.until for ghost in self._ghosts]
            until = min([now, *(end for end in ends if end > self.now)])
            free = max(0.0, self.rate - self._reserved(self.now))
            if self.now < self.not_before:
                free = 0.0
                until = min(until, self.not_before)
            filled = self.level + free * (until - self.now)
            self.level = max(self.level, min(filled, self._room(self.now)))
            self.now = until
            self._ghosts = [ghost for ghost in self._ghosts if ghost.until > self.now]

    def _room(self, now: float) -> float:
        """Tokens the pool's bucket may hold."""
        held = sum(share.held(now) for share in self._shares.values())
        return self.burst - held - sum(ghost.most for ghost in self._ghosts)

    def _reserved(self, now: float) -> float:
        """Tokens that come in a second at proxies, at most."""
        shares = sum(share.fills(now) for share in self._shares.values())
        return shares + sum(ghost.rate for ghost in self._ghosts)

    def _shared(self, now: float) -> float:
        """The part of the rate that proxies get; none is kept for a bucket that is full."""
        full = self.level >= 0.95 * self._room(now)
        return self.rate if full else self.rate * (1 - _SLACK)

    def _is_over(self, share: Share, now: float) -> bool:
        silent = now >= share.demand.heard + IDLE_S
        return bool(share.most and now >= share.ends) or silent or self._is_idle(share, now)

    def _is_idle(self, share: Share, now: float) -> bool:
        if now < share.demand.last_used + IDLE_S or now < share.over:
            return False
        # One that is not strict lets the next request pass: there has to be a token for it.
        return self.strict or (self._is_fresh(share, now) and self.level + share.sure >= 1)

    @staticmethod
    def _is_fresh(share: Share, now: float) -> bool:
        """Whether a report has just come."""
        return now < share.demand.heard + DELAY_S

    def _end(self, proxy: int, now: float, words: list[Word]) -> None:
        share = self._shares[proxy]
        if now >= share.demand.heard + IDLE_S:
            # It does not report the bucket any more.
            del self._shares[proxy]
        elif self._is_idle(share, now):
            words.append(Word(proxy, Forget(), 0))
            del self._shares[proxy]
            if not self.strict:
                self.level = min(self.level + share.sure, self._room(now))
            elif share.most:
                self._ghosts.append(Ghost(share.most, share.rate, now + DELAY_S))
        else:
            share.most, share.rate, share.was_most, share.was_rate = 0, 0.0, 0, 0.0
            share.back = 0.0

    # --- who gets what ------------------------------------------------------------------------

    def _targets(self, now: float) -> dict[int, float]:
        """Rates proxies ought to have."""
        live = {
            who: share for who, share in self._shares.items() if now < share.demand.heard + SILENT_S
        }
        if not live:
            return {}
        even = self.rate / len(live)
        wanted = {
            who: even if share.demand.per_s is None else share.demand.per_s
            for who, share in live.items()
        }
        lost = sum(ghost.rate for ghost in self._ghosts)
        return fair_shares(wanted, max(0.0, self._shared(now) - lost))

    def _target_most(self, target: float, now: float) -> int:
        """Tokens of a proxy's bucket.

        What is used up in a moment goes by demand, and the rest is the same for all: there
        changes would cost more than they are worth.
        """
        whole = self.burst * (1 - _HELD_BACK) if self.burst >= 4 else self.burst
        quick = min(whole, _MOMENT_S * self.rate)
        part = target / (self._shared(now))
        return max(1, int(quick * part + (whole - quick) / len(self._shares)))

    def _worth(self, share: Share, more: float, now: float) -> bool:
        """Whether a change of a share's rate is worth the part of a token that it costs."""
        step = _STEP * self.rate / len(self._shares)
        return more >= step and more * (now - share.over) >= _COST

    def _shrink(self, share: Share, target: float, now: float) -> bool:
        most = self._target_most(target, now)
        too_much = self._room(now) < 0 or self._reserved(now) > self.rate + 1e-9
        smaller = most <= _LESS * share.most or (too_much and most < share.most)
        slower = too_much and target < share.rate
        if now < share.over or not (
            smaller or slower or self._worth(share, share.rate - target, now)
        ):
            return False
        share.replace(most if smaller else share.most, min(share.rate, target), now)
        return True

    def _grow(self, share: Share, target: float, now: float) -> bool:
        if now < share.over:
            return False
        free = self._shared(now) - self._reserved(now)
        rate = max(share.rate, min(target, share.rate + max(0.0, free)))
        wanted = self._target_most(target, now)
        there = math.floor(min(self.level, self._room(now)) + 1e-9)
        # Refused requests tell that the bucket is empty.
        whole = share.most == 0 or share.lacks
        if not share.most and self._ghosts and rate < _LITTLE * self.rate / len(self._shares):
            # If its stream has just ended, this would be less than what it goes on with.
            return False
        most = min(wanted, there if whole else share.most + there)
        larger = most > share.most and most >= _MORE * share.most
        if larger:
            self.level -= most if whole else most - share.most
            share.replace(most, rate, now, fresh=whole)
        elif share.most and self._worth(share, rate - share.rate, now):
            share.replace(share.most, rate, now)
        else:
            return False
        return True

    def _word(self, proxy: int, share: Share, now: float, *, fresh: bool) -> Word:
        share.sent = now
        return Word(proxy, Tokens(share.most, share.rate, fresh), TTL_S)

    def _renewals(self, now: float, told: set[int]) -> list[Word]:
        found = []
        for proxy, share in self._shares.items():
            due = now >= share.sent + REPORT_S - DELAY_S
            # One that comes too late would be a full bucket to the proxy.
            early = now < share.sent + TTL_S - DELAY_S
            heard = now < share.demand.heard + SILENT_S
            if share.most and proxy not in told and due and early and heard:
                found.append(self._word(proxy, share, now, fresh=False))
        return found

    def _release(self, targets: dict[int, float], now: float) -> list[Word]:
        """Takes a bucket from one when there are more proxies than tokens."""
        lacking = [who for who in targets if not self._shares[who].most]
        room = self._room(now)
        if room >= 0 and (not lacking or self.level >= 1 or room >= 1):
            return []
        holders = [
            (share.since, who)
            for who, share in self._shares.items()
            if share.most and now >= share.over and (room < 0 or now >= share.since + _PATIENCE_S)
        ]
        if not holders:
            return []
        proxy = min(holders)[1]
        share = self._shares[proxy]
        share.replace(0, 0.0, now)
        share.sent, share.back = now, 0.0
        return [Word(proxy, Blanket(allow=False), TTL_S)]

    def _denials(self, now: float) -> list[Word]:
        """Those without a bucket refuse all, whatever they do while nobody can be asked.

        Not while somebody's stream has just ended: it may be the same one, which goes on with
        what it had.
        """
        found: list[Word] = []
        if self._ghosts:
            return found
        for proxy, share in self._shares.items():
            if not share.most and now >= share.sent + TTL_S / 2 and now >= share.over:
                share.sent = now
                found.append(Word(proxy, Blanket(allow=False), TTL_S))
        return found
