"""A made-up proxy that is slow, forgetful and fussy always ends up with the snapshot.

It applies answers in order, accepts them late and out of order across types, rejects bad
versions, drops its stream and comes back with what it kept. A version names the cluster it leads
to; one that ends in `!` is bad. At no time may it hold a route to a cluster it lacks.
"""

from collections import deque

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from pointsman.envoy.sealed import CLUSTER, ENDPOINT, ROUTE, VIRTUAL_HOST, Sealed
from pointsman.xds.answer import Answer
from pointsman.xds.delta import DeltaRequest, DeltaSession
from pointsman.xds.order import FULL_STATE
from pointsman.xds.plan import Plans, route_of
from pointsman.xds.quarantine import Quarantine
from pointsman.xds.session import Outcome
from pointsman.xds.snapshot import Snapshot
from pointsman.xds.state import StateRequest, StateSession
from tests.xds.simple import made

CLUSTERS = ["c1", "c2", "c3"]
ROUTES = ["q", "r"]
HOSTS = ["q/a", "r/a", "r/b"]
PATIENCE = 5.0


@st.composite
def snapshots(draw: st.DrawFn, routes_stay: bool = False) -> Snapshot:
    """Routes and hosts lead to clusters that exist; some are bad, and so is cluster `x`."""
    clusters = draw(st.dictionaries(st.sampled_from(CLUSTERS), st.sampled_from("12"), min_size=1))
    target = st.sampled_from(sorted(clusters))
    led = st.builds(lambda cluster, mark: cluster + mark, target, st.sampled_from(["", "", "!"]))
    at_least = len(ROUTES) if routes_stay else 0
    routes = draw(st.dictionaries(st.sampled_from(ROUTES), led, min_size=at_least))
    hosts = draw(st.dictionaries(st.sampled_from(HOSTS), led))
    endpoints = draw(st.dictionaries(st.sampled_from(sorted(clusters)), st.sampled_from("12")))
    if draw(st.booleans()):
        clusters["x"] = draw(st.sampled_from(["1!", "2!", "1"]))
    contents = {CLUSTER: clusters, ENDPOINT: endpoints, ROUTE: routes, VIRTUAL_HOST: hosts}
    return Snapshot({t: {n: made(t, n, v) for n, v in c.items()} for t, c in contents.items()})


