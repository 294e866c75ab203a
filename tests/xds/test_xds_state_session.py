"""The protocol checklist for the state-of-the-world variant, as conversations."""

from dataclasses import dataclass, field

import pytest

from pointsman.envoy.endpoints import nobody
from pointsman.envoy.sealed import CLUSTER, ENDPOINT, LISTENER, ROUTE
from pointsman.xds.answer import Answer
from pointsman.xds.plan import Plans
from pointsman.xds.session import Outcome
from pointsman.xds.state import StateRequest, StateSession
from tests.xds.simple import shown, snapshot


@dataclass
class Conversation:
    """A session and a proxy that repeats its names with every request."""

    session: StateSession = field(default_factory=lambda: StateSession(Plans(), patience=5.0))
    now: float = 0.0
    open: dict[str, Answer] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    nonces: dict[str, str] = field(default_factory=dict)

    def poll(self) -> list[str]:
        answers = self.session.poll(self.now)
        for answer in answers:
            assert answer.type_url not in self.open, "one answer in flight per type"
            self.open[answer.type_url] = answer
        return shown(answers)

    def publish(self, cds: str = "", eds: str = "", lds: str = "", rds: str = "") -> list[str]:
        contents = {CLUSTER: cds, ENDPOINT: eds, LISTENER: lds, ROUTE: rds}
        self.session.publish(snapshot(contents))
        return self.poll()

    def request(self, type_url: str, names: str = "", error: str | None = None) -> Outcome | None:
        self.names[type_url] = names
        nonce = self.nonces.get(type_url, "")
        return self.session.receive(StateRequest(type_url, nonce, error, tuple(names.split())))

    def ask(self, type_url: str, names: str = "") -> list[str]:
        self.request(type_url, names)
        return self.poll()

    def reply(self, type_url: str, error: str | None = None) -> Outcome | None:
        self.nonces[type_url] = self.open.pop(type_url).nonce
        return self.request(type_url, self.names[type_url], error)

    def ack(self, *types: str) -> list[str]:
        for type_url in types:
            self.reply(type_url)
        return self.poll()

    def ack_all(self) -> None:
        while self.open:
            self.ack(*list(self.open))


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


def connected(talk: Conversation, endpoints: str, **contents: str) -> None:
    talk.publish(**contents)
    talk.ask(CLUSTER)
    talk.ask(ENDPOINT, endpoints)
    talk.ask(LISTENER)
    talk.ask(ROUTE, "r")
    talk.ack_all()
    assert talk.session.settled


def test_clusters_are_sent_whole_and_endpoints_by_name(talk: Conversation) -> None:
    connected(talk, "a b", cds="a b", eds="a b", rds="r")
    assert talk.publish(cds="a b#2", eds="a b", rds="r") == [
        "Cluster a#1 b#2",
        "ClusterLoadAssignment b#1",
    ]
    talk.ack_all()
    assert talk.publish(cds="a b#2", eds="a#2 b", rds="r") == ["ClusterLoadAssignment a#2"]


def test_the_same_state_is_not_sent_again(talk: Conversation) -> None:
    connected(talk, "a", cds="a", eds="a", lds="l", rds="r")
    assert talk.publish(cds="a", eds="a", lds="l", rds="r") == []


def test_only_new_names_are_answered(talk: Conversation) -> None:
    talk.publish(eds="a b")
    assert talk.ask(ENDPOINT, "a") == ["ClusterLoadAssignment a#1"]
    talk.ack_all()
    assert talk.ask(ENDPOINT, "a b") == ["ClusterLoadAssignment b#1"]
    talk.ack_all()
    assert talk.ask(ENDPOINT, "b") == []
    assert talk.publish(eds="a#2 b#2") == ["ClusterLoadAssignment b#2"]


NOBODY = f"x#{nobody('x').version}"
"""An assignment without endpoints."""


def test_a_missing_name_is_sent_when_it_appears(talk: Conversation) -> None:
    talk.publish(rds="")
    assert talk.ask(ROUTE, "x") == ["RouteConfiguration"]
    talk.ack_all()
    assert talk.publish(rds="x") == ["RouteConfiguration x#1"]


