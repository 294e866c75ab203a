"""The protocol checklist for the incremental variant, as conversations."""

from dataclasses import dataclass, field

import pytest

from pointsman.envoy.sealed import (
    CLUSTER,
    ENDPOINT,
    EXTENSION,
    LISTENER,
    ROUTE,
    VIRTUAL_HOST,
    Sealed,
)
from pointsman.xds import answer as answers_module
from pointsman.xds.answer import Answer
from pointsman.xds.delta import DeltaRequest, DeltaSession
from pointsman.xds.plan import Plans
from pointsman.xds.session import Outcome
from tests.xds.simple import made, shown, snapshot


@dataclass
class Conversation:
    """A session, the clock, and the answers the proxy has neither accepted nor rejected."""

    session: DeltaSession = field(default_factory=lambda: DeltaSession(Plans(), patience=5.0))
    now: float = 0.0
    open: dict[str, Answer] = field(default_factory=dict)

    def poll(self) -> list[str]:
        answers = self.session.poll(self.now)
        for answer in answers:
            assert answer.type_url not in self.open, "one answer in flight per type"
            self.open[answer.type_url] = answer
        return shown(answers)

    def publish(self, **contents: str) -> list[str]:
        types = {
            "cds": CLUSTER,
            "eds": ENDPOINT,
            "lds": LISTENER,
            "rds": ROUTE,
            "vhds": VIRTUAL_HOST,
            "ecds": EXTENSION,
        }
        self.session.publish(snapshot({types[key]: text for key, text in contents.items()}))
        return self.poll()

    def request(
        self,
        type_url: str,
        subscribe: str = "",
        unsubscribe: str = "",
        nonce: str = "",
        initial: dict[str, str] | None = None,
    ) -> list[str]:
        self.session.receive(
            DeltaRequest(
                type_url,
                nonce,
                subscribe=tuple(subscribe.split()),
                unsubscribe=tuple(unsubscribe.split()),
                initial_versions=initial or {},
            )
        )
        return self.poll()

    def reply(self, type_url: str, error: str | None = None) -> Outcome | None:
        nonce = self.open.pop(type_url).nonce
        return self.session.receive(DeltaRequest(type_url, nonce, error))

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


def test_nothing_is_sent_before_there_is_a_snapshot(talk: Conversation) -> None:
    assert talk.request(CLUSTER) == []
    assert talk.publish(cds="a") == ["Cluster a#1"]


def test_an_empty_first_subscription_is_answered_even_with_nothing(talk: Conversation) -> None:
    talk.publish()
    assert talk.request(CLUSTER) == ["Cluster"]
    assert talk.ack(CLUSTER) == []
    assert talk.request(ENDPOINT) == []


def test_only_changes_are_sent(talk: Conversation) -> None:
    talk.publish(cds="a b")
    talk.request(CLUSTER)
    talk.ack_all()
    assert talk.publish(cds="a b") == []
    assert talk.publish(cds="a b#2") == ["Cluster b#2"]


def test_a_subscribed_name_is_sent_again(talk: Conversation) -> None:
    talk.publish(eds="a b")
    assert talk.request(ENDPOINT, "a") == ["ClusterLoadAssignment a#1"]
    talk.ack_all()
    assert talk.request(ENDPOINT, "a") == ["ClusterLoadAssignment a#1"]


def test_a_missing_name_is_removed_at_once_and_remembered(talk: Conversation) -> None:
    talk.publish(eds="a")
    assert talk.request(ENDPOINT, "a x") == [
        "ClusterLoadAssignment a#1",
    ]
    assert talk.ack(ENDPOINT) == ["ClusterLoadAssignment -x"]
    talk.ack_all()
    assert talk.publish(eds="a x") == ["ClusterLoadAssignment x#1"]


def test_a_name_given_up_under_the_wildcard_is_answered(talk: Conversation) -> None:
    talk.publish(cds="a")
    talk.request(CLUSTER)
    talk.ack_all()
    talk.request(CLUSTER, "a x")
    talk.ack_all()
    assert talk.request(CLUSTER, "", "a") == ["Cluster a#1"]
    talk.ack_all()
    assert talk.request(CLUSTER, "", "x") == ["Cluster -x"]


