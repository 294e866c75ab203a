"""AccessPolicy by traffic: logins of browsers, at a provider that others have written."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from pointsman.envoy.filters.credentials import token_subject
from tests.envoy.test_access_keys import DIRECT, access, ask
from tests.support.credentials import who, with_tables
from tests.support.gateway import Running
from tests.support.manifests import Document, gateway_route
from tests.support.oidc import Browser, Provider, provider
from tests.support.scenes import serving, serving_with
from tests.support.upstream import Upstream, upstream

pytestmark = pytest.mark.envoy
SECRET = "secret-of-a-client-0123456789"
OWN = "http://shop.test/.pointsman/shop"
CALLBACK = f"{OWN}/access/callback"


def client(name: str, policy: str) -> dict[str, Any]:
    return {
        "client_id": name,
        "client_secret": SECRET,
        "redirect_uris": [f"{OWN}/{policy}/callback"],
        "post_logout_redirect_uris": ["http://shop.test/"],
        "grant_types": ["authorization_code", "refresh_token"],
    }


CLIENTS = (client("shop", "access"), client("films", "films"))


@pytest.fixture(scope="module")
def issuer() -> Iterator[Provider]:
    with provider(*CLIENTS) as found:
        yield found


@pytest.fixture
async def backend() -> AsyncIterator[Upstream]:
    async with upstream() as found:
        yield found


def login(
    issuer: Provider,
    folder: Path,
    target: str = "VirtualGateway/gateway",
    name: str = "access",
    client_id: str = "shop",
    before: tuple[dict[str, Any], ...] = (),
    **more: Any,
) -> Document:
    (folder / "client").write_text(SECRET)
    (folder / "cookies").write_text("0123456789abcdef0123456789abcdef")
    method = {
        "issuer": issuer.issuer,
        "clientId": client_id,
        "clientSecret": {"file": str(folder / "client")},
        "cookieSecret": {"file": str(folder / "cookies")},
        "endpoints": {
            "authorization": f"{issuer.issuer}/auth",
            "token": f"{issuer.issuer}/token",
            "endSession": f"{issuer.issuer}/session/end",
        },
        "jwks": {"url": f"{issuer.issuer}/jwks"},
        "scopes": ["email"],
        **more,
    }
    return access(target, name, methods=[*before, {"oidc": method}])


def browser(envoy: Running) -> Browser:
    return Browser({"shop.test": envoy.ports[8080]})


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def state_of(url: str) -> dict[str, str]:
    text = query(url)["state"]
    found: dict[str, str] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def with_state(address: str, **changes: str) -> str:
    text = json.dumps({**state_of(address), **changes}, separators=(",", ":"))
    state = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return f"{address.partition('?')[0]}?{urlencode({**query(address), 'state': state})}"


async def test_a_browser_logs_in_and_the_backend_knows_who_it_is(
    issuer: Provider, backend: Upstream, tmp_path: Path
) -> None:
    guard = login(
        issuer,
        tmp_path,
        claimHeaders=[{"claim": "email", "header": "x-email"}],
        consumer={"claim": "sub"},
        before=({"apiKey": {}},),
    )
    tables = with_tables(
        keys={"k": who("robot", "k1")},
        subjects={token_subject(issuer.issuer, "ann"): who("ann", "token", "gold")},
    )
    async with serving_with(tables, *DIRECT, guard, books=backend.port) as envoy:
        user = browser(envoy)
        user.cookies["shop.test"] = {"theme": "dark"}
        assert (await user.login("http://shop.test/page?x=1&y=%2F", "ann")).status == 200
        assert user.visited[-1] == "http://shop.test/page?x=1&y=%2F"
        session = "; ".join(f"{k}={v}" for k, v in user.cookies["shop.test"].items())
        both = (("x-api-key", "k"), ("cookie", f"{session}; a=b"))
        assert (await ask(envoy, "/", *both)).status == 200
        asked = query(user.visited[1])
        assert asked["code_challenge_method"] == "S256"
        assert asked["redirect_uri"] == CALLBACK
        stranger = browser(envoy)
        assert (await stranger.login("http://shop.test/", "eve")).status == 401
    page, robot = backend.seen
    assert page.headers["x-email"] == "ann@books.test"
    assert page.headers["x-pointsman-consumer"] == "shop/ann"
    assert page.headers["cookie"] == "theme=dark"
    assert "authorization" not in page.headers
    assert robot.headers["x-pointsman-consumer"] == "shop/robot"
    assert robot.headers["cookie"] == "theme=dark; a=b"
    marked = [marks for name, marks in user.marks.items() if name.startswith("__Host-pm-")]
    for marks in marked:
        assert "secure" in marks
        assert "path=/;" in marks or marks.endswith("path=/")
    kept = [user.marks[name] for name in user.cookies["shop.test"] if name != "theme"]
    assert kept
    assert all("httponly" in marks and "samesite=lax" in marks for marks in kept)


async def test_a_login_works_for_all_routes_its_policy_guards_and_for_no_others(
    issuer: Provider, backend: Upstream, tmp_path: Path
) -> None:
    routes = [
        gateway_route(name, {"prefix": f"/{name}/"}, "books") for name in ("one", "two", "open")
    ]
    guard = login(issuer, tmp_path, "GatewayRoute/one", keep=True)
    guard["spec"]["targetRefs"].append({"kind": "GatewayRoute", "name": "two"})
    async with serving(*DIRECT[:4], *routes, guard, books=backend.port) as envoy:
        user = browser(envoy)
        assert (await user.login("http://shop.test/one/a", "ann")).status == 200
        assert (await user.step("http://shop.test/two/b")).status == 200
        assert (await user.step("http://shop.test/open/c")).status == 200
        assert (await browser(envoy).step("http://shop.test/two/b")).status == 302
        assert (await browser(envoy).step("http://shop.test/open/c")).status == 200
        assert (await browser(envoy).step(CALLBACK)).status == 401
    assert backend.seen[0].headers["authorization"].startswith("Bearer ")
    assert "authorization" not in backend.seen[2].headers
    assert not any("cookie" in seen.headers for seen in backend.seen)


async def test_only_pages_are_redirected(
    issuer: Provider, backend: Upstream, tmp_path: Path
) -> None:
    page = ("accept", "text/html")
    async with serving(*DIRECT, login(issuer, tmp_path), books=backend.port) as envoy:
        assert (await ask(envoy, "/", page)).status == 302
        refused = [
            await ask(envoy, "/", ("accept", "application/json")),
            await ask(envoy, "/"),
            await ask(envoy, "/", page, method="POST"),
            await ask(envoy, "/", page, ("x-requested-with", "XMLHttpRequest")),
        ]
    assert [answer.status for answer in refused] == [401] * 4
    assert all(answer.header("www-authenticate") is not None for answer in refused)
    assert backend.seen == []


async def test_attacks_on_the_way_back_are_refused(
    issuer: Provider, backend: Upstream, tmp_path: Path
) -> None:
    async with serving(*DIRECT, login(issuer, tmp_path), books=backend.port) as envoy:
        user, eve = browser(envoy), browser(envoy)
        back = (await user.login("http://shop.test/", "ann", until=CALLBACK)).header("location")
        eves = (await eve.login("http://shop.test/", "eve", until=CALLBACK)).header("location")
        assert back is not None
        assert eves is not None
        token = state_of(back)["csrf_token"]
        forged = {
            "no state": CALLBACK + "?code=" + query(back)["code"],
            "state is no JSON": f"{CALLBACK}?code=x&state=bm8",
            "token forged": with_state(back, csrf_token=token[:-4] + "AAA="),
            "token made up": with_state(back, csrf_token="x.y"),
            "state of another session": with_state(back, **state_of(eves)),
            "login of another session": eves,
            "no code": f"{CALLBACK}?state={query(back)['state']}",
            "code made up": f"{CALLBACK}?{urlencode({**query(back), 'code': 'x'})}",
            "error of the provider": f"{CALLBACK}?error=access_denied&state={query(back)['state']}",
        }
        jar = dict(user.cookies["shop.test"])
        for name, url in forged.items():
            user.cookies["shop.test"] = dict(jar)
            answer = await user.step(url)
            assert answer.status in (401, 302), name
            if answer.status == 302:  # once more from the beginning
                assert (answer.header("location") or "").startswith(issuer.issuer), name
            assert not any(key.endswith("-sign") for key in user.cookies["shop.test"]), name
        user.cookies["shop.test"] = dict(jar)
        assert (await user.go(back)).status == 200
        used = user.cookies["shop.test"]
        assert not any("-state" in key or "-verifier" in key for key in used)
        replayed = browser(envoy)
        replayed.cookies["shop.test"] = dict(jar)
        again = await replayed.step(back)
        assert not any(key.endswith("-sign") for key in replayed.cookies["shop.test"]), again
    assert len(backend.seen) == 1


async def test_a_login_leads_back_to_where_it_began_and_nowhere_else(
    issuer: Provider, backend: Upstream, tmp_path: Path
) -> None:
    async with serving(*DIRECT, login(issuer, tmp_path), books=backend.port) as envoy:
        for path in ("/?rd=http://evil.test/", "/?redirect=//evil.test", "//evil.test/x"):
            user = browser(envoy)
            await user.login(f"http://shop.test{path}", "ann")
            assert all(urlsplit(url).hostname != "evil.test" for url in user.visited), path
        user = browser(envoy)
        back = (await user.login("http://shop.test/", "ann", until=CALLBACK)).header("location")
        assert back is not None
        stolen = browser(envoy)
        answer = await stolen.step(with_state(back, url="http://evil.test/"))
        assert answer.status == 401
        for url in EVIL:
            user = browser(envoy)
            login_over = await user.login("http://shop.test/", "ann", until=CALLBACK)
            answer = await user.step(with_state(login_over.header("location") or "", url=url))
            assert (answer.status, answer.header("location")) in ((400, None), (401, None)), url
            assert not any(key.endswith("-sign") for key in user.cookies["shop.test"]), url


EVIL = (
    "http://evil.test/",
    "https://shop.test.evil.test/",
    "http://shop.test@evil.test/",
    "http://evil.test#shop.test/",
    "HTTP://evil.test/",
    "//evil.test/",
    "http:evil.test/",
)


async def test_cookies_that_were_tampered_with_are_no_session(
    issuer: Provider, backend: Upstream, tmp_path: Path
) -> None:
    films = login(issuer, tmp_path, "GatewayRoute/films", "films", "films", refresh=False)
    routes = (gateway_route("films", {"prefix": "/films/"}, "books"), films)
    # With a refresh token, which is encrypted, a session that is broken begins anew.
    guards = (*routes, login(issuer, tmp_path, refresh=False))
    async with serving(*DIRECT, *guards, books=backend.port) as envoy:
        user = browser(envoy)
        assert (await user.login("http://shop.test/", "ann")).status == 200
        jar = dict(user.cookies["shop.test"])
        changed = {
            name: {**jar, name: ("1" + value if "until" in name else value[:-2] + "Ax")}
            for name, value in jar.items()
        }
        cases = {
            **changed,
            **{f"without {n}": {k: v for k, v in jar.items() if k != n} for n in jar},
        }
        for name, cookies in cases.items():
            user.cookies["shop.test"] = cookies
            assert (await user.step("http://shop.test/")).status == 302, name
        assert len(backend.seen) == 1
        # What a session of one policy is worth at another one with the same cookie secret.
        stranger = browser(envoy)
        await stranger.step("http://shop.test/films/a")
        theirs = next(name for name in stranger.cookies["shop.test"] if "-state" in name)
        prefix = theirs.partition("-state")[0]
        mine = next(name for name in jar if name.endswith("-sign")).removesuffix("-sign")
        renamed = {name.replace(mine, prefix): value for name, value in jar.items()}
        stranger.cookies["shop.test"] = renamed
        assert (await stranger.step("http://shop.test/films/a")).status in (401, 403)
        other = browser(envoy)
        other.cookies["shop.test"] = dict(jar)
        assert (await other.step("http://shop.test/films/a")).status == 302
    assert len(backend.seen) == 1


@pytest.mark.parametrize("refresh", [True, False])
async def test_a_session_that_is_over_goes_on_by_a_refresh_token_alone(
    backend: Upstream, tmp_path: Path, refresh: bool
) -> None:
    with provider(*CLIENTS, ttl=2) as issuer:
        guard = login(issuer, tmp_path, refresh=refresh, clockSkew=1)
        async with serving(*DIRECT, guard, books=backend.port) as envoy:
            user = browser(envoy)
            assert (await user.login("http://shop.test/", "ann")).status == 200
            sign = next(name for name in user.cookies["shop.test"] if name.endswith("-sign"))
            first, status = user.cookies["shop.test"][sign], 200
            while status == 200 and user.cookies["shop.test"].get(sign) == first:
                status = (await user.step("http://shop.test/")).status
            assert status == (200 if refresh else 302)
            if refresh:
                assert (await user.step("http://shop.test/")).status == 200


async def test_logging_out_ends_the_session_here_and_at_the_provider(
    issuer: Provider, backend: Upstream, tmp_path: Path
) -> None:
    async with serving(*DIRECT, login(issuer, tmp_path), books=backend.port) as envoy:
        user = browser(envoy)
        assert (await user.login("http://shop.test/", "ann")).status == 200
        left = await user.step(f"{OWN}/access/logout")
        away = left.header("location") or ""
        assert away.startswith(f"{issuer.issuer}/session/end?")
        assert query(away)["id_token_hint"]
        assert user.cookies["shop.test"] == {}
        asked = await user.step(away)
        assert asked.status == 200
        xsrf = asked.body.partition(b'name="xsrf" value="')[2].partition(b'"')[0].decode()
        form = {"xsrf": xsrf, "logout": "yes"}
        await user.step(f"{issuer.issuer}/session/end/confirm", form)
        again = await user.go("http://shop.test/")
        assert b'name="login"' in again.body


async def test_a_provider_that_is_away_lets_nobody_in(backend: Upstream, tmp_path: Path) -> None:
    with provider(*CLIENTS) as issuer:
        async with serving(*DIRECT, login(issuer, tmp_path), books=backend.port) as envoy:
            user = browser(envoy)
            found = await user.login("http://shop.test/", "ann", until=CALLBACK)
            issuer.stop()
            answer = await user.step(found.header("location") or "")
            assert answer.status in (401, 503)
    assert backend.seen == []
