"""The page that asks who somebody is: forms of others, guesses, sessions."""

import pytest

from tests.support.oauth import ALICE, WEB, Browser, Place, authorize, hidden, relative, told

LOGIN = authorize().replace("/authorize?", "/login?")


async def try_login(at: Place, browser: Browser, password: str, user: str | None = None) -> int:
    page = await at.ask("GET", LOGIN, browser=browser)
    form = {**hidden(page), "user": user or at.alice, "password": password}
    return (await at.ask("POST", LOGIN, form, browser=browser)).status


async def test_a_wrong_password_is_told_and_no_more(at: Place) -> None:
    browser = Browser()
    page = await at.ask("GET", LOGIN, browser=browser)
    form = {**hidden(page), "user": '"><script>', "password": "geheim"}
    answer = await at.ask("POST", LOGIN, form, browser=browser)
    assert answer.status == 403
    assert "do not go together" in answer.body
    assert "geheim" not in answer.body
    assert "<script" not in answer.body
    unknown = await try_login(at, browser, at.password, "p_unknown")
    assert unknown == 403


async def test_a_form_of_another_site_logs_nobody_in(at: Place) -> None:
    victim, attacker = Browser(), Browser()
    page = await at.ask("GET", LOGIN, browser=attacker)
    form = {**hidden(page), "user": at.alice, "password": at.password}
    await at.ask("GET", LOGIN, browser=victim)
    for cookies in (victim, Browser()):
        answer = await at.ask("POST", LOGIN, form, browser=cookies)
        assert answer.status == 403
        assert answer.location is None
    without = {name: value for name, value in form.items() if name != "form"}
    assert (await at.ask("POST", LOGIN, without, browser=attacker)).status == 403


async def test_a_form_is_for_one_request_and_one_purpose(at: Place) -> None:
    browser = Browser()
    page = await at.log_in(browser, authorize())
    form = {**hidden(page), "decision": "allow"}
    other = authorize(scope="read write")
    assert (await at.ask("POST", other, form, browser=browser)).status == 403
    login_form = {**hidden(await at.ask("GET", LOGIN, browser=browser)), "decision": "allow"}
    assert (await at.ask("POST", authorize(), login_form, browser=browser)).status == 403
    assert (await at.ask("POST", authorize(), form, browser=browser)).status == 303


async def test_consent_cannot_be_given_by_a_form_of_another_site(at: Place) -> None:
    victim, attacker = Browser(), Browser()
    await at.log_in(victim, authorize())
    page = await at.log_in(attacker, authorize())
    form = {**hidden(page), "decision": "allow"}
    assert (await at.ask("POST", authorize(), form, browser=victim)).status == 403


async def test_a_planted_cookie_is_not_logged_in(at: Place) -> None:
    browser = Browser()
    await at.ask("GET", LOGIN, browser=browser)
    planted = Browser(dict(browser.cookies))
    await at.log_in(browser, authorize())
    assert browser.cookies != planted.cookies
    assert (await at.ask("GET", authorize(), browser=planted)).status == 303


async def test_cookies_are_for_this_host_alone_and_not_for_scripts(at: Place) -> None:
    page = await at.ask("GET", LOGIN)
    cookie = dict(page.headers)["set-cookie"]
    assert cookie.startswith("__Host-pm-oauth=")
    assert cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax")


async def test_the_login_leads_to_this_server_only(at: Place) -> None:
    for more in ("&next=https://evil.example", "&return=//evil.example"):
        answer = await at.ask("GET", authorize() + more)
        assert relative(answer).startswith("/oauth2/login?")
    bad = authorize(redirect_uri="https://evil.example").replace("/authorize?", "/login?")
    assert (await at.ask("GET", bad)).status == 400


async def test_guesses_have_to_wait_and_longer_each_time(at: Place) -> None:
    browser = Browser()
    for _ in range(5):
        assert await try_login(at, browser, "wrong") == 403
    assert await try_login(at, browser, at.password) == 429
    elsewhere = Browser(address="192.0.2.99")
    assert await try_login(at, elsewhere, at.password) == 429
    at.clock.go(seconds=2)
    assert await try_login(at, browser, "wrong") == 403
    at.clock.go(seconds=1)
    assert await try_login(at, browser, at.password) == 429
    at.clock.go(seconds=2)
    assert await try_login(at, browser, at.password) == 303
    assert await try_login(at, browser, "wrong") == 403
    assert await try_login(at, browser, at.password) == 303


async def test_guesses_at_many_users_are_of_one_address(at: Place) -> None:
    browser = Browser()
    statuses = [await try_login(at, browser, "wrong", f"p_{index}") for index in range(22)]
    assert statuses == [403] * 20 + [429] * 2
    assert await try_login(at, Browser(address="192.0.2.99"), at.password) == 303


@pytest.mark.parametrize(
    ("near", "far"), [("2001:db8::1", "2001:db8:0:1::1"), ("192.0.2.1", "192.0.2.2")]
)
async def test_one_customer_is_one_address(at: Place, near: str, far: str) -> None:
    for index in range(20):
        address = f"2001:db8::{index:x}" if ":" in near else near
        await try_login(at, Browser(address=address), "wrong", f"p_{index}")
    assert await try_login(at, Browser(address=near), at.password) == 429
    assert await try_login(at, Browser(address=far), at.password) == 303


async def test_a_session_ends_with_the_password(at: Place) -> None:
    browser = Browser()
    await at.log_in(browser, authorize())
    await at.credentials.revoke(at.alice, "eve")
    answer = await at.ask("GET", authorize(), browser=browser)
    assert relative(answer).startswith("/oauth2/login?")
    assert await try_login(at, browser, at.password) == 403


async def test_who_logs_in_as_somebody_else_is_logged_out(at: Place) -> None:
    browser = Browser()
    page = await at.log_in(browser, authorize())
    before = Browser(dict(browser.cookies))
    form = {**hidden(page), "decision": "leave"}
    answer = await at.ask("POST", authorize(), form, browser=browser)
    assert relative(answer).startswith("/oauth2/login?")
    assert (await at.ask("GET", authorize(), browser=before)).status == 303


async def test_passwords_of_other_namespaces_do_not_log_in(at: Place) -> None:
    key = type(ALICE)("Consumer", "other", "mallory")
    made = await at.credentials.issue(key, "password", "eve")
    browser = Browser()
    assert await try_login(at, browser, made.secret.text, made.credential.id) == 403


@pytest.mark.parametrize("decision", ["", "Allow", "allow ", "yes"])
async def test_whatever_is_not_consent_is_none(at: Place, decision: str) -> None:
    browser = Browser()
    page = await at.log_in(browser, authorize())
    form = {**hidden(page), "decision": decision}
    answer = await at.ask("POST", authorize(), form, browser=browser)
    assert told(answer)["error"] == "access_denied"
    assert WEB.path not in told(answer).values()