def test_a_proxy_that_begins_need_not_wait_for_endpoints_nobody_knows(talk: Conversation) -> None:
    talk.publish(cds="a x", eds="a")
    assert talk.ask(ENDPOINT, "a x own") == [f"ClusterLoadAssignment a#1 {NOBODY}"]
    talk.ack_all()
    assert talk.publish(cds="a x", eds="a x") == ["ClusterLoadAssignment x#1"]


def test_a_proxy_that_resumes_keeps_endpoints_until_they_are_known(talk: Conversation) -> None:
    talk.publish(cds="a x y", eds="a")
    talk.session.receive(StateRequest(ENDPOINT, names=("a", "y"), version="of an earlier stream"))
    talk.names[ENDPOINT] = "a y"
    assert talk.poll() == ["ClusterLoadAssignment a#1"]
    talk.ack_all()
    assert talk.ask(ENDPOINT, "a x y") == [f"ClusterLoadAssignment {NOBODY}"]
    talk.ack_all()
    assert talk.publish(cds="a x y", eds="a x y") == ["ClusterLoadAssignment x#1 y#1"]


def test_a_request_about_an_older_answer_is_void(talk: Conversation) -> None:
    talk.publish(eds="a b")
    talk.ask(ENDPOINT, "a")
    talk.ack_all()
    talk.publish(eds="a#2 b")
    assert talk.ask(ENDPOINT, "a b") == []
    talk.names[ENDPOINT] = "a b"
    assert talk.ack(ENDPOINT) == ["ClusterLoadAssignment b#1"]


def test_a_removal_is_an_omission_after_the_additions(talk: Conversation) -> None:
    connected(talk, "a", cds="a", eds="a", lds="l", rds="r")
    assert talk.publish(cds="b", eds="a", lds="l", rds="r#2") == ["Cluster a#1 b#1"]
    assert talk.ack(CLUSTER) == ["RouteConfiguration r#2"]
    assert talk.ack(ROUTE) == ["Cluster b#1"]
    assert talk.ack(CLUSTER) == []
    assert talk.session.settled


def test_a_removal_that_was_overtaken_keeps_what_is_still_in_use(talk: Conversation) -> None:
    connected(talk, "a", cds="a", eds="a", lds="l", rds="r")
    talk.publish(cds="b", eds="a", lds="l", rds="r#2")
    talk.publish(cds="c", eds="a", lds="l", rds="r#3")
    assert talk.ack(CLUSTER) == ["Cluster a#1 b#1 c#1"]
    assert talk.ack(CLUSTER) == ["RouteConfiguration r#3"]
    assert talk.ack(ROUTE) == ["Cluster c#1"]


def test_explicit_names_end_the_wildcard(talk: Conversation) -> None:
    talk.publish(cds="a b")
    assert talk.ask(CLUSTER) == ["Cluster a#1 b#1"]
    talk.names[CLUSTER] = "a"
    assert talk.ack(CLUSTER) == ["Cluster a#1"]
    talk.ack_all()
    assert talk.publish(cds="a b#2") == []
    assert talk.publish(cds="a#2 b#2") == ["Cluster a#2"]


@pytest.mark.parametrize("message", ["", "no names", "Error adding/updating cluster(s) c: no"])
def test_the_culprit_is_found_among_whole_states(talk: Conversation, message: str) -> None:
    talk.publish(cds="a")
    talk.ask(CLUSTER)
    talk.ack_all()
    talk.publish(cds="a b c d")
    found: list[str] = []
    for _ in range(20):
        if CLUSTER not in talk.open:
            break
        bad = "c" in talk.open[CLUSTER].by_name
        outcome = talk.reply(CLUSTER, message if bad else None)
        assert outcome is not None
        found += [sealed.name for sealed in outcome.culprits]
        if CLUSTER not in talk.open:
            talk.poll()
    assert found == ["c"]
    assert talk.session.settled


def test_what_a_search_for_a_culprit_left_out_is_sent_again(talk: Conversation) -> None:
    talk.publish(cds="a b c d")
    talk.ask(CLUSTER)
    talk.publish(cds="a")
    talk.reply(CLUSTER, "no names")
    assert talk.poll() == ["Cluster a#1"]
    talk.publish(cds="b")
    assert talk.ack(CLUSTER) == ["Cluster a#1 b#1"]
    assert talk.ack(CLUSTER) == ["Cluster b#1"]
