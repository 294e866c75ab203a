"""What can be done with tokens that were issued: RFC 7009 and 7662; and what is never kept."""

import base64
import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from pointsman.oauth.cleaning import clean
from pointsman.state.audit import read_audit
from tests.support.oauth import (
    API,
    GUARD,
    ISSUER,
    MACHINE,
    NATIVE,
    OTHER_API,
    STRANGER,
    WEB,
    Browser,
    Place,
    authorize,
    claims_of,
    place,
)


async def family(at: Place) -> dict[str, str]:
    found: dict[str, str] = (await at.redeem(await at.code()))[1]
    return found


async def test_whom_a_token_is_for_is_told_all_about_it(at: Place) -> None:
    token = (await family(at))["access_token"]
    _, found = await at.post("introspect", GUARD, token=token, token_type_hint="access_token")
    assert found == {"active": True, "token_type": "Bearer", **claims_of(token)}
    _, hinted_wrongly = await at.post(
        "introspect", GUARD, token=token, token_type_hint="refresh_token"
    )
    assert hinted_wrongly["active"]


async def test_to_strangers_no_token_is_one(at: Place) -> None:
    found = await family(at)
    assert not await at.is_active(found["access_token"], STRANGER)
    assert not await at.is_active(found["access_token"], MACHINE)
    assert await at.is_active(found["access_token"], WEB)
    for client in (GUARD, STRANGER):
        assert not await at.is_active(found["refresh_token"], client)
    assert await at.is_active(found["refresh_token"], WEB)
    other = (await at.token(resource=OTHER_API))[1]["access_token"]
    assert not await at.is_active(other)


async def test_who_has_no_secret_may_not_ask(at: Place) -> None:
    token = (await family(at))["access_token"]
    for form in ({}, {"client_id": NATIVE.path}, {"client_id": GUARD.path}):
        status, found = await at.post("introspect", None, token=token, **form)
        assert (status, found["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "pm_x", "..", "e30.e30.", "\x7f"])
async def test_what_is_no_token_is_not_active(at: Place, token: str) -> None:
    status, found = await at.post("introspect", GUARD, token=token)
    assert (status, found) == (200, {"active": False}) or found["error"] == "invalid_request"


async def test_signatures_of_others_count_for_nothing(at: Place) -> None:
    token = (await at.token())[1]["access_token"]
    claims, key_set = claims_of(token), json.loads((await at.ask("GET", "/oauth2/jwks")).body)
    kid = key_set["keys"][0]["kid"]
    assert await at.is_active(token)
    stranger = ECKey.generate_key("P-256", {"kid": kid}, private=True)
    public = OctKey.import_key(json.dumps(key_set["keys"][0]).encode(), {"kid": kid})
    header = {"kid": kid, "typ": "at+jwt"}
    forged = [
        jwt.encode({**header, "alg": "ES256"}, claims, stranger),
        # The public key taken for a secret: "algorithm confusion" (RFC 8725, section 2.1).
        jwt.encode({**header, "alg": "HS256"}, claims, public, algorithms=["HS256"]),
        _with_header(token, {**header, "alg": "none"}).rpartition(".")[0] + ".",
        _with_header(token, {**header, "alg": "ES256", "jwk": stranger.as_dict()}),
    ]
    for text in forged:
        assert not await at.is_active(text)


async def test_our_keys_sign_nothing_else_than_access_tokens_of_this_issuer(at: Place) -> None:
    keys = at.keys.of(at.server.key)
    assert keys is not None
    assert keys.signing is not None
    claims = claims_of((await at.token())[1]["access_token"])
    for typ, changed in (
        ("JWT", {}),
        ("at+jwt", {"iss": "https://other.example"}),
        ("at+jwt", {"exp": "tomorrow"}),
        ("at+jwt", {"exp": claims["iat"] - 1}),
    ):
        text = jwt.encode({"alg": "ES256", "typ": typ}, {**claims, **changed}, keys.signing)
        assert not await at.is_active(text)
    assert claims["iss"] == ISSUER


def _with_header(token: str, header: dict[str, object]) -> str:
    made = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return f"{made}.{token.partition('.')[2]}"


async def test_an_access_token_is_revoked_alone(at: Place) -> None:
    found = await family(at)
    for _ in range(2):
        assert await at.post("revoke", WEB, token=found["access_token"]) == (200, {})
    assert not await at.is_active(found["access_token"])
    assert (await at.refresh(found["refresh_token"]))[0] == 200


async def test_a_refresh_token_is_revoked_with_all_of_its_family(at: Place) -> None:
    found = await family(at)
    assert await at.post("revoke", WEB, token=found["refresh_token"]) == (200, {})
    assert not await at.is_active(found["access_token"])
    assert (await at.refresh(found["refresh_token"]))[1]["error"] == "invalid_grant"
    assert not await at.is_active(found["refresh_token"], WEB)


async def test_tokens_of_others_are_not_revoked(at: Place) -> None:
    found = await family(at)
    for token in (found["access_token"], found["refresh_token"]):
        status, answer = await at.post("revoke", STRANGER, token=token)
        assert (status, answer["error"]) == (400, "invalid_grant")
        status, answer = await at.post("revoke", None, token=token, client_id=NATIVE.path)
        assert (status, answer["error"]) == (400, "invalid_grant")
        status, answer = await at.post("revoke", None, token=token, client_id=WEB.path)
        assert (status, answer["error"]) == (401, "invalid_client")
    assert await at.is_active(found["access_token"])


async def test_what_is_no_token_is_revoked_gladly(at: Place) -> None:
    assert await at.post("revoke", WEB, token="nothing") == (200, {})
    assert (await at.post("revoke", WEB))[1]["error"] == "invalid_request"


async def test_nothing_that_opens_doors_is_in_the_database_or_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "state.db"
    browser = Browser()
    async with place(f"sqlite:///{path}") as at:
        code = (await at.consent(authorize(), browser=browser))["code"]
        found = (await at.redeem(code))[1]
        keys = at.keys.of(at.server.key)
        assert keys is not None
        assert keys.signing is not None
        private = keys.signing.as_dict(private=True)["keys"][0]["d"]
        told = f"{await read_audit(at.database)} {at.keys} {keys!r} {at.oauth}"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        dumped = "\n".join(connection.iterdump())
    hidden = (code, found["refresh_token"], found["access_token"], private, at.password)
    for secret in (*hidden, *at.secrets.values(), *browser.cookies.values()):
        assert secret not in dumped
        assert secret.encode().hex() not in dumped.lower()
        assert secret.encode() not in path.read_bytes()
        assert secret not in told
        assert secret not in caplog.text


async def test_what_is_over_is_cleaned_away(at: Place) -> None:
    found = await family(at)
    await at.post("revoke", WEB, token=found["access_token"])
    assert await clean(at.database) == 0
    at.clock.go(days=32)
    # The grant, two refresh tokens at most, the revoked token, the session.
    assert await clean(at.database) == 4
    assert not await at.is_active(found["access_token"])
    assert API in at.server.audiences
