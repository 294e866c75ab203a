"""One stream's way to its snapshot, as a pure state machine: no clock, no I/O, no gRPC.

The session is told of requests, of snapshots and of the time; `poll` returns what to send. It
keeps the order of types, one answer in flight per type, additions before removals, and it splits
a rejected answer until the resource at fault stands alone. What differs between the incremental
and the state-of-the-world variant is left to `delta.py` and `state.py`.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pointsman.envoy.sealed import CLUSTER, ENDPOINT, ROUTE, VIRTUAL_HOST, Sealed
from pointsman.xds.answer import Answer
from pointsman.xds.order import ADDITIONS, FULL_STATE, REMOVALS, SENT_BEFORE
from pointsman.xds.plan import EMPTY, Plans
from pointsman.xds.rejection import culprits
from pointsman.xds.snapshot import Snapshot
from pointsman.xds.subscription import Change, Subscription

SubscriptionT = TypeVar("SubscriptionT", bound=Subscription)

PATIENCE = 5.0
"""Seconds for which later steps wait for an answer to be acknowledged."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the proxy said of an answer.

    Attributes:
        answer: the answer it speaks of.
        message: why it was rejected; None when it was accepted.
        culprits: resources proven to be at fault; () while that is still being found out.
    """

    answer: Answer
    message: str | None = None
    culprits: tuple[Sealed, ...] = ()


@dataclass(slots=True, eq=False)
class Channel(Generic[SubscriptionT]):
    """Progress of one type on one stream.

    Attributes:
        type_url: the type.
        subscription: what the proxy wants of it.
        at: snapshot the proxy stands at, save for the names below.
        stale: names to be sent at the next occasion, whatever the proxy has.
        fresh: routes the proxy did not have or asked for anew, whose hosts must follow them.
        doomed: what the proxy still has and the goal has not; the body where it is known.
        queue: answers made but not sent.
        trials: groups of resources to be sent apart, to find the one at fault.
        unsure: names that were under suspicion when the goal moved on: what the proxy has of them
            is not known.
        in_flight: the answer that is neither accepted nor rejected yet.
        sent_at: when it was sent.
        initial: versions the proxy brought from an earlier stream; None once they are used.
        greet: an answer is due even with nothing in it.
        confirmed: state-of-the-world only: what the proxy accepted last.
        kept: state-of-the-world only: names it may have something of from an earlier stream.
    """

    type_url: str
    subscription: SubscriptionT
    at: Snapshot = EMPTY
    stale: set[str] = field(default_factory=set)
    fresh: set[str] = field(default_factory=set)
    doomed: dict[str, Sealed | None] = field(default_factory=dict)
    queue: deque[Answer] = field(default_factory=deque)
    trials: deque[tuple[Sealed, ...]] = field(default_factory=deque)
    unsure: set[str] = field(default_factory=set)
    in_flight: Answer | None = None
    sent_at: float = 0.0
    initial: Mapping[str, str] | None = None
    greet: bool = False
    confirmed: Mapping[str, Sealed] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()

    def sent(self, goal: Snapshot) -> bool:
        """Whether all additions up to `goal` are on their way."""
        return self.at is goal and not (self.queue or self.stale or self.trials or self.greet)

    def apply(self, change: Change) -> None:
        """Note what a request changed."""
        if change.joined:
            self.at, self.greet = EMPTY, True
            self.doomed.clear()
            self.unsure.clear()
        if change.left:
            self.doomed = {n: s for n, s in self.doomed.items() if self.subscription.wants(n)}
            self.stale = {n for n in self.stale if self.subscription.wants(n)}
        self.stale |= change.send
        self.stale -= change.dropped
        for name in change.dropped:
            self.doomed.pop(name, None)


class Session(ABC, Generic[SubscriptionT]):
    """State of one stream. Times are seconds of any clock that only grows."""

    def __init__(self, plans: Plans, *, patience: float = PATIENCE) -> None:
        self._plans = plans
        self._patience = patience
        self._channels: dict[str, Channel[SubscriptionT]] = {}
        self._goal: Snapshot | None = None
        self._now = 0.0

    def publish(self, snapshot: Snapshot) -> None:
        """Make `snapshot` the goal; what was not sent of an earlier goal never will be."""
        self._goal = snapshot

    def poll(self, now: float) -> list[Answer]:
        """What to send now, in this order."""
        self._now = now
        if self._goal is None:
            return []
        return [*self._additions(self._goal), *self._removals(self._goal)]

    @property
    def deadline(self) -> float | None:
        """When to poll again though nothing was heard; None when only a request can help."""
        if self.settled:
            return None
        limits = [
            channel.sent_at + self._patience
            for channel in self._channels.values()
            if channel.in_flight is not None
        ]
        return min((limit for limit in limits if limit > self._now), default=None)

    @property
    def settled(self) -> bool:
        """Whether the proxy has asked for something and answered for all it wants of the goal."""
        goal, channels = self._goal, self._channels.values()
        if goal is None or not channels:
            return False
        return all(
            channel.sent(goal) and not channel.doomed and channel.in_flight is None
            for channel in channels
        )

    def _answered(self, channel: Channel[SubscriptionT], message: str | None) -> Outcome | None:
        answer, channel.in_flight = channel.in_flight, None
        if answer is None:
            return None
        if message is None:
            if not answer.delta and channel.type_url in FULL_STATE:
                channel.confirmed = answer.by_name
            return Outcome(answer)
        suspects = _changed(channel, answer)
        guilty = culprits(suspects, message)
        for group in _apart(suspects, guilty):
            channel.trials.appendleft(group)
        return Outcome(answer, message, guilty)

    def _additions(self, goal: Snapshot) -> Iterator[Answer]:
        for type_url in ADDITIONS:
            channel = self._channels.get(type_url)
            if channel is None or channel.in_flight or self._must_wait(type_url, goal):
                continue
            answer = self._next_answer(channel, goal)
            if answer is not None:
                self._dispatch(channel, answer, goal)
                yield answer

    def _must_wait(self, type_url: str, goal: Snapshot) -> bool:
        """Whether what resources of this type refer to has not reached the proxy.

        Envoy accepts an answer with clusters once they are warm, so waiting for that makes
        routes follow their clusters without a gap.
        """
        earlier = [self._channels.get(t) for t in SENT_BEFORE.get(type_url, ())]
        if any(channel and not channel.sent(goal) for channel in earlier):
            return True
        clusters = self._channels.get(CLUSTER) if earlier else None
        return clusters is not None and self._is_pending(clusters)

    def _is_pending(self, channel: Channel[SubscriptionT]) -> bool:
        return channel.in_flight is not None and self._now < channel.sent_at + self._patience

    def _next_answer(self, channel: Channel[SubscriptionT], goal: Snapshot) -> Answer | None:
        while channel.trials:
            group = self._still_current(channel, channel.trials.popleft(), goal)
            if group:
                return self._trial(channel, group)
        if channel.initial is not None:
            self._resume(channel, channel.initial, goal)
        returned = channel.unsure & goal.of(channel.type_url).keys()
        channel.unsure -= returned
        channel.stale.update(filter(channel.subscription.wants, returned))
        if channel.at is not goal or channel.stale or channel.greet:
            for unsent in channel.queue:
                channel.stale.update(sealed.name for sealed in unsent.resources)
                channel.stale.update(unsent.removed)
            channel.queue.clear()
            channel.queue.extend(self._catch_up(channel, goal))
        return channel.queue.popleft() if channel.queue else None

    def _resume(
        self, channel: Channel[SubscriptionT], initial: Mapping[str, str], goal: Snapshot
    ) -> None:
        """Take over what the proxy kept from an earlier stream."""
        channel.initial = None
        if not initial:
            return
        current = goal.of(channel.type_url)
        wanted = set(current) if channel.subscription.wildcard else set()
        known = {n for n, v in initial.items() if n in current and current[n].version == v}
        gone = initial.keys() - current.keys()
        channel.at, channel.greet = goal, False
        channel.stale = (wanted | channel.stale) - known - gone
        channel.doomed = dict.fromkeys(n for n in gone if channel.subscription.wants(n))

    def _advance(self, channel: Channel[SubscriptionT], goal: Snapshot) -> None:
        """Move the channel to the goal in the books: what is gone is to be removed later."""
        type_url = channel.type_url
        before, after = channel.at.of(type_url), goal.of(type_url)
        plan = self._plans.between(channel.at, goal)
        if type_url == ROUTE:
            channel.fresh = channel.stale | (after.keys() - before.keys())
        for name in plan.removals.get(type_url, ()):
            if channel.subscription.wants(name):
                channel.doomed[name] = before[name]
        for name in [name for name in channel.doomed if name in after]:
            del channel.doomed[name]
        channel.at = goal

    def _dispatch(self, channel: Channel[SubscriptionT], answer: Answer, goal: Snapshot) -> None:
        if channel.type_url == CLUSTER:
            self._send_along(ENDPOINT, (s.name for s in _changed(channel, answer)), goal)
        elif channel.type_url == ROUTE:
            fresh = channel.fresh & answer.by_name.keys()
            self._send_along(VIRTUAL_HOST, self._hosts_of(fresh, goal), goal)
        channel.in_flight, channel.sent_at = answer, self._now

    def _send_along(self, type_url: str, names: Iterable[str], goal: Snapshot) -> None:
        """Have companions follow in the same flush, changed or not."""
        channel = self._channels.get(type_url)
        if channel is None:
            return
        present = goal.of(type_url)
        for name in names:
            wanted = channel.subscription.wants(name)
            if wanted and (name in present or type_url == VIRTUAL_HOST):
                channel.stale.add(name)

    def _hosts_of(self, routes: Iterable[str], goal: Snapshot) -> Iterator[str]:
        """Names of the virtual hosts of the routes.

        A route configuration without hosts holds its listener back for fifteen seconds, unless
        some name under it is answered as removed: hence the name that never exists.
        """
        hosts = self._plans.hosts(goal)
        for route in routes:
            yield from hosts.get(route) or (f"{route}/-",)

    def _still_current(
        self, channel: Channel[SubscriptionT], group: tuple[Sealed, ...], goal: Snapshot
    ) -> tuple[Sealed, ...]:
        """The part of a group that is still to be served; the rest is never tried."""
        current, wants = goal.of(channel.type_url), channel.subscription.wants
        kept = tuple(
            sealed
            for sealed in group
            if wants(sealed.name)
            and (now := current.get(sealed.name)) is not None
            and now.version == sealed.version
        )
        channel.unsure |= {s.name for s in group} - {s.name for s in kept}
        return kept

    def _removals(self, goal: Snapshot) -> Iterator[Answer]:
        if not self._may_remove(goal):
            return
        for type_url in REMOVALS:
            channel = self._channels.get(type_url)
            if channel is None or not channel.doomed:
                continue
            if channel.in_flight:
                return
            answer = self._removal(channel)
            if answer is not None:
                channel.in_flight, channel.sent_at = answer, self._now
                yield answer
            if channel.doomed:
                return

    def _may_remove(self, goal: Snapshot) -> bool:
        channels = self._channels.values()
        return any(channel.doomed for channel in channels) and all(
            channel.sent(goal) and not self._is_pending(channel) for channel in channels
        )

    @abstractmethod
    def _catch_up(self, channel: Channel[SubscriptionT], goal: Snapshot) -> list[Answer]:
        """Additions and changes from where the proxy stands to the goal."""

    @abstractmethod
    def _removal(self, channel: Channel[SubscriptionT]) -> Answer | None:
        """The answer that takes doomed names away; they are no longer doomed afterwards."""

    @abstractmethod
    def _trial(self, channel: Channel[SubscriptionT], group: tuple[Sealed, ...]) -> Answer:
        """An answer in which only `group` can be at fault."""


def _changed(channel: Channel[SubscriptionT], answer: Answer) -> tuple[Sealed, ...]:
    """The resources of the answer that the proxy has not accepted as they are."""
    confirmed = channel.confirmed
    return tuple(
        sealed
        for sealed in answer.resources
        if (known := confirmed.get(sealed.name)) is None or known.version != sealed.version
    )


def _apart(
    suspects: tuple[Sealed, ...], guilty: tuple[Sealed, ...]
) -> Iterator[tuple[Sealed, ...]]:
    """Groups to try next, the last one first: the innocent together, or both halves."""
    if guilty:
        innocent = tuple(sealed for sealed in suspects if sealed not in guilty)
        if innocent:
            yield innocent
    elif suspects:
        middle = len(suspects) // 2
        yield suspects[middle:]
        yield suspects[:middle]
