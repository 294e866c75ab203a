"""Credentials: issued, found again, rotated, revoked, and of no use without the master key."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from pointsman.access.consumers import Consumers, as_manifests
from pointsman.access.credential import Credential
from pointsman.access.credentials import Credentials
from pointsman.access.live import LiveCredentials
from pointsman.access.masterkey import MasterKey, read_master_key
from pointsman.access.proof import proves_client
from pointsman.access.secrets import Secret, imported, is_mistyped, new_secret
from pointsman.errors import RefusedError, StateError
from pointsman.resources.decode import decode
from pointsman.resources.key import Key
from pointsman.state.audit import read_audit
from pointsman.state.database import Database
from tests.support.state import HandClock

ACME = Key("Consumer", "shop", "acme")
GLOBEX = Key("Consumer", "shop", "globex")


@dataclass
class Kept:
    clock: HandClock
    database: Database
    credentials: Credentials
    consumers: Consumers
    master: MasterKey


@pytest.fixture
async def kept(url: str) -> AsyncIterator[Kept]:
    clock = HandClock()
    async with Database(url, clock) as database:
        master = MasterKey.in_memory()
        credentials = Credentials(database, master)
        yield Kept(clock, database, credentials, Consumers(database, credentials), master)


async def active(kept: Kept) -> dict[str, str]:
    """Secrets that are good, by id."""
    live = LiveCredentials(kept.credentials)
    await live.refresh()
    return {item.id: item.secret.text for item in live.active(kept.clock.now)}


async def test_an_issued_key_is_good_and_found_by_its_secret(kept: Kept) -> None:
    issued = await kept.credentials.issue(ACME, "key", "eve", label="first")
    assert await active(kept) == {issued.credential.id: issued.secret.text}
    assert await kept.credentials.recognise("key", issued.secret) == issued.credential
    assert await kept.credentials.recognise("password", issued.secret) is None
    assert await kept.credentials.get(issued.credential.id) == issued.credential
    assert issued.secret.text.startswith(issued.credential.prefix)


async def test_a_key_ends_at_its_time_and_not_before(kept: Kept) -> None:
    ends = kept.clock.now + timedelta(days=30)
    issued = await kept.credentials.issue(ACME, "key", "eve", expires_at=ends)
    live = LiveCredentials(kept.credentials)
    assert await live.refresh()
    assert live.next_expiry(kept.clock.now) == ends
    kept.clock.go(days=30, microseconds=-1)
    assert await active(kept)
    kept.clock.go(microseconds=1)
    assert await active(kept) == {}
    assert list(live.active(kept.clock.now)) == []
    assert live.next_expiry(kept.clock.now) is None
    assert issued.credential.state(kept.clock.now) == "expired"
    with pytest.raises(RefusedError, match="would have ended"):
        await kept.credentials.issue(ACME, "key", "eve", expires_at=kept.clock.now)


async def test_a_rotated_key_stays_good_for_the_overlap(kept: Kept) -> None:
    old = await kept.credentials.issue(ACME, "key", "eve", label="app")
    new = await kept.credentials.rotate(old.credential.id, "eve", overlap=timedelta(hours=1))
    assert (new.credential.replaces, new.credential.label) == (old.credential.id, "app")
    assert len(await active(kept)) == 2
    kept.clock.go(hours=1)
    assert await active(kept) == {new.credential.id: new.secret.text}
    with pytest.raises(RefusedError, match="is expired"):
        await kept.credentials.rotate(old.credential.id, "eve", overlap=timedelta(hours=1))


async def test_rotation_does_not_make_a_key_last_longer(kept: Kept) -> None:
    ends = kept.clock.now + timedelta(minutes=5)
    old = await kept.credentials.issue(ACME, "key", "eve", expires_at=ends)
    await kept.credentials.rotate(old.credential.id, "eve", overlap=timedelta(hours=1))
    assert (await kept.credentials.get(old.credential.id)).expires_at == ends


async def test_two_rotations_at_once_both_happen(kept: Kept) -> None:
    old = await kept.credentials.issue(ACME, "key", "eve")
    overlap = timedelta(hours=1)
    made = await asyncio.gather(
        *(kept.credentials.rotate(old.credential.id, "eve", overlap=overlap) for _ in range(2))
    )
    assert len({item.secret.text for item in made}) == 2
    assert len(await active(kept)) == 3


async def test_a_revoked_key_is_gone_and_revoking_again_changes_nothing(kept: Kept) -> None:
    issued = await kept.credentials.issue(ACME, "key", "eve")
    first = await kept.credentials.revoke(issued.credential.id, "eve")
    kept.clock.go(hours=1)
    assert await kept.credentials.revoke(issued.credential.id, "bob") == first
    assert await active(kept) == {}
    with pytest.raises(RefusedError, match="no credential k_none"):
        await kept.credentials.revoke("k_none", "eve")


async def test_keys_made_elsewhere_are_taken_once(kept: Kept) -> None:
    secret = imported("x" * 24)
    await kept.credentials.issue(ACME, "key", "eve", secret=secret)
    with pytest.raises(RefusedError, match="that of another credential"):
        await kept.credentials.issue(GLOBEX, "key", "eve", secret=secret)
    await kept.credentials.issue(GLOBEX, "password", "eve", secret=secret)


@pytest.mark.parametrize("text", ["short", "with space in the middle of it", "ü" * 30, "a\n" * 20])
def test_what_is_no_secret_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        imported(text)


async def test_lists_go_by_consumer_kind_state_and_page(kept: Kept) -> None:
    for consumer in (ACME, GLOBEX):
        for _ in range(3):
            await kept.credentials.issue(consumer, "key", "eve")
        await kept.credentials.issue(consumer, "password", "eve")
    everything = await kept.credentials.list()
    pages: list[Credential] = []
    after = ""
    while page := await kept.credentials.list(after=after, limit=3):
        pages += page
        after = page[-1].id
    assert tuple(pages) == everything
    assert len(everything) == 8
    mine = await kept.credentials.list(consumer=ACME, kind="key")
    assert {item.consumer for item in mine} == {ACME}
    await kept.credentials.revoke(mine[0].id, "eve")
    assert await kept.credentials.list(consumer=ACME, kind="key", state="active") == mine[1:]
    assert [item.id for item in await kept.credentials.list(state="revoked")] == [mine[0].id]


async def test_a_client_proves_itself_by_secrets_of_its_own_only(kept: Kept) -> None:
    mine = await kept.credentials.issue(ACME, "client", "eve")
    other = await kept.credentials.issue(GLOBEX, "client", "eve")
    key = await kept.credentials.issue(ACME, "key", "eve")

    async def proves(consumer: Key, secret: Secret) -> bool:
        def ask(connection: sa.Connection) -> bool:
            now = kept.database.clock()
            return proves_client(connection, kept.master, consumer, secret.text, now)

        async with kept.database.reading() as connection:
            return await connection.run_sync(ask)

    assert await proves(ACME, mine.secret)
    assert not await proves(ACME, other.secret)
    assert not await proves(ACME, key.secret)
    assert not await proves(ACME, Secret("guess"))
    assert not await proves(Key("Consumer", "shop", "nobody"), mine.secret)
    await kept.credentials.revoke(mine.credential.id, "eve")
    assert not await proves(ACME, mine.secret)
    assert [*await active(kept)] == [key.credential.id]


async def test_secrets_are_in_no_text_and_not_in_the_database(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with Database(f"sqlite:///{path}") as database:
        credentials = Credentials(database, MasterKey.in_memory())
        issued = [
            await credentials.issue(ACME, "key", "eve"),
            await credentials.issue(ACME, "password", "eve"),
            await credentials.issue(ACME, "client", "eve"),
        ]
        shown = f"{issued} {await credentials.opened()} {await read_audit(database)}"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        dumped = "\n".join(connection.iterdump())
    for item in issued:
        assert item.secret.text not in shown
        assert item.secret.text.encode() not in path.read_bytes()
        assert item.secret.text not in dumped


async def test_without_their_master_key_secrets_stay_closed_and_others_open(url: str) -> None:
    first, second = MasterKey.in_memory(), MasterKey.in_memory()
    async with Database(url) as database:
        lost = await Credentials(database, first).issue(ACME, "key", "eve")
        good = await Credentials(database, second).issue(ACME, "key", "eve")
        opened = await Credentials(database, second).opened()
    assert [item.id for item in opened.active] == [good.credential.id]
    ((failed, reason),) = opened.failures
    assert failed == lost.credential.id
    assert first.id in reason


async def test_a_new_master_key_takes_over(url: str) -> None:
    old, new = ("old", b"o" * 32), ("new", b"n" * 32)
    async with Database(url) as database:
        issued = await Credentials(database, MasterKey([old])).issue(ACME, "key", "eve")
        both = Credentials(database, MasterKey([new, old]))
        assert await both.recognise("key", issued.secret) == issued.credential
        assert await both.rewrap("eve") == 1
        alone = Credentials(database, MasterKey([new]))
        assert await alone.recognise("key", issued.secret) == issued.credential
        assert [item.secret for item in (await alone.opened()).active] == [issued.secret]


def test_a_master_key_is_made_once_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master"
    made = read_master_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    sealed = made.close("secret", "name")
    assert read_master_key(path).open(sealed, "name", made.id) == "secret"
    with pytest.raises(StateError, match="cannot be opened"):
        made.open(sealed, "other name", made.id)
    path.chmod(0o640)
    with pytest.raises(StateError, match="others can read"):
        read_master_key(path)


@pytest.mark.parametrize("text", ["", "a:b", "a", "a:AAAA", ":" + "A" * 44])
def test_what_is_no_master_key_is_told_by_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "master"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(StateError, match="no master key"):
        read_master_key(path)


@given(st.integers(0, 51), st.characters(min_codepoint=33, max_codepoint=126))
def test_a_slip_of_the_pen_is_told_from_a_revoked_key(place: int, character: str) -> None:
    secret = new_secret().text
    changed = secret[:place] + character + secret[place + 1 :]
    assert not is_mistyped(secret)
    if place >= 3 and changed != secret:
        assert is_mistyped(changed)


async def test_consumers_are_kept_changed_and_read_like_manifests(kept: Kept) -> None:
    await kept.consumers.create(ACME, {"groups": ["gold"]}, "eve")
    with pytest.raises(RefusedError, match="is there already"):
        await kept.consumers.create(ACME, {}, "eve")
    kept.clock.go(hours=1)
    changed = await kept.consumers.replace(ACME, {"groups": ["silver"]}, "eve", version=1)
    assert (changed.version, changed.changed_at) == (2, kept.clock.now)
    with pytest.raises(RefusedError, match="at version 2, not 1"):
        await kept.consumers.replace(ACME, {}, "eve", version=1)
    text = as_manifests(await kept.consumers.all())
    (resource,) = decode(text).resources
    assert (resource.key, resource.spec.groups) == (ACME, ("silver",))
    assert [entry.action for entry in await read_audit(kept.database)] == ["replace", "create"]


async def test_a_consumer_goes_with_its_credentials(kept: Kept) -> None:
    await kept.consumers.create(ACME, {}, "eve")
    await kept.credentials.issue(ACME, "key", "eve")
    other = await kept.credentials.issue(GLOBEX, "key", "eve")
    assert await kept.consumers.delete(ACME, "eve") == 1
    assert list(await active(kept)) == [other.credential.id]
    assert await kept.consumers.get(ACME) is None
    with pytest.raises(RefusedError, match="not kept here"):
        await kept.consumers.delete(ACME, "eve")


async def test_only_what_has_changed_is_read_again(kept: Kept) -> None:
    live = LiveCredentials(kept.credentials)
    first = await kept.credentials.issue(ACME, "key", "eve")
    assert await live.refresh()
    assert not await live.refresh()
    second = await kept.credentials.rotate(first.credential.id, "eve", overlap=timedelta(hours=1))
    await kept.consumers.create(ACME, {}, "eve")
    assert await live.refresh()
    assert len(list(live.active(kept.clock.now))) == 2
    await kept.consumers.delete(ACME, "eve")
    assert await live.refresh()
    assert list(live.active(kept.clock.now)) == []
    assert second.credential.replaces == first.credential.id
