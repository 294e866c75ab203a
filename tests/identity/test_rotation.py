import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.envoy.names import IDENTITY, TRUST
from pointsman.envoy.sealed import CLUSTER, SECRET
from pointsman.identity import certificates
from pointsman.identity.ca import MEMORY_ROOT_LIFETIME, Authority
from pointsman.identity.rotation import (
    RETRY,
    Identities,
    Subject,
    advanced,
    next_advance,
    renewal,
)
from pointsman.identity.secrets import with_secrets
from pointsman.resources.key import Key
from tests.xds.simple import snapshot

START = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)
NODES = ("mesh/shop/virtualNode/a", "mesh/shop/virtualNode/b")


class World:
    """A clock that moves when it is told to, or when somebody sleeps."""

    def __init__(self, *, jitter: float = 0.0, lifetime: timedelta = HOUR) -> None:
        self.now = START
        self.slept: list[float] = []
        self.changes: list[frozenset[str]] = []
        self.heard = asyncio.Event()
        self.identities = Identities(
            Authority.in_memory(START, lifetime=lifetime),
            self._on_change,
            clock=lambda: self.now,
            sleep=self._sleep,
            jitter=lambda: jitter,
        )

    def want(self, *nodes: str) -> None:
        self.identities.want(Subject(node) for node in nodes)
        for node in nodes:
            self.identities.secrets(node)

    def _on_change(self, nodes: frozenset[str]) -> None:
        self.changes.append(nodes)
        self.heard.set()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@given(st.floats(0, 1), st.integers(1, 10**7))
def test_renewal_is_due_around_two_thirds_of_the_life(jitter: float, seconds: int) -> None:
    life = timedelta(seconds=seconds)
    due = renewal(START, START + life, jitter)
    assert life * 0.56 <= due - START <= life * 0.67


def test_a_node_gets_its_identity_and_the_trust_when_first_asked() -> None:
    world = World()
    key = Key("VirtualNode", "shop", "a")
    world.identities.want([Subject(NODES[0], ("a.example",), (key,))])
    assert world.identities.current == {}
    identity, trust = world.identities.secrets(NODES[0])
    assert (identity.type_url, identity.name, identity.keys) == (SECRET, IDENTITY, (key,))
    assert (trust.type_url, trust.name) == (SECRET, TRUST)
    assert world.identities.secrets(NODES[0]) == (identity, trust)
    assert world.identities.secrets(NODES[1]) == (trust,), "nobody wanted one for this node"
    assert world.changes == []


def test_renewal_changes_the_identity_and_tells_of_it() -> None:
    world = World()
    world.want(*NODES)
    before = {node: world.identities.secrets(node) for node in NODES}
    assert world.identities.next_due == START + HOUR * 2 / 3
    assert world.identities.renew(START + HOUR / 2) == frozenset()
    assert world.changes == []
    world.now = START + HOUR * 2 / 3
    assert world.identities.renew(world.now, most=1) == {NODES[0]}
    assert world.identities.renew(world.now) == {NODES[1]}
    assert world.changes == [{NODES[0]}, {NODES[1]}]
    for node in NODES:
        identity, trust = world.identities.secrets(node)
        assert identity.version != before[node][0].version
        assert trust is before[node][1]


def test_jitter_spreads_renewals() -> None:
    assert World(jitter=0.9).identities.next_due is not None
    early, late = World(jitter=1.0), World(jitter=0.0)
    for world in (early, late):
        world.want(NODES[0])
    assert early.identities.next_due is not None
    assert late.identities.next_due is not None
    assert late.identities.next_due - early.identities.next_due == HOUR / 10


def test_changed_names_make_a_new_certificate_and_forgotten_nodes_none() -> None:
    world = World()
    world.want(*NODES)
    before = world.identities.secrets(NODES[0])
    assert world.identities.want([Subject(NODES[0])]) == frozenset()
    assert set(world.identities.current) == {NODES[0]}
    assert world.identities.secrets(NODES[0]) == before
    assert world.identities.want([Subject(NODES[0], ("new.example",))]) == {NODES[0]}
    assert world.identities.secrets(NODES[0]) != before


def test_a_node_that_cannot_be_certified_does_not_stop_the_others() -> None:
    world = World()
    world.identities.want([Subject(NODES[0], ("not a name",)), Subject(NODES[1])])
    assert [secret.name for secret in world.identities.secrets(NODES[0])] == [TRUST]
    assert len(world.identities.secrets(NODES[1])) == 2
    assert world.identities.failures.keys() == {NODES[0]}
    assert "not a name" in world.identities.failures[NODES[0]]
    assert world.identities.next_due == START + RETRY
    assert world.identities.renew(START + RETRY) == frozenset()
    world.identities.want([Subject(NODES[0]), Subject(NODES[1])])
    assert world.identities.failures == {}
    assert len(world.identities.secrets(NODES[0])) == 2


