"""Secrets travel by name, in their place in the order, and alone when only they change."""

from pointsman.envoy.sealed import CLUSTER, ENDPOINT, LISTENER, SECRET
from pointsman.xds.answer import Answer
from pointsman.xds.delta import DeltaRequest, DeltaSession
from pointsman.xds.plan import Plan, Plans
from pointsman.xds.snapshot import Snapshot
from pointsman.xds.state import StateRequest, StateSession
from tests.xds.simple import shown, snapshot

ORDER = (CLUSTER, ENDPOINT, SECRET, LISTENER)
NAMES = {CLUSTER: (), ENDPOINT: ("c",), SECRET: ("me", "all"), LISTENER: ()}


def contents(me: str = "1", cluster: str = "1") -> Snapshot:
    return snapshot(
        {CLUSTER: f"c#{cluster}", ENDPOINT: "c", SECRET: f"me#{me} all unasked", LISTENER: "l"}
    )


def accept(session: DeltaSession | StateSession, answer: Answer) -> None:
    if isinstance(session, DeltaSession):
        session.receive(DeltaRequest(answer.type_url, answer.nonce))
    else:
        names = NAMES[answer.type_url]
        session.receive(StateRequest(answer.type_url, answer.nonce, names=names))


def settle(session: DeltaSession | StateSession) -> list[str]:
    """Everything the session sends until the proxy has accepted all of it."""
    seen: list[str] = []
    while answers := session.poll(0.0):
        seen += shown(answers)
        for answer in answers:
            accept(session, answer)
    return seen


def delta() -> DeltaSession:
    session = DeltaSession(Plans())
    for type_url in ORDER:
        session.receive(DeltaRequest(type_url, subscribe=NAMES[type_url]))
    return session


def state() -> StateSession:
    session = StateSession(Plans())
    for type_url in ORDER:
        session.receive(StateRequest(type_url, names=NAMES[type_url]))
    return session


def test_secrets_come_after_endpoints_and_before_listeners() -> None:
    expected = [
        "Cluster c#1",
        "ClusterLoadAssignment c#1",
        "Secret all#1 me#1",
        "Listener l#1",
    ]
    for session in (delta(), state()):
        session.publish(contents())
        assert settle(session) == expected


def test_a_rotation_sends_the_changed_secret_and_nothing_else() -> None:
    for session in (delta(), state()):
        session.publish(contents())
        settle(session)
        session.publish(contents(me="2"))
        assert settle(session) == ["Secret me#2"]


def test_a_secret_nobody_asked_for_is_not_sent() -> None:
    for session in (delta(), state()):
        session.publish(contents())
        assert not any("unasked" in line for line in settle(session))


def test_a_changed_cluster_takes_its_endpoints_and_no_secret() -> None:
    for session in (delta(), state()):
        session.publish(contents())
        settle(session)
        session.publish(contents(cluster="2"))
        assert settle(session) == ["Cluster c#2", "ClusterLoadAssignment c#1"]


def test_secrets_are_removed_after_listeners() -> None:
    plan = Plan(contents(), snapshot({CLUSTER: "c", ENDPOINT: "c"}))
    assert list(plan.removals) == [LISTENER, SECRET]
