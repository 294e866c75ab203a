"""What can be read without asking, and by which pages: RFC 8414, 9207, CORS."""

import json
from typing import NoReturn

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from pointsman.errors import StateError
from pointsman.oauth.ask import Ask
from tests.support.oauth import (
    ISSUER,
    MACHINE,
    NATIVE,
    SERVER,
    Place,
    authorize,
)

WELL_KNOWN = "/.well-known/oauth-authorization-server/shop"


async def read(at: Place, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    answer = await at.oauth.answer(SERVER.path, Ask("GET", path, "", headers))
    return answer.status, dict(answer.headers), answer.body


async def test_metadata_is_what_rfc_8414_wants(at: Place) -> None:
    status, headers, body = await read(at, WELL_KNOWN)
    assert status == 200
    found = json.loads(body)
    AuthorizationServerMetadata(found).validate()
    assert found["issuer"] == ISSUER
    assert found["authorization_endpoint"] == f"{ISSUER}/oauth2/authorize"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["response_types_supported"] == ["code"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert set(found["grant_types_supported"]) == {
        "client_credentials",
        "authorization_code",
        "refresh_token",
    }
    assert headers["cache-control"] == "public, max-age=300"
    assert headers["access-control-allow-origin"] == "*"


async def test_every_endpoint_it_names_is_there(at: Place) -> None:
    found = json.loads((await read(at, WELL_KNOWN))[2])
    for name, url in found.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            path = url.removeprefix("https://login.example.com/shop")
            assert (await at.ask("OPTIONS", path)).status == 204
    assert (await at.ask("GET", "/oauth2/elsewhere")).status == 503


async def test_pages_of_public_clients_may_read_tokens_and_no_others(at: Place) -> None:
    changed = [
        client
        if client.consumer != NATIVE
        else type(client)(
            NATIVE,
            client.grants,
            ("https://spa.example.com/cb",),
            client.scopes,
            public=True,
            audiences=client.audiences,
        )
        for client in at.server.clients
    ]
    await at.serve(clients=tuple(changed))
    form = {"grant_type": "client_credentials"}
    for origin, allowed in (
        ("https://spa.example.com", True),
        ("https://app.example.com", False),
        ("https://evil.example.com", False),
        ("null", False),
    ):
        headers = {**at.basic(MACHINE), "origin": origin}
        answer = await at.ask("POST", "/oauth2/token", form, headers)
        found = dict(answer.headers).get("access-control-allow-origin")
        assert found == (origin if allowed else None)
        assert dict(answer.headers)["vary"] == "origin"
        assert "access-control-allow-credentials" not in dict(answer.headers)
        asked = await at.ask("OPTIONS", "/oauth2/token", None, {"origin": origin})
        assert ("access-control-allow-methods" in dict(asked.headers)) == allowed


@pytest.mark.parametrize("path", ["/oauth2/authorize", "/oauth2/login", "/oauth2/introspect"])
async def test_no_page_reads_what_people_see(at: Place, path: str) -> None:
    headers = {"origin": "http://127.0.0.1"}
    target = authorize().replace("/oauth2/authorize", path)
    method = "POST" if path.endswith("introspect") else "GET"
    answer = await at.ask(method, target, None, headers)
    assert "access-control-allow-origin" not in dict(answer.headers)


async def test_while_the_database_fails_keys_are_told_and_nothing_is_issued(
    at: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> NoReturn:
        raise StateError("the database fails: disk I/O error")

    for name in ("reading", "recording", "changing"):
        monkeypatch.setattr(at.database, name, fails)
    for path in (WELL_KNOWN, "/shop/oauth2/jwks"):
        assert (await read(at, path))[0] == 200
    for status, found in (
        await at.token(),
        await at.redeem("code"),
        await at.refresh("token"),
        await at.post("introspect", MACHINE, token="x"),
        await at.post("revoke", MACHINE, token="x"),
    ):
        assert (status, found["error"]) == (503, "temporarily_unavailable")
        assert "disk" not in found["error_description"]
    page = await at.ask("GET", authorize())
    assert (page.status, "just now" in page.body) == (503, True)


async def test_a_server_that_nobody_knows_is_away(at: Place) -> None:
    answer = await at.oauth.answer("shop/other", Ask("GET", WELL_KNOWN))
    assert (answer.status, dict(answer.headers)["retry-after"]) == (503, "1")
