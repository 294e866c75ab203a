"""Tokens by client credentials, and how all access tokens look: RFC 6749, 8707, 9068."""

import json
from typing import Any

import pytest

from pointsman.access.secrets import Secret
from tests.support.oauth import (
    API,
    ISSUER,
    MACHINE,
    NATIVE,
    OTHER_API,
    STRANGER,
    WEB,
    Place,
    claims_of,
    header_of,
    is_signed,
)


async def key_set(at: Place) -> dict[str, object]:
    found: dict[str, object] = json.loads((await at.ask("GET", "/oauth2/jwks")).body)
    return found


async def test_a_machine_gets_a_token_of_rfc_9068(at: Place) -> None:
    status, found = await at.token(scope="read")
    assert status == 200
    assert {k: v for k, v in found.items() if k != "access_token"} == {
        "token_type": "Bearer",
        "expires_in": 600,
        "scope": "read",
    }
    token = found["access_token"]
    claims = claims_of(token)
    now = int(at.clock.now.timestamp())
    assert len(claims.pop("jti")) >= 16
    assert claims == {
        "iss": ISSUER,
        "sub": "shop/machine",
        "client_id": "shop/machine",
        "aud": API,
        "scope": "read",
        "groups": ["gold"],
        "iat": now,
        "exp": now + 600,
    }
    header = header_of(token)
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert is_signed(token, await key_set(at))


async def test_rs256_is_there_for_who_needs_it(at: Place) -> None:
    # The key of the other algorithm has signed until now; the new one is announced first.
    await at.serve(algorithm="RS256")
    assert header_of((await at.token())[1]["access_token"])["alg"] == "ES256"
    at.clock.go(seconds=601)
    await at.follow()
    token = (await at.token())[1]["access_token"]
    assert header_of(token)["alg"] == "RS256"
    assert is_signed(token, await key_set(at))


async def test_the_secret_may_be_in_the_body(at: Place) -> None:
    form = {"client_id": MACHINE.path, "client_secret": at.secrets[MACHINE]}
    assert (await at.token(None, **form))[0] == 200


async def test_secrets_are_rotated_without_another_client_id(at: Place) -> None:
    made = await at.credentials.issue(MACHINE, "client", "eve")
    for secret in (at.secrets[MACHINE], made.secret.text):
        form = {"client_id": MACHINE.path, "client_secret": secret}
        assert (await at.token(None, **form))[0] == 200
    await at.credentials.revoke(made.credential.id, "eve")
    form = {"client_id": MACHINE.path, "client_secret": made.secret.text}
    assert (await at.token(None, **form))[1]["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "read admin"}, "invalid_scope"),
        ({"scope": 'read "x'}, "invalid_scope"),
        ({"resource": "https://evil.example.com"}, "invalid_target"),
        ({"resource": [API, OTHER_API]}, "invalid_target"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": 'x"y'}, "invalid_request"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, "invalid_request"),
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"scope": "re\x00ad"}, "invalid_request"),
        ({"client_secret": "x"}, "invalid_request"),
    ],
)
async def test_what_is_asked_for_wrongly_is_refused(
    at: Place, form: dict[str, Any], error: str
) -> None:
    status, found = await at.token(**form)
    assert (status, found["error"]) == (400, error)


async def test_a_resource_chooses_the_audience(at: Place) -> None:
    _, found = await at.token(resource=OTHER_API)
    assert claims_of(found["access_token"])["aud"] == OTHER_API
    assert (await at.token(STRANGER, resource=API))[1]["error"] == "invalid_target"


async def test_without_scopes_a_client_gets_all_of_its_own(at: Place) -> None:
    assert (await at.token())[1]["scope"] == "read write"


@pytest.mark.parametrize("secret", ["wrong", "", "pm_" + "0" * 49])
async def test_a_wrong_secret_is_told_by_401(at: Place, secret: str) -> None:
    form = {"grant_type": "client_credentials"}
    headers = at.basic(MACHINE, secret or " ")
    answer = await at.ask("POST", "/oauth2/token", form, headers)
    assert answer.status == 401
    assert json.loads(answer.body)["error"] == "invalid_client"
    assert dict(answer.headers)["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "authorization",
    ["Basic", "Basic ?", "Basic " + "gICA", "Basic Og==", "Bearer x", "Basic w7xiZXI6w7xiZXI="],
)
async def test_what_is_no_credential_proves_nothing(at: Place, authorization: str) -> None:
    form = {"grant_type": "client_credentials"}
    headers = {"authorization": authorization}
    answer = await at.ask("POST", "/oauth2/token", form, headers)
    assert (answer.status, json.loads(answer.body)["error"]) == (401, "invalid_client")


async def test_secrets_of_others_and_of_other_kinds_prove_nothing(at: Place) -> None:
    key = await at.credentials.issue(MACHINE, "key", "eve")
    for secret in (at.secrets[WEB], key.secret.text, at.password):
        form = {"client_id": MACHINE.path, "client_secret": secret}
        assert (await at.token(None, **form))[1]["error"] == "invalid_client"


async def test_who_has_no_secret_gets_no_token_for_itself(at: Place) -> None:
    _, found = await at.token(None, client_id=NATIVE.path)
    assert found["error"] == "invalid_client"
    _, found = await at.token(None, client_id=MACHINE.path)
    assert found["error"] == "invalid_client"
    _, found = await at.token(WEB)
    assert found["error"] == "unauthorized_client"


async def test_secrets_in_the_address_are_refused(at: Place) -> None:
    query = f"client_id={MACHINE.path}&client_secret={at.secrets[MACHINE]}"
    answer = await at.ask("POST", f"/oauth2/token?{query}", {"grant_type": "client_credentials"})
    assert (answer.status, json.loads(answer.body)["error"]) == (400, "invalid_request")
    assert at.secrets[MACHINE] not in answer.body


async def test_a_body_that_is_no_form_is_refused(at: Place) -> None:
    headers = {**at.basic(MACHINE), "content-type": "application/json"}
    answer = await at.ask("POST", "/oauth2/token", {"grant_type": "client_credentials"}, headers)
    assert (answer.status, json.loads(answer.body)["error"]) == (400, "invalid_request")


async def test_a_consumer_that_is_gone_is_no_client(at: Place) -> None:
    del at.consumers[MACHINE]
    await at.follow()
    assert (await at.token())[1]["error"] == "invalid_client"


@pytest.mark.parametrize("endpoint", ["token", "revoke", "introspect"])
async def test_what_is_posted_cannot_be_got(at: Place, endpoint: str) -> None:
    answer = await at.ask("GET", f"/oauth2/{endpoint}")
    assert answer.status == 405
    assert dict(answer.headers)["allow"] == "POST"


async def test_an_expired_secret_proves_nothing(at: Place) -> None:
    made = await at.credentials.issue(
        MACHINE, "client", "eve", expires_at=at.clock.now.replace(hour=13)
    )
    form = {"client_id": MACHINE.path, "client_secret": made.secret.text}
    assert (await at.token(None, **form))[0] == 200
    at.clock.go(hours=2)
    assert (await at.token(None, **form))[1]["error"] == "invalid_client"


def test_secrets_are_not_shown() -> None:
    assert "pm_" not in repr(Secret("pm_x"))