def test_after_the_wildcard_is_left_only_names_are_sent(talk: Conversation) -> None:
    talk.publish(cds="a b")
    talk.request(CLUSTER)
    talk.request(CLUSTER, "a", "*")
    talk.ack_all()
    assert talk.publish(cds="a#2 b#2") == ["Cluster a#2"]
    talk.ack_all()
    assert talk.request(CLUSTER, "*") == ["Cluster a#2 b#2"]


def test_a_subscription_with_a_stale_nonce_counts(talk: Conversation) -> None:
    talk.publish(eds="a b")
    talk.request(ENDPOINT, "a")
    stale = talk.open[ENDPOINT].nonce
    talk.ack(ENDPOINT)
    talk.publish(eds="a#2 b")
    assert talk.request(ENDPOINT, "b", nonce=stale) == []
    assert talk.ack(ENDPOINT) == ["ClusterLoadAssignment b#1"]


def test_a_stale_nonce_acknowledges_nothing(talk: Conversation) -> None:
    talk.publish(cds="a")
    talk.request(CLUSTER)
    stale = talk.open[CLUSTER].nonce
    talk.ack_all()
    talk.publish(cds="a#2")
    talk.request(CLUSTER, nonce=stale)
    assert talk.publish(cds="a#3") == []
    assert talk.ack(CLUSTER) == ["Cluster a#3"]


def test_the_newest_state_wins_when_the_answer_comes(talk: Conversation) -> None:
    talk.publish(cds="a")
    talk.request(CLUSTER)
    for version in range(2, 10):
        assert talk.publish(cds=f"a#{version}") == []
    assert talk.ack(CLUSTER) == ["Cluster a#9"]


def test_a_reconnecting_proxy_gets_only_what_differs(talk: Conversation) -> None:
    talk.publish(cds="a b#2 c", eds="a b")
    kept = {"a": "1", "b": "1", "gone": "1"}
    assert talk.request(CLUSTER, initial=kept) == ["Cluster b#2 c#1"]
    assert talk.request(ENDPOINT, "a b", initial={"a": "1"}) == ["ClusterLoadAssignment b#1"]


def test_what_a_reconnecting_proxy_has_too_much_goes_after_the_additions(
    talk: Conversation,
) -> None:
    talk.publish(cds="a")
    assert talk.request(CLUSTER, initial={"gone": "1"}) == ["Cluster a#1"]
    assert talk.ack(CLUSTER) == ["Cluster -gone"]
    assert talk.ack(CLUSTER) == []
    assert talk.session.settled


def test_a_reconnecting_proxy_that_has_everything_gets_nothing(talk: Conversation) -> None:
    talk.publish(cds="a", lds="l", rds="r", vhds="r/a", eds="a")
    assert talk.request(CLUSTER, initial={"a": "1"}) == []
    assert talk.request(LISTENER, initial={"l": "1"}) == []
    assert talk.request(ENDPOINT, "a", initial={"a": "1"}) == []
    assert talk.request(ROUTE, "r", initial={"r": "1"}) == []
    assert talk.request(VIRTUAL_HOST, initial={"r/a": "1"}) == []
    assert talk.session.settled


def connected(talk: Conversation, endpoints: str = "a", **contents: str) -> None:
    talk.publish(**contents)
    talk.request(CLUSTER)
    talk.request(ENDPOINT, endpoints)
    talk.request(LISTENER)
    talk.request(ROUTE, "r")
    talk.request(VIRTUAL_HOST)
    talk.ack_all()
    assert talk.session.settled


def test_what_a_reconnecting_proxy_drops_and_wants_again_while_it_waits_is_sent(
    talk: Conversation,
) -> None:
    talk.publish(cds="a", rds="r s")
    assert talk.request(CLUSTER) == ["Cluster a#1"]
    assert talk.request(ROUTE, "r s", initial={"r": "1", "s": "1"}) == []
    assert talk.request(ROUTE, unsubscribe="r") == []
    assert talk.request(ROUTE, "r") == []
    assert talk.ack(CLUSTER) == ["RouteConfiguration r#1"]


