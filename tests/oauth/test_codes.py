"""Codes, PKCE, redirects and refresh tokens: RFC 6749, 7636, 8252, 8707, 9207, 9700."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pointsman.graph.model.access import Consumer
from pointsman.state.audit import read_audit
from tests.support.oauth import (
    ALICE,
    API,
    CALLBACK,
    CLIENTS,
    ISSUER,
    MACHINE,
    NATIVE,
    OTHER_API,
    STRANGER,
    VERIFIER,
    WEB,
    Browser,
    Place,
    authorize,
    claims_of,
    relative,
    s256,
    told,
)


async def tokens(at: Place, **more: Any) -> dict[str, str]:
    status, found = await at.redeem(await at.code(**more))
    assert status == 200
    answer: dict[str, str] = found
    return answer


async def refused(at: Place, url: str) -> dict[str, str]:
    """What a client is told of a request that is not good, before anybody is asked."""
    answer = await at.ask("GET", url)
    assert answer.status == 303
    assert answer.location is not None
    assert answer.location.startswith("https://app.example.com/callback?tenant=1&")
    return told(answer)


async def test_a_person_consents_and_the_client_acts_for_them(at: Place) -> None:
    found = await at.consent(authorize(scope="read"))
    assert found["state"] == "xyz"
    assert found["iss"] == ISSUER
    assert found["tenant"] == "1"
    status, answer = await at.redeem(found["code"])
    assert status == 200
    assert answer["scope"] == "read"
    claims = claims_of(answer["access_token"])
    assert (claims["sub"], claims["client_id"]) == ("shop/alice", "shop/web")
    assert (claims["aud"], claims["groups"]) == (API, ["staff"])


async def test_a_native_client_has_any_port_and_no_secret(at: Place) -> None:
    uri = "http://127.0.0.1:51234/cb"
    code = await at.code(NATIVE, redirect_uri=uri)
    status, _ = await at.redeem(code, None, redirect_uri=uri, client_id=NATIVE.path)
    assert status == 200
    assert await at.code(NATIVE, redirect_uri="http://[::1]:9999/cb")


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain", "code_challenge": VERIFIER}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"resource": "https://evil.example.com"}, "invalid_target"),
        ({"resource": OTHER_API}, "invalid_target"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
    ],
)
async def test_what_is_wrong_is_told_to_the_client_with_state_and_issuer(
    at: Place, more: dict[str, Any], error: str
) -> None:
    found = await refused(at, authorize(**more))
    assert (found["error"], found["state"], found["iss"]) == (error, "xyz", ISSUER)
    assert "code" not in found


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "https://evil.example.com/callback?tenant=1",
        "https://app.example.com/callback",
        "https://app.example.com/callback?tenant=1&x",
        "https://app.example.com/callback?tenant=1#x",
        "https://app.example.com/callback/?tenant=1",
        "https://app.example.com/Callback?tenant=1",
        "https://app.example.com/a/../callback?tenant=1",
        "https://app.example.com:443/callback?tenant=1",
        "https://app.example.com.evil.example/callback?tenant=1",
        "https://app.example.com@evil.example/callback?tenant=1",
        "http://app.example.com/callback?tenant=1",
        "//app.example.com/callback?tenant=1",
        "javascript:alert(1)",
        'https://app.example.com/"><script>',
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_not_registered(
    at: Place, uri: str | None
) -> None:
    every: tuple[dict[str, Any], ...] = (
        {},
        {"response_type": "token"},
        {"scope": "admin"},
        {"code_challenge": None},
    )
    for more in every:
        answer = await at.ask("GET", authorize(redirect_uri=uri, **more))
        assert answer.status == 400
        assert answer.location is None
        assert "<script" not in answer.body


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:1/cb/",
        "http://127.0.0.1:1/cb?x",
        "http://127.0.0.1:999999/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:1@evil.example/cb",
        "http://localhost:1/cb",
        "http://127.0.0.2/cb",
        "https://127.0.0.1/cb",
        "http://[::1]/other",
    ],
)
async def test_only_the_port_on_loopback_may_be_another(at: Place, uri: str) -> None:
    assert (await at.ask("GET", authorize(NATIVE, redirect_uri=uri))).status == 400


@pytest.mark.parametrize("client", ["nobody/none", "shop/alice", "", "x" * 500, "a/b/c"])
async def test_nobody_is_sent_anywhere_for_a_client_that_is_none(at: Place, client: str) -> None:
    answer = await at.ask("GET", authorize(client_id=client))
    assert (answer.status, answer.location) == (400, None)


async def test_a_parameter_twice_is_refused(at: Place) -> None:
    answer = await at.ask("GET", authorize() + "&state=other")
    assert (answer.status, answer.location) == (400, None)


async def test_a_client_without_codes_gets_none(at: Place) -> None:
    answer = await at.ask("GET", authorize(MACHINE))
    assert (answer.status, answer.location) == (400, None)


async def test_who_denies_is_denied(at: Place) -> None:
    found = await at.consent(authorize(), "deny")
    assert (found["error"], found["state"], found["iss"]) == ("access_denied", "xyz", ISSUER)


@pytest.mark.parametrize(
    "more",
    [
        {"code_verifier": None},
        {"code_verifier": "x" * 43},
        {"code_verifier": s256(VERIFIER)},
        {"redirect_uri": None},
        {"redirect_uri": "https://app.example.com/callback"},
        {"code": "guess"},
        {"resource": OTHER_API},
    ],
)
async def test_a_code_without_what_it_was_asked_for_with_is_refused(
    at: Place, more: dict[str, Any]
) -> None:
    code = await at.code()
    status, found = await at.redeem(**{"code": code, **more})
    assert status == 400
    assert found["error"] in ("invalid_grant", "invalid_request", "invalid_target")
    assert "access_token" not in found


async def test_a_code_is_its_clients_alone(at: Place) -> None:
    code = await at.code()
    assert (await at.redeem(code, STRANGER))[1]["error"] == "invalid_grant"
    public = await at.redeem(code, None, client_id=NATIVE.path)
    assert public[1]["error"] == "invalid_grant"
    unproven = await at.redeem(code, None, client_id=WEB.path)
    assert unproven[1]["error"] == "invalid_client"
    assert (await at.redeem(code))[0] == 200


async def test_a_code_is_over_after_a_minute(at: Place) -> None:
    code = await at.code()
    at.clock.go(seconds=61)
    assert (await at.redeem(code))[1]["error"] == "invalid_grant"


async def test_a_code_used_twice_ends_all_that_came_of_it(at: Place) -> None:
    code = await at.code()
    _, first = await at.redeem(code)
    assert await at.is_active(first["access_token"])
    assert (await at.redeem(code))[1]["error"] == "invalid_grant"
    assert not await at.is_active(first["access_token"])
    assert (await at.refresh(first["refresh_token"]))[1]["error"] == "invalid_grant"
    entry = (await read_audit(at.database, limit=1))[0]
    assert (entry.action, entry.kind, entry.actor) == ("revoke", "grant", "client:shop/web")
    assert entry.detail["reason"] == "the code was used twice"


async def test_a_refresh_token_is_used_once_and_its_family_goes_on(at: Place) -> None:
    first = await tokens(at)
    at.clock.go(minutes=10)
    status, second = await at.refresh(first["refresh_token"])
    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert await at.is_active(second["access_token"])
    assert not await at.is_active(first["access_token"])  # its time is over
    assert (await at.refresh(second["refresh_token"]))[0] == 200


async def test_a_refresh_token_used_twice_ends_its_family(at: Place) -> None:
    first = await tokens(at)
    _, second = await at.refresh(first["refresh_token"])
    assert (await at.refresh(first["refresh_token"]))[1]["error"] == "invalid_grant"
    assert (await at.refresh(second["refresh_token"]))[1]["error"] == "invalid_grant"
    assert not await at.is_active(second["access_token"])


async def test_a_refresh_token_is_its_clients_alone(at: Place) -> None:
    first = await tokens(at)
    assert (await at.refresh(first["refresh_token"], STRANGER))[1]["error"] == "invalid_grant"
    found = await at.refresh(first["refresh_token"], None, client_id=WEB.path)
    assert found[1]["error"] == "invalid_client"
    assert (await at.refresh(first["refresh_token"]))[0] == 200


async def test_scopes_shrink_on_refresh_and_never_grow(at: Place) -> None:
    first = await tokens(at, scope="read")
    token = first["refresh_token"]
    assert (await at.refresh(token, scope="read write"))[1]["error"] == "invalid_scope"
    assert (await at.refresh(token, resource=OTHER_API))[1]["error"] == "invalid_target"
    _, second = await at.refresh(token, scope="read")
    assert second["scope"] == "read"
    assert (await at.refresh(second["refresh_token"]))[1]["scope"] == "read"


async def test_scopes_that_a_client_loses_are_lost_on_refresh(at: Place) -> None:
    token = (await tokens(at, scope="read"))["refresh_token"]
    changed = [
        client
        if client.consumer != WEB
        else type(client)(WEB, client.grants, client.redirects, ("write",), (API,))
        for client in CLIENTS
    ]
    await at.serve(clients=tuple(changed))
    assert (await at.refresh(token))[1]["error"] == "invalid_scope"


async def test_a_narrow_token_does_not_narrow_the_next(at: Place) -> None:
    first = await tokens(at)
    _, narrow = await at.refresh(first["refresh_token"], scope="read")
    assert narrow["scope"] == "read"
    assert (await at.refresh(narrow["refresh_token"]))[1]["scope"] == "read write"


async def test_refresh_tokens_end_unused_and_after_all(at: Place) -> None:
    idle = (await tokens(at))["refresh_token"]
    at.clock.go(days=7, seconds=1)
    assert (await at.refresh(idle))[1]["error"] == "invalid_grant"
    token = (await tokens(at))["refresh_token"]
    for _ in range(5):
        at.clock.go(days=5)
        status, found = await at.refresh(token)
        assert status == 200
        token = found["refresh_token"]
    at.clock.go(days=5, seconds=1)
    assert (await at.refresh(token))[1]["error"] == "invalid_grant"


async def test_who_is_gone_is_not_acted_for(at: Place) -> None:
    token = (await tokens(at))["refresh_token"]
    code = await at.code()
    del at.consumers[ALICE]
    await at.follow()
    assert (await at.redeem(code))[0] == 400
    assert (await at.refresh(token))[0] == 400
    at.consumers[ALICE] = Consumer(ALICE)


async def test_the_page_tells_who_wants_what_and_no_page_may_frame_it(at: Place) -> None:
    browser = Browser()
    page = await at.log_in(browser, authorize(scope="read"))
    headers = dict(page.headers)
    for text in (
        "shop/web",
        "shop/alice",
        API,
        "https://app.example.com",
        "See &lt;all&gt; orders",
    ):
        assert text in page.body
    assert "write" not in page.body
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "form-action 'self' https://app.example.com;" in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert not re.search(r"<script|<img|<link| on\w+=", page.body)


async def test_the_form_may_lead_to_the_address_of_a_native_client(at: Place) -> None:
    for uri, target in (
        ("http://[::1]:9999/cb", "http:"),
        ("http://127.0.0.1:9/cb", "http://127.0.0.1:9"),
    ):
        page = await at.log_in(Browser(), authorize(NATIVE, redirect_uri=uri))
        policy = dict(page.headers)["content-security-policy"]
        assert f"form-action 'self' {target};" in policy


async def test_the_browser_stays_logged_in_for_an_hour(at: Place) -> None:
    browser = Browser()
    await at.log_in(browser, authorize())
    assert (await at.ask("GET", authorize(), browser=browser)).status == 200
    at.clock.go(seconds=3601)
    answer = await at.ask("GET", authorize(), browser=browser)
    assert relative(answer).startswith("/oauth2/login?")


async def test_the_address_of_a_redirect_keeps_its_own_parameters(at: Place) -> None:
    found = await at.consent(authorize(state='a&b=c"<>'))
    assert found["state"] == 'a&b=c"<>'
    assert parse_qs(urlsplit(CALLBACK).query) == {"tenant": ["1"]}