def test_an_expired_authority_keeps_what_there_is_and_says_so() -> None:
    world = World()
    world.want(NODES[0])
    before = world.identities.secrets(NODES[0])
    gone = replace(world.identities.authority, renews=False)
    world.identities.use(gone)
    world.now = gone.signer.end
    assert world.identities.renew(world.now) == frozenset()
    assert world.identities.secrets(NODES[0]) == before
    assert "has expired" in world.identities.failures[NODES[0]]


def test_another_signer_makes_everything_due_and_another_trust_is_told_at_once() -> None:
    world = World()
    world.want(*NODES)
    old, new = world.identities.authority, Authority.in_memory(START)
    world.identities.use(old.trusting(new.roots))
    assert world.changes == [set(NODES)]
    assert world.identities.renew(START) == frozenset()
    world.identities.use(replace(new, roots=(*old.roots, *new.roots)))
    assert world.changes == [set(NODES)], "the trust is the same"
    assert world.identities.renew(START) == set(NODES)


def roots(authority: Authority) -> int:
    return len(certificates.read_certificates(authority.trust, "test"))


def test_an_authority_in_memory_makes_its_successor_in_good_time() -> None:
    first = Authority.in_memory(START)
    half = next_advance(first)
    assert half is not None
    assert advanced(first, half - timedelta(seconds=1)) is first
    known = advanced(first, half)
    assert roots(known) == 2
    assert known.signer is first.signer
    assert advanced(known, half) is known
    takeover = next_advance(known)
    assert takeover is not None
    assert takeover - half >= timedelta(minutes=58)
    signing = advanced(known, takeover)
    assert signing.signer is not first.signer
    assert roots(signing) == 2
    later = advanced(signing, first.signer.end)
    assert first.signer.certificate not in later.roots
    assert later.signer is signing.signer
    assert later.coming is not None, "the second one is at half of its life by now"


def test_an_authority_in_memory_recovers_from_a_long_sleep() -> None:
    first = Authority.in_memory(START)
    late = START + MEMORY_ROOT_LIFETIME * 2
    woken = advanced(first, late)
    assert woken.issue(NODES[0], (), late).end > late
    assert roots(woken) == 1


@pytest.mark.parametrize("lifetime", [HOUR, timedelta(days=20)])
def test_over_many_weeks_every_certificate_is_trusted_and_none_ends_before_it_is_renewed(
    lifetime: timedelta,
) -> None:
    world = World(lifetime=lifetime)
    world.want(NODES[0])
    trusts = 1
    while world.now < START + timedelta(days=75):
        due = world.identities.next_due
        assert due is not None
        current = world.identities.current[NODES[0]]
        assert due < current.end
        world.now = due
        before = world.identities.authority.trust
        world.identities.renew(world.now)
        trusts += world.identities.authority.trust != before
        authority = world.identities.authority
        assert authority.signer.certificate in authority.roots
        assert authority.signer.begin <= world.now < authority.signer.end
    assert trusts > 4


@asynccontextmanager
async def running(world: World) -> AsyncIterator[None]:
    task = asyncio.create_task(world.identities.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_task_sleeps_until_something_is_due_and_renews_it() -> None:
    world = World()
    world.want(*NODES)
    async with asyncio.timeout(5), running(world):
        while len(world.changes) < 3:
            await world.heard.wait()
            world.heard.clear()
    assert world.changes[:3] == [set(NODES)] * 3
    first = next(i for i in range(len(world.slept)) if sum(world.slept[: i + 1]) >= 2400)
    assert sum(world.slept[: first + 1]) == 2400.0


async def test_the_task_wakes_when_the_first_node_appears() -> None:
    changes: list[frozenset[str]] = []
    heard = asyncio.Event()

    def on_change(nodes: frozenset[str]) -> None:
        changes.append(nodes)
        heard.set()

    authority = Authority.in_memory(datetime.now(UTC))
    identities = Identities(authority, on_change)
    task = asyncio.create_task(identities.run())
    try:
        async with asyncio.timeout(5):
            await asyncio.sleep(0)
            identities.want([Subject(NODES[0])])
            identities.secrets(NODES[0])
            identities.make_due()
            await heard.wait()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert changes == [{NODES[0]}]


def test_secrets_come_into_a_snapshot_and_nothing_else_changes() -> None:
    world = World()
    world.want(NODES[0])
    bare = snapshot({CLUSTER: "a b"})
    made = with_secrets(bare, world.identities.secrets(NODES[0]))
    assert made.of(CLUSTER) is bare.of(CLUSTER)
    assert set(made.of(SECRET)) == {IDENTITY, TRUST}
    world.identities.make_due()
    world.identities.renew(world.now)
    again = with_secrets(made, world.identities.secrets(NODES[0]))
    assert again.of(CLUSTER) is bare.of(CLUSTER)
    assert again.of(SECRET)[TRUST] is made.of(SECRET)[TRUST]
    assert again.of(SECRET)[IDENTITY] != made.of(SECRET)[IDENTITY]