class DeltaProxy(RuleBasedStateMachine):
    """The proxy, the wire and the server's state machines."""

    types: tuple[str, ...] = (CLUSTER, ENDPOINT, ROUTE, VIRTUAL_HOST)

    def __init__(self) -> None:
        super().__init__()
        self.plans = Plans()
        self.quarantine = Quarantine(lambda _node_class, _rejection: None)
        self.now = 0.0
        self.held: dict[str, dict[str, str]] = {type_url: {} for type_url in self.types}
        self.routes = {"q", "r"}

    @initialize(snapshot=snapshots())
    def start(self, snapshot: Snapshot) -> None:
        self.published = snapshot
        self.connect()

    def new_session(self) -> DeltaSession | StateSession:
        return DeltaSession(self.plans, patience=PATIENCE)

    def connect(self) -> None:
        self.session = self.new_session()
        self.wire: deque[Answer] = deque()
        self.unanswered: dict[str, tuple[Answer, bool]] = {}
        self.nonces: dict[str, str] = {}
        self.watched = set(self.held[CLUSTER])
        self.serve()
        for type_url in self.types:
            names = {ENDPOINT: self.watched, ROUTE: self.routes}.get(type_url, set())
            self.subscribe(type_url, names, initial=dict(self.held[type_url]))
        self.poll()

    def subscribe(self, type_url: str, names: set[str], initial: dict[str, str]) -> None:
        request = DeltaRequest(type_url, subscribe=tuple(sorted(names)), initial_versions=initial)
        self.hear(self.send(request))

    def send(self, request: DeltaRequest) -> Outcome | None:
        assert isinstance(self.session, DeltaSession)
        return self.session.receive(request)

    def hear(self, outcome: Outcome | None) -> None:
        if outcome is None:
            return
        if outcome.message is None:
            self.quarantine.accept("class", outcome.answer.resources)
        elif self.quarantine.reject("class", outcome.culprits, outcome.message):
            self.serve()

    def serve(self) -> None:
        self.served = self.quarantine.serve("class", self.published)
        self.session.publish(self.served)

    def poll(self) -> None:
        self.wire.extend(self.session.poll(self.now))
        if self.session.settled:
            self.quarantine.settle("class", self.served)

    @rule(snapshot=snapshots())
    def publish(self, snapshot: Snapshot) -> None:
        self.published = snapshot
        self.serve()
        self.poll()

    @rule(seconds=st.sampled_from([0.1, PATIENCE]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.poll()

    @rule()
    def reconnect(self) -> None:
        self.connect()

    @precondition(lambda self: self.wire)
    @rule()
    def take(self) -> None:
        answer = self.wire.popleft()
        assert answer.type_url not in self.unanswered, "one answer in flight per type"
        assert len(answer.by_name) == len(answer.resources), "each name once"
        assert not set(answer.by_name) & set(answer.removed)
        good = not any(map(is_bad, answer.resources))
        if good or answer.type_url == CLUSTER:
            # As Envoy does, take the neighbours of a cluster that cannot be built.
            self.apply(answer)
        self.unanswered[answer.type_url] = (answer, good)
        self.nonces[answer.type_url] = answer.nonce
        self.watch_endpoints()
        self.poll()

    def apply(self, answer: Answer) -> None:
        held = self.held[answer.type_url]
        if not answer.delta and answer.type_url in FULL_STATE:
            # As Envoy does, keep what is named, though its new version cannot be built.
            for name in held.keys() - answer.by_name.keys():
                del held[name]
        for sealed in answer.resources:
            if self.wants(answer.type_url, sealed.name) and not is_bad(sealed):
                held[sealed.name] = sealed.version
        for name in answer.removed:
            held.pop(name, None)
        routes = self.held[ROUTE]
        # As Envoy does, forget the hosts of routes that are not there.
        for name in [n for n in self.held.get(VIRTUAL_HOST, {}) if route_of(n) not in routes]:
            del self.held[VIRTUAL_HOST][name]

    def wants(self, type_url: str, name: str) -> bool:
        if type_url == ENDPOINT:
            return name in self.watched
        return type_url != ROUTE or name in self.routes

    def watch_endpoints(self) -> None:
        now = set(self.held[CLUSTER])
        new, gone = now - self.watched, self.watched - now
        self.watched = now
        for name in gone:
            self.held[ENDPOINT].pop(name, None)
        if new or gone:
            self.rewatch(tuple(sorted(new)), tuple(sorted(gone)))

    def rewatch(self, new: tuple[str, ...], gone: tuple[str, ...]) -> None:
        self.hear(self.send(DeltaRequest(ENDPOINT, subscribe=new, unsubscribe=gone)))

    @precondition(lambda self: self.unanswered)
    @rule(data=st.data())
    def reply(self, data: st.DataObject) -> None:
        self.answer(data.draw(st.sampled_from(sorted(self.unanswered))))

    def answer(self, type_url: str) -> None:
        answer, good = self.unanswered.pop(type_url)
        error = None if good else "it is bad"
        self.hear(self.send(DeltaRequest(type_url, answer.nonce, error)))
        self.poll()

    @rule()
    def toggle_a_route(self) -> None:
        self.routes ^= {"q"}
        if "q" in self.routes:
            self.hear(self.send(DeltaRequest(ROUTE, subscribe=("q",))))
        else:
            self.hear(self.send(DeltaRequest(ROUTE, unsubscribe=("q",))))
            self.held[ROUTE].pop("q", None)
            self.held[VIRTUAL_HOST].pop("q/a", None)
        self.poll()

    @invariant()
    def no_route_without_its_cluster(self) -> None:
        for type_url in (ROUTE, VIRTUAL_HOST):
            for name, version in self.held.get(type_url, {}).items():
                assert version in self.held[CLUSTER], f"{name} leads to {version}"

    def expected(self) -> dict[str, dict[str, str]]:
        present = {
            type_url: {
                name: sealed.version
                for name, sealed in self.served.of(type_url).items()
                if self.wants(type_url, name)
            }
            for type_url in self.types
        }
        hosts, routes = present.get(VIRTUAL_HOST, {}), present[ROUTE]
        for name in [n for n in hosts if route_of(n) not in routes]:
            del hosts[name]
        return present

    def teardown(self) -> None:
        if not hasattr(self, "session"):
            return
        for _ in range(200):
            while self.wire:
                self.take()
            for type_url in list(self.unanswered):
                self.answer(type_url)
            self.no_route_without_its_cluster()
            if self.session.settled and not self.wire:
                break
        assert self.session.settled
        assert self.held == self.expected()
        self.forget_nothing_good()

    def forget_nothing_good(self) -> None:
        for type_url in self.types:
            for name, sealed in self.published.of(type_url).items():
                if not is_bad(sealed):
                    assert self.served.of(type_url)[name].version == sealed.version


class StateProxy(DeltaProxy):
    """The same proxy in the state-of-the-world variant, which has no virtual hosts.

    What this variant cannot say is left out: that a route is gone; on a new stream, which
    clusters the proxy still uses; after a rejection, which of the others it took. So routes only
    change, a proxy comes back empty, and it answers within the server's patience.
    """

    types = (CLUSTER, ENDPOINT, ROUTE)

    def new_session(self) -> DeltaSession | StateSession:
        return StateSession(self.plans, patience=PATIENCE)

    def names(self, type_url: str) -> tuple[str, ...]:
        return tuple({ENDPOINT: self.watched, ROUTE: self.routes}.get(type_url, ()))

    def subscribe(self, type_url: str, names: set[str], initial: dict[str, str]) -> None:
        del names, initial
        self.request(type_url)

    def send(self, request: DeltaRequest) -> Outcome | None:
        return self.request(request.type_url, request.nonce, request.error)

    def request(self, type_url: str, nonce: str = "", error: str | None = None) -> Outcome | None:
        assert isinstance(self.session, StateSession)
        if not nonce and type_url in self.unanswered:
            return None  # An Envoy that owes an answer sends its new names with it.
        nonce = nonce or self.nonces.get(type_url, "")
        names = self.names(type_url)
        return self.session.receive(StateRequest(type_url, nonce, error, names))

    def toggle_a_route(self) -> None:
        """Left out: a proxy keeps routes it cannot be told the removal of."""

    @initialize(snapshot=snapshots(routes_stay=True))
    def start(self, snapshot: Snapshot) -> None:
        self.published = snapshot
        self.connect()

    @rule(snapshot=snapshots(routes_stay=True))
    def publish(self, snapshot: Snapshot) -> None:
        self.published = snapshot
        self.serve()
        self.poll()

    def wait(self, seconds: float) -> None:
        """Left out: see above."""

    @rule()
    def reconnect(self) -> None:
        self.held = {type_url: {} for type_url in self.types}
        self.connect()

    def expected(self) -> dict[str, dict[str, str]]:
        expected = super().expected()
        for name, version in self.held[ENDPOINT].items():
            expected[ENDPOINT].setdefault(name, version)
        return expected


def is_bad(sealed: Sealed) -> bool:
    return sealed.version.endswith("!")


BOUNDED = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    # Without shrinking, which takes longer than a test may: so what fails is told as it was found.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
TestDeltaProxy = DeltaProxy.TestCase
TestDeltaProxy.settings = BOUNDED
TestStateProxy = StateProxy.TestCase
TestStateProxy.settings = BOUNDED
