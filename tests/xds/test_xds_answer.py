"""Bytes joined by hand are what the protobuf classes read."""

from envoy.service.discovery.v3 import discovery_pb2
from hypothesis import given
from hypothesis import strategies as st

from pointsman.envoy.pb import pack
from pointsman.envoy.sealed import CLUSTER, Sealed
from pointsman.xds import answer as answers
from pointsman.xds.answer import Answer, split

NAMES = st.text(min_size=1, max_size=300)
SEALED = st.builds(
    lambda name, version, payload: Sealed(
        CLUSTER,
        name,
        version,
        pack(discovery_pb2.DiscoveryRequest(version_info=payload)).SerializeToString(),
    ),
    NAMES,
    NAMES,
    st.text(max_size=20_000),
)


@given(st.lists(SEALED, max_size=5), st.lists(NAMES, max_size=5))
def test_an_incremental_answer_reads_back(resources: list[Sealed], removed: list[str]) -> None:
    answer = Answer(CLUSTER, tuple(resources), tuple(removed))
    message = discovery_pb2.DeltaDiscoveryResponse.FromString(answer.frame)
    assert (message.type_url, message.nonce) == (CLUSTER, answer.nonce)
    assert list(message.removed_resources) == removed
    read = [(r.name, r.version, r.resource.SerializeToString()) for r in message.resources]
    assert read == [(s.name, s.version, s.body) for s in resources]
    assert not any(r.HasField("ttl") for r in message.resources)


@given(st.lists(SEALED, max_size=5))
def test_a_state_of_the_world_answer_reads_back(resources: list[Sealed]) -> None:
    answer = Answer(CLUSTER, tuple(resources), delta=False)
    message = discovery_pb2.DiscoveryResponse.FromString(answer.frame)
    assert (message.type_url, message.nonce) == (CLUSTER, answer.nonce)
    assert message.version_info == Answer(CLUSTER, tuple(resources), delta=False).version
    assert [r.SerializeToString() for r in message.resources] == [s.body for s in resources]


def test_answers_are_split_by_count_and_by_size() -> None:
    small = [Sealed(CLUSTER, str(n), "1", b"x") for n in range(answers.MOST_RESOURCES + 1)]
    assert [len(a.resources) for a in split(CLUSTER, small)] == [answers.MOST_RESOURCES, 1]
    large = [Sealed(CLUSTER, str(n), "1", b"x" * 400_000) for n in range(5)]
    assert [len(a.resources) for a in split(CLUSTER, large)] == [2, 2, 1]
