"""The state-of-the-world variant of a session, which existing App Mesh images of Envoy speak.

Answers with clusters and listeners are complete, so that absence removes; all other types are
answered by name, and a removal cannot be told: it lapses with what refers to it.
"""

from dataclasses import dataclass

from pointsman.envoy.endpoints import nobody
from pointsman.envoy.sealed import CLUSTER, ENDPOINT, Sealed
from pointsman.xds.answer import Answer, split
from pointsman.xds.order import FULL_STATE, LEGACY_WILDCARD
from pointsman.xds.plan import Plan
from pointsman.xds.session import Channel, Outcome, Session
from pointsman.xds.snapshot import Snapshot
from pointsman.xds.subscription import StateSubscription


@dataclass(frozen=True, slots=True)
class StateRequest:
    """The parts of a `DiscoveryRequest` a session looks at.

    Attributes:
        type_url: type of the resources.
        nonce: of the newest answer the proxy had seen; "" on the first request of a type.
        error: `error_detail.message` when that field is present, else None.
        names: all names wanted.
        version: `version_info`; "" while the proxy has accepted nothing of the type.
    """

    type_url: str
    nonce: str = ""
    error: str | None = None
    names: tuple[str, ...] = ()
    version: str = ""


class StateSession(Session[StateSubscription]):
    """State of one state-of-the-world stream."""

    def receive(self, request: StateRequest) -> Outcome | None:
        """Take a request in, unless it speaks of an answer that is not the newest.

        Such a request is void (xDS protocol, "ACK and NACK semantics summary"): the proxy
        repeats all its names when it answers the newest.
        """
        channel = self._channels.get(request.type_url)
        if channel is None:
            legacy = request.type_url in LEGACY_WILDCARD
            channel = Channel(request.type_url, StateSubscription(legacy_wildcard=legacy))
            channel.greet = True
            channel.kept = frozenset(request.names if request.version else ())
            self._channels[request.type_url] = channel
        outcome = None
        if channel.in_flight is not None:
            if request.nonce != channel.in_flight.nonce:
                return None
            outcome = self._answered(channel, request.error)
        channel.apply(channel.subscription.update(request.names))
        return outcome

    def _catch_up(self, channel: Channel[StateSubscription], goal: Snapshot) -> list[Answer]:
        plan = self._plans.between(channel.at, goal)
        self._advance(channel, goal)
        stale, channel.stale = channel.stale, set()
        greet, channel.greet = channel.greet, False
        if channel.type_url in FULL_STATE:
            return self._catch_up_whole(channel, plan, due=greet or bool(stale))
        step = plan.additions.get(channel.type_url)
        wants, current = channel.subscription.wants, goal.of(channel.type_url)
        if step and stale <= step.names and channel.subscription.covers(step.names):
            return list(step.state_answers)
        chosen = {s.name: s for s in step.resources if wants(s.name)} if step else {}
        chosen |= {name: current[name] for name in stale if name in current}
        if channel.type_url == ENDPOINT:
            # Envoy holds a cluster back for 15 s while it has never heard of its endpoints.
            new = (stale & goal.of(CLUSTER).keys()) - current.keys() - channel.kept
            chosen |= {name: nobody(name) for name in sorted(new)}
        answers = split(channel.type_url, chosen.values(), delta=False)
        return answers or ([Answer(channel.type_url, (), delta=False)] if greet else [])

    def _catch_up_whole(
        self, channel: Channel[StateSubscription], plan: Plan, *, due: bool
    ) -> list[Answer]:
        """The complete state, if anything is new.

        What the proxy accepted decides and not what it was sent: while a culprit is sought, the
        answers leave out what is not accepted yet, which takes it away.
        """
        current, wants = plan.new.of(channel.type_url), channel.subscription.wants
        confirmed = channel.confirmed
        channel.doomed = {n: s for n, s in confirmed.items() if n not in current and wants(n)}
        if not due and all(
            (known := confirmed.get(name)) is not None and known.version == sealed.version
            for name, sealed in current.items()
            if wants(name)
        ):
            return []
        gone = plan.removals.get(channel.type_url, frozenset())
        if channel.subscription.wildcard and channel.doomed.keys() == gone:
            return [self._plans.whole(plan.merged, channel.type_url)]
        return [self._complete(channel, plan.new)]

    def _complete(self, channel: Channel[StateSubscription], goal: Snapshot) -> Answer:
        wants = channel.subscription.wants
        kept = {name: sealed for name, sealed in channel.doomed.items() if sealed}
        held = {**kept, **goal.of(channel.type_url)}
        resources = tuple(sealed for name, sealed in held.items() if wants(name))
        return Answer(channel.type_url, resources, delta=False)

    def _removal(self, channel: Channel[StateSubscription]) -> Answer | None:
        channel.doomed.clear()
        if channel.type_url not in FULL_STATE:
            return None
        if channel.subscription.wildcard:
            return self._plans.whole(channel.at, channel.type_url)
        return self._complete(channel, channel.at)

    def _trial(self, channel: Channel[StateSubscription], group: tuple[Sealed, ...]) -> Answer:
        if channel.type_url not in FULL_STATE:
            return Answer(channel.type_url, group, delta=False)
        tried = {**channel.confirmed, **{sealed.name: sealed for sealed in group}}
        return Answer(channel.type_url, tuple(tried.values()), delta=False)