def test_types_travel_in_order_and_routes_wait_for_clusters(talk: Conversation) -> None:
    connected(talk, "a b", cds="a", eds="a", lds="l", rds="r", vhds="r/x")
    sent = talk.publish(cds="a b", eds="a b", lds="l l2", rds="r#2", vhds="r/x#2")
    assert sent == ["Cluster b#1", "ClusterLoadAssignment b#1"]
    assert talk.ack(ENDPOINT) == []
    assert talk.ack(CLUSTER) == [
        "Listener l2#1",
        "RouteConfiguration r#2",
        "VirtualHost r/x#2",
    ]


def test_routes_do_not_wait_for_ever_for_clusters(talk: Conversation) -> None:
    connected(talk, cds="a", eds="a", lds="l", rds="r", vhds="r/x")
    talk.publish(cds="a b", eds="a", lds="l", rds="r#2", vhds="r/x")
    assert talk.session.deadline == 5.0
    talk.now = 5.0
    assert talk.poll() == ["RouteConfiguration r#2"]


def test_a_changed_cluster_travels_with_its_endpoints(talk: Conversation) -> None:
    connected(talk, cds="a b", eds="a b", lds="l", rds="r", vhds="r/x")
    sent = talk.publish(cds="a#2 b", eds="a b", lds="l", rds="r", vhds="r/x")
    assert sent == ["Cluster a#2", "ClusterLoadAssignment a#1"]


def test_endpoints_do_not_wait_for_a_cluster_that_is_not_accepted(talk: Conversation) -> None:
    connected(talk, cds="a", eds="a", lds="l", rds="r", vhds="r/x")
    talk.publish(cds="a#2", eds="a", lds="l", rds="r", vhds="r/x")
    talk.ack(ENDPOINT)
    sent = talk.publish(cds="a#2", eds="a#2", lds="l", rds="r", vhds="r/x")
    assert sent == ["ClusterLoadAssignment a#2"]


def test_removals_come_last_in_reverse_and_only_when_additions_are_accepted(
    talk: Conversation,
) -> None:
    connected(talk, "a b", cds="a b", eds="a b", lds="l m", rds="r", vhds="r/x r/y")
    talk.publish(cds="b", eds="b", lds="l", rds="r", vhds="r/x#2")
    assert shown(talk.open.values()) == ["VirtualHost r/x#2"]
    assert talk.ack(VIRTUAL_HOST) == [
        "VirtualHost -r/y",
        "Listener -m",
        "ClusterLoadAssignment -a",
        "Cluster -a",
    ]
    talk.ack_all()
    assert talk.session.settled


def test_removals_do_not_wait_for_ever(talk: Conversation) -> None:
    connected(talk, cds="a b", eds="a", lds="l", rds="r", vhds="r/x")
    talk.publish(cds="a", eds="a", lds="l", rds="r", vhds="r/x#2")
    talk.now = 4.9
    assert talk.poll() == []
    talk.now = 5.0
    assert talk.poll() == ["Cluster -b"]


def test_what_returns_before_it_was_removed_is_not_removed(talk: Conversation) -> None:
    connected(talk, cds="a b", eds="a", lds="l", rds="r", vhds="r/x")
    talk.publish(cds="a", eds="a", lds="l", rds="r", vhds="r/x#2")
    talk.publish(cds="a b", eds="a", lds="l", rds="r", vhds="r/x#2")
    assert talk.ack(VIRTUAL_HOST, CLUSTER) == []
    assert talk.session.settled


def test_filter_configurations_are_never_removed(talk: Conversation) -> None:
    talk.publish(ecds="e")
    talk.request(EXTENSION, "e")
    talk.ack_all()
    assert talk.publish() == []
    assert talk.session.settled


def test_hosts_follow_a_route_that_is_asked_for_again(talk: Conversation) -> None:
    connected(talk, cds="a", eds="a", lds="l", rds="r", vhds="r/x q/x")
    assert talk.request(ROUTE, "", "r") == []
    assert talk.request(ROUTE, "r") == ["RouteConfiguration r#1", "VirtualHost r/x#1"]


