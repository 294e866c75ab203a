"""Keys that sign: announced before, kept after, the same for several control planes."""

import json
from datetime import timedelta

import pytest

from pointsman.access.masterkey import MasterKey
from pointsman.errors import RefusedError
from pointsman.oauth.keys import LEAD, Keys
from pointsman.state.audit import read_audit
from tests.support.oauth import GUARD, SERVER, SETTINGS, Place, header_of, is_signed, place


async def kids(at: Place) -> set[str]:
    found = json.loads((await at.ask("GET", "/oauth2/jwks")).body)
    return {key["kid"] for key in found["keys"]}


async def signer(at: Place) -> str:
    kid: str = header_of((await at.token())[1]["access_token"])["kid"]
    return kid


async def test_a_key_is_announced_signs_checks_and_is_gone(at: Place) -> None:
    first = await signer(at)
    assert await kids(at) == {first}
    at.clock.go(days=30, seconds=-600)
    await at.follow()
    (second,) = await kids(at) - {first}
    assert await signer(at) == first
    at.clock.go(seconds=599)
    await at.follow()
    token = (await at.token())[1]["access_token"]
    assert header_of(token)["kid"] == first
    at.clock.go(seconds=2)
    await at.follow()
    assert await signer(at) == second
    assert await kids(at) == {first, second}
    assert await at.is_active(token)
    at.clock.go(seconds=600 + 120)
    await at.follow()
    assert await kids(at) == {second}
    await at.keys.rotate(at.server, "eve")
    assert first not in {row.id for row in await at.keys.list(SERVER)}


async def test_a_key_is_kept_for_the_longest_token_it_has_signed(at: Place) -> None:
    first = await signer(at)
    await at.serve(access_s=3_600)
    await at.serve(access_s=60)
    await at.keys.rotate(at.server, "eve")
    at.clock.go(seconds=601)
    await at.follow()
    assert await signer(at) != first
    at.clock.go(seconds=3_600)
    await at.follow()
    assert first in await kids(at)
    at.clock.go(seconds=120)
    await at.follow()
    assert first not in await kids(at)


async def test_a_key_is_rotated_by_hand_after_it_was_announced(at: Place) -> None:
    first = await signer(at)
    made = await at.keys.rotate(at.server, "eve")
    await at.follow()
    assert (await signer(at), await kids(at)) == (first, {first, made})
    with pytest.raises(RefusedError, match="the next key of"):
        await at.keys.rotate(at.server, "eve")
    assert [row.state for row in await at.keys.list(SERVER)] == ["announced", "signs"]
    at.clock.go(seconds=LEAD.total_seconds() + 1)
    await at.follow()
    assert await signer(at) == made
    assert [row.state for row in await at.keys.list(SERVER)] == ["signs", "checks"]
    entry = (await read_audit(at.database, limit=1))[0]
    assert (entry.actor, entry.action, entry.name) == ("eve", "rotate", SERVER.path)


async def test_a_compromised_key_is_gone_at_once_with_all_its_tokens(at: Place) -> None:
    token = (await at.token())[1]["access_token"]
    made = await at.keys.rotate(at.server, "eve", compromised=True)
    await at.follow()
    assert await kids(at) == {made}
    assert await signer(at) == made
    assert not await at.is_active(token)


async def test_two_control_planes_sign_as_one(url: str) -> None:
    async with place(url) as one, place(url) as other:
        other.master = one.master
        keys = Keys(other.database, one.master)
        await keys.refresh([SETTINGS])
        mine, theirs = one.keys.of(SERVER), keys.of(SERVER)
        assert mine is not None
        assert theirs is not None
        assert mine.text == theirs.text
        token = (await one.token())[1]["access_token"]
        assert is_signed(token, json.loads(theirs.text))
        assert await one.is_active(token, GUARD)


async def test_without_the_master_key_nothing_is_signed_and_what_was_is_good(url: str) -> None:
    async with place(url) as at:
        keys = Keys(at.database, MasterKey.in_memory())
        await keys.refresh([SETTINGS])
        (reason,) = keys.failures.values()
        assert "master key" in reason
        token = (await at.token())[1]["access_token"]
        before = await kids(at)
        at.oauth._keys = keys
        assert (await at.token())[0] == 503
        assert await kids(at) == before
        assert await at.is_active(token)


async def test_a_new_master_key_takes_over(url: str) -> None:
    old, new = ("old", b"o" * 32), ("new", b"n" * 32)
    async with place(url) as at:
        await Keys(at.database, MasterKey([old])).rotate(at.server, "eve", compromised=True)
        both = Keys(at.database, MasterKey([new, old]))
        assert await both.rewrap("eve") == 1
        assert await both.rewrap("eve") == 0
        alone = Keys(at.database, MasterKey([new]))
        await alone.refresh([SETTINGS])
        found = alone.of(SERVER)
        assert found is not None
        assert found.signing is not None
        assert not alone.failures


async def test_an_algorithm_is_changed_without_a_gap(at: Place) -> None:
    first = await signer(at)
    await at.serve(algorithm="RS256")
    at.clock.go(seconds=300)
    await at.follow()
    assert await signer(at) == first
    at.clock.go(seconds=301)
    await at.follow()
    assert header_of((await at.token())[1]["access_token"])["alg"] == "RS256"
    assert first in await kids(at)
    assert timedelta(seconds=600) == LEAD
