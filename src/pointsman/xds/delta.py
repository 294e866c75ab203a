"""The incremental variant of a session: only what changes is sent, by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from pointsman.envoy.sealed import ROUTE, VIRTUAL_HOST, Sealed
from pointsman.xds.answer import MOST_RESOURCES, Answer, split
from pointsman.xds.order import LEGACY_WILDCARD
from pointsman.xds.session import Channel, Outcome, Session
from pointsman.xds.snapshot import Snapshot
from pointsman.xds.subscription import DeltaSubscription


@dataclass(frozen=True, slots=True)
class DeltaRequest:
    """The parts of a `DeltaDiscoveryRequest` a session looks at.

    Attributes:
        type_url: type of the resources.
        nonce: of the answer this accepts or rejects; "" when it is only about subscriptions.
        error: `error_detail.message` when that field is present, else None.
        subscribe: names added.
        unsubscribe: names taken away.
        initial_versions: name -> version the proxy kept from an earlier stream.
    """

    type_url: str
    nonce: str = ""
    error: str | None = None
    subscribe: tuple[str, ...] = ()
    unsubscribe: tuple[str, ...] = ()
    initial_versions: Mapping[str, str] = field(default_factory=dict)


class DeltaSession(Session[DeltaSubscription]):
    """State of one incremental stream."""

    def receive(self, request: DeltaRequest) -> Outcome | None:
        """Take a request in; a nonce pairs it with an answer and decides nothing else."""
        channel = self._channels.get(request.type_url)
        if channel is None:
            legacy = request.type_url in LEGACY_WILDCARD
            channel = Channel(request.type_url, DeltaSubscription(legacy_wildcard=legacy))
            channel.initial = dict(request.initial_versions)
            self._channels[request.type_url] = channel
        elif channel.initial is not None:
            # Not resumed yet, and what is unsubscribed from meanwhile is dropped by the proxy.
            renamed = {*request.subscribe, *request.unsubscribe}
            channel.initial = {n: v for n, v in channel.initial.items() if n not in renamed}
        outcome = None
        if channel.in_flight is not None and request.nonce == channel.in_flight.nonce:
            outcome = self._answered(channel, request.error)
        change = channel.subscription.update(request.subscribe, request.unsubscribe)
        channel.apply(change)
        return outcome

    def _catch_up(self, channel: Channel[DeltaSubscription], goal: Snapshot) -> list[Answer]:
        type_url, wants = channel.type_url, channel.subscription.wants
        step = self._plans.between(channel.at, goal).additions.get(type_url)
        if channel.greet and type_url == VIRTUAL_HOST:
            self._note_bare_routes(channel, goal)
        self._advance(channel, goal)
        stale, channel.stale = channel.stale, set()
        greet, channel.greet = channel.greet, False
        if step and stale <= step.names and channel.subscription.covers(step.names):
            return list(step.delta_answers)
        current = goal.of(type_url)
        chosen = {s.name: s for s in step.resources if wants(s.name)} if step else {}
        chosen |= {name: current[name] for name in stale if name in current}
        missing = tuple(sorted(stale - current.keys()))
        for name in missing:
            channel.doomed.pop(name, None)
        answers = split(type_url, chosen.values())
        if missing or (greet and not answers):
            answers.append(Answer(type_url, (), missing))
        return answers

    def _note_bare_routes(self, channel: Channel[DeltaSubscription], goal: Snapshot) -> None:
        routes = self._channels.get(ROUTE)
        if routes is not None:
            named = self._hosts_of(routes.subscription.names & goal.of(ROUTE).keys(), goal)
            channel.stale.update(named)

    def _removal(self, channel: Channel[DeltaSubscription]) -> Answer:
        names = tuple(islice(channel.doomed, MOST_RESOURCES))
        for name in names:
            del channel.doomed[name]
        return Answer(channel.type_url, (), names)

    def _trial(self, channel: Channel[DeltaSubscription], group: tuple[Sealed, ...]) -> Answer:
        return Answer(channel.type_url, group)