def test_a_route_without_hosts_is_told_so(talk: Conversation) -> None:
    connected(talk, cds="a", eds="a", lds="l", rds="r bare", vhds="r/x")
    assert talk.request(ROUTE, "bare") == ["RouteConfiguration bare#1", "VirtualHost -bare/-"]


def test_a_changed_route_keeps_its_hosts(talk: Conversation) -> None:
    connected(talk, cds="a", eds="a", lds="l", rds="r", vhds="r/x")
    sent = talk.publish(cds="a", eds="a", lds="l", rds="r#2", vhds="r/x")
    assert sent == ["RouteConfiguration r#2"]


def test_large_answers_are_split_and_the_rest_waits(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers_module, "MOST_RESOURCES", 2)
    talk.publish(cds="a b c d e")
    assert talk.request(CLUSTER) == ["Cluster a#1 b#1"]
    assert talk.ack(CLUSTER) == ["Cluster c#1 d#1"]
    talk.publish(cds="a b#2 c d e#2")
    assert talk.ack(CLUSTER) == ["Cluster b#2 e#2"]
    assert talk.ack(CLUSTER) == []
    assert talk.session.settled


def test_a_rejected_answer_is_halved_until_the_culprit_stands_alone(talk: Conversation) -> None:
    talk.publish(vhds="r/a r/b r/c r/d r/e")
    talk.request(VIRTUAL_HOST)
    found: list[Sealed] = []
    accepted: set[str] = set()
    for _ in range(20):
        if VIRTUAL_HOST not in talk.open:
            break
        tried = talk.open[VIRTUAL_HOST].by_name.keys()
        bad = "r/c" in tried
        outcome = talk.reply(VIRTUAL_HOST, "missing ): ((" if bad else None)
        assert outcome is not None
        found += outcome.culprits
        accepted |= set() if bad else set(tried)
        talk.poll()
    assert [sealed.name for sealed in found] == ["r/c"]
    assert accepted == {"r/a", "r/b", "r/d", "r/e"}
    assert talk.session.settled


def test_names_in_envoys_message_spare_the_halving(talk: Conversation) -> None:
    talk.publish(cds="a b c")
    talk.request(CLUSTER)
    outcome = talk.reply(CLUSTER, "Error adding/updating cluster(s) b: Invalid path: /x")
    assert outcome is not None
    assert outcome.culprits == (made(CLUSTER, "b"),)
    assert talk.poll() == ["Cluster a#1 c#1"]
    assert talk.ack(CLUSTER) == []


def test_a_rejection_with_an_empty_message_is_one(talk: Conversation) -> None:
    talk.publish(cds="a")
    talk.request(CLUSTER)
    outcome = talk.reply(CLUSTER, "")
    assert outcome is not None
    assert outcome.culprits == (made(CLUSTER, "a"),)


def test_routes_wait_while_a_culprit_among_clusters_is_sought(talk: Conversation) -> None:
    connected(talk, cds="a", eds="a", lds="l", rds="r", vhds="r/x")
    talk.publish(cds="a b c", eds="a", lds="l", rds="r#2", vhds="r/x")
    talk.reply(CLUSTER, "no names here")
    assert talk.poll() == ["Cluster b#1"]
    talk.reply(CLUSTER, "no names here")
    assert talk.poll() == ["Cluster c#1"]
    assert talk.ack(CLUSTER) == ["RouteConfiguration r#2"]


def test_what_was_under_suspicion_when_it_went_is_sent_again_when_it_returns(
    talk: Conversation,
) -> None:
    talk.publish(cds="a b c d")
    talk.request(CLUSTER)
    talk.publish(cds="a")
    talk.reply(CLUSTER, "no names")
    assert talk.poll() == ["Cluster a#1"]
    talk.publish(cds="a c")
    assert talk.ack(CLUSTER) == ["Cluster c#1"]
    talk.publish(cds="a d")
    assert talk.ack(CLUSTER) == ["Cluster d#1"]
