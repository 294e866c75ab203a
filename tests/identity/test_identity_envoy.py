"""What proxies do with the identities they are given."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pointsman.envoy.names import IDENTITY
from pointsman.envoy.sealed import SECRET
from pointsman.graph.spiffe import spiffe_id
from pointsman.identity.ca import Authority
from pointsman.identity.secrets import identity_secret, with_secrets
from tests.identity.meshed import CALLEE, CALLER, NAMES, meshed, secret_bytes, utc_now
from tests.support.http import get
from tests.support.load import load
from tests.support.wait import eventually

pytestmark = pytest.mark.envoy

RELOADS = r"(cds|lds|rds)\.update_success|(cluster|listener)_(added|modified)$"
"""Counters of Envoy that grow when anything but a secret is taken in."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="id") as path:
        yield Path(path)


@pytest.mark.parametrize("delta", [True, False], ids=["delta", "state"])
async def test_proxies_prove_to_each_other_who_they_are(folder: Path, delta: bool) -> None:
    async with (
        asyncio.timeout(30),
        meshed(folder, Authority.in_memory(utc_now()), delta=delta) as m,
    ):
        await m.answers("spiffe://pointsman.local/mesh/shop/virtualNode/caller")
        assert m.rejections == []


async def test_spiffe_ids_can_be_required(folder: Path) -> None:
    caller, callee = spiffe_id(CALLER), spiffe_id(CALLEE)
    authority = Authority.in_memory(utc_now())
    made = meshed(folder, authority, caller_accepts=callee, callee_accepts=caller)
    async with asyncio.timeout(30), made as m:
        await m.answers(spiffe_id(CALLER))


async def test_a_peer_with_another_name_is_refused(folder: Path) -> None:
    authority = Authority.in_memory(utc_now())
    async with asyncio.timeout(30), meshed(folder, authority, callee_accepts="other.example") as m:
        await eventually(lambda: _refused(m.front))
        failures = await m.counters(r"inbound.*ssl\.fail_verify_san|ssl\.fail_verify_san")
        assert any(failures.values())


async def test_a_peer_of_another_authority_is_refused(folder: Path) -> None:
    async with asyncio.timeout(30), meshed(folder, Authority.in_memory(utc_now())) as m:
        await m.answers(spiffe_id(CALLER))
        stranger = Authority.in_memory(utc_now())
        issued = stranger.issue(CALLER, (NAMES[CALLER],), utc_now())
        m.server.publish(
            CALLER,
            with_secrets(
                m.snapshots[CALLER], (*m.identities.secrets(CALLER), identity_secret(issued))
            ),
        )
        await m.acknowledged()
        assert (await get(m.front)).status == 503


@pytest.mark.parametrize("delta", [True, False], ids=["delta", "state"])
async def test_certificates_are_renewed_without_a_failed_request(folder: Path, delta: bool) -> None:
    authority = Authority.in_memory(utc_now())
    async with asyncio.timeout(60), meshed(folder, authority, delta=delta) as m:
        await m.answers(spiffe_id(CALLER))
        before = await m.counters(RELOADS)
        async with load(m.front) as seen:
            for _ in range(25):
                m.identities.make_due()
                assert m.identities.renew(utc_now()) == set(NAMES)
                await m.acknowledged()
                await more_requests(seen, 10)
        assert set(seen) == {f"200 {spiffe_id(CALLER)}"}
        assert await m.counters(RELOADS) == before, "more than secrets travelled"
        assert m.rejections == []
        handshakes = await m.counters(r"ssl\.handshake$")
        assert sum(handshakes.values()) >= seen.total(), "each request was a handshake"
        updates = await m.counters(rf"{IDENTITY}\.update_success$")
        assert updates
        assert min(updates.values()) >= 25


async def test_a_new_root_takes_over_without_a_failed_request(folder: Path) -> None:
    old, new = Authority.in_memory(utc_now()), Authority.in_memory(utc_now())
    async with asyncio.timeout(60), meshed(folder, old) as m:
        await m.answers(spiffe_id(CALLER))
        async with load(m.front) as seen:
            for authority in (
                old.trusting(new.roots),
                replace(new, roots=(*old.roots, *new.roots)),
                new,
            ):
                m.identities.use(authority)
                m.identities.renew(utc_now())
                await m.acknowledged()
                await more_requests(seen, 50)
        assert set(seen) == {f"200 {spiffe_id(CALLER)}"}
        # The old one is not believed any more.
        m.identities.use(replace(old, roots=new.roots))
        m.identities.renew(utc_now())
        await m.acknowledged()
        assert (await get(m.front)).status == 503


async def test_a_proxy_keeps_its_identity_when_it_is_given_none(folder: Path) -> None:
    authority = Authority.in_memory(utc_now())
    async with asyncio.timeout(30), meshed(folder, authority) as m:
        await m.answers(spiffe_id(CALLER))
        whole = with_secrets(m.snapshots[CALLER], m.identities.secrets(CALLER))
        without = replace(whole, resources={**whole.resources, SECRET: {}})
        m.server.publish(CALLER, without)
        await m.acknowledged()
        # What a proxy has stays in use while its secrets are gone from the snapshot.
        assert (await get(m.front)).status == 200


@pytest.mark.parametrize("delta", [True, False], ids=["delta", "state"])
async def test_a_proxy_without_an_identity_waits_for_it_and_serves_the_rest(
    folder: Path, delta: bool
) -> None:
    authority = Authority.in_memory(utc_now())
    made = meshed(folder, authority, delta=delta, without=CALLEE)
    async with asyncio.timeout(30), made as m:
        await eventually(m.front.exists)
        assert (await get(m.front)).status == 503
        assert m.rejections == []
        m.publish([CALLEE])
        await m.answers(spiffe_id(CALLER))


async def test_no_key_is_in_what_envoy_shows(folder: Path) -> None:
    async with asyncio.timeout(30), meshed(folder, Authority.in_memory(utc_now())) as m:
        await m.answers(spiffe_id(CALLER))
        dump = await m.envoys[CALLER].admin("/config_dump?include_eds")
        assert IDENTITY in dump
        assert "PRIVATE KEY" not in dump
        key = secret_bytes(m.identities.secrets(CALLER)[0])
        assert key.decode().splitlines()[1] not in dump


async def more_requests(seen: Counter[str], count: int) -> None:
    before = seen.total()
    await eventually(lambda: seen.total() >= before + count)


async def _refused(front: Path) -> bool:
    return (await get(front)).status == 503
