"""An authorization server behind a real Envoy, asked by clients that were written by others."""

import base64
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from tests.support.oauth import claims_of, is_signed, s256
from tests.support.peers import installed
from tests.support.up import Answer, Up, free_port, running, until
from tests.support.up import ask as ask_at
from tests.up import manifests as m

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-oauth")]


def _object(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": m.NAMESPACE}
    return {
        "apiVersion": "pointsman.dev/v1alpha1",
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }


def server(port: int, **more: Any) -> dict[str, Any]:
    return _object(
        "AuthorizationServer",
        "login",
        targetRefs=[{"kind": "VirtualGateway", "name": "front"}],
        issuer=f"http://localhost:{port}",
        audiences=["https://books.example.com"],
        scopes=[{"name": "read"}, {"name": "write"}],
        login="password",
        clients=[
            {"consumer": {"name": "machine"}, "grants": ["clientCredentials"]},
            {
                "consumer": {"name": "app"},
                "grants": ["authorizationCode", "refreshToken"],
                "redirectUris": ["http://127.0.0.1/callback"],
                "public": True,
            },
            {"consumer": {"name": "guard"}, "introspect": True},
        ],
        **more,
    )


CONSUMERS = (
    _object("Consumer", "machine", groups=["machines"]),
    _object("Consumer", "app", groups=["apps"]),
    _object("Consumer", "guard"),
    _object("Consumer", "alice"),
)
POLICY = _object(
    "AccessPolicy",
    "tokens",
    targetRefs=[{"kind": "VirtualGateway", "name": "front"}],
    methods=[
        {
            "jwt": {
                "authorizationServer": {"name": "login"},
                "claimHeaders": [{"claim": "sub", "header": "x-user"}],
            }
        }
    ],
    rules=[{"name": "readers", "scopes": ["read"], "groups": ["machines", "apps"]}],
)


@dataclass(frozen=True)
class Place:
    """An instance, and what belongs to its machine."""

    up: Up
    port: int
    secret: str
    folder: Path

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    def ask(
        self, path: str, headers: dict[str, str] | None = None, method: str = "GET", body: str = ""
    ) -> Answer:
        named = {"host": f"localhost:{self.port}", **(headers or {})}
        return ask_at(f"127.0.0.1:{self.port}", path, named, method, body=body)

    def token(self, **form: str) -> Answer:
        pair = f"{quote('shop/machine', safe='')}:{quote(self.secret, safe='')}"
        headers = {
            "authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            "content-type": "application/x-www-form-urlencoded",
        }
        found = {"grant_type": "client_credentials", "scope": "read", **form}
        return self.ask("/oauth2/token", headers, "POST", urlencode(found))

    def access(self, **form: str) -> str:
        answer = self.token(**form)
        assert answer.status == 200, answer.body
        found: str = json.loads(answer.body)["access_token"]
        return found

    def books(self, token: str, **headers: str) -> Answer:
        return self.ask("/books", {"authorization": f"Bearer {token}", **headers})


def issue(up: Up, consumer: str, kind: str) -> tuple[str, str]:
    made = json.loads(up.command("key", "issue", consumer, "--kind", kind, "--json"))
    return made["credential"]["id"], made["secret"]


def written(folder: Path, port: int, *more: dict[str, Any], **server_spec: Any) -> None:
    mesh = (m.mesh(), m.gateway("front", 8088), *m.shop("books"))
    every = (*mesh, *CONSUMERS, server(port, **server_spec), *(more or (POLICY,)))
    (folder / "mesh.yaml").write_text(m.text(*every))


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("oauth")
    port = free_port()
    written(folder, port)
    with running(folder, "--echo", "--listen", f"8088={port}") as up:
        _, secret = issue(up, "shop/machine", "client")
        yield Place(up, port, secret, folder)


def test_a_machine_gets_a_token_and_is_let_in_with_it(at: Place) -> None:
    token = at.access()
    claims = claims_of(token)
    assert (claims["iss"], claims["client_id"]) == (at.issuer, "shop/machine")
    key_set = json.loads(at.ask("/oauth2/jwks").body)
    assert is_signed(token, key_set)
    answer = at.books(token)
    assert answer.status == 200
    seen = answer.seen["headers"]
    assert seen["x-pointsman-consumer"] == "shop/machine"
    assert seen["x-user"] == "shop/machine"
    assert "authorization" not in seen


def test_discovery_tells_where_everything_is(at: Place) -> None:
    answer = at.ask("/.well-known/oauth-authorization-server")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    found = json.loads(answer.body)
    assert found["issuer"] == at.issuer
    assert found["token_endpoint"] == f"{at.issuer}/oauth2/token"
    assert at.ask("/.well-known/openid-configuration").status == 404


def test_without_a_good_token_nobody_is_let_in(at: Place) -> None:
    token = at.access()
    head, body, signature = token.split(".")
    assert at.ask("/books").status == 401
    forged = {**claims_of(token), "client_id": "shop/app"}
    other = base64.urlsafe_b64encode(json.dumps(forged).encode()).rstrip(b"=").decode()
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
    for text in (f"{head}.{other}.{signature}", f"{none}.{body}.", f"{head}.{body}.", "x"):
        assert at.books(text).status == 401
    assert at.books(at.access(scope="write")).status == 403


def test_its_paths_are_its_hosts_alone_and_no_policy_locks_them(at: Place) -> None:
    assert at.ask("/oauth2/jwks", {"host": "books.example.com"}).status == 404
    assert at.ask("/oauth2/none").status == 404
    assert at.ask("/oauth2/jwks").status == 200
    assert at.ask("/oauth2/token").status == 405


def test_bodies_have_a_limit(at: Place) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = at.ask("/oauth2/token", headers, "POST", "x=" + "y" * 20_000)
    assert answer.status == 413


def test_headers_that_only_proxies_write_say_nothing(at: Place) -> None:
    token = at.access()
    answer = at.books(token, **{"x-pointsman-consumer": "shop/alice", "x-user": "mallory"})
    assert answer.seen["headers"]["x-pointsman-consumer"] == "shop/machine"
    assert answer.seen["headers"]["x-user"] == "shop/machine"


def test_backends_never_see_the_cookie_of_a_session(at: Place) -> None:
    token = at.access()
    answer = at.books(token, cookie="a=1; __Host-pm-oauth=secret; b=2")
    assert "secret" not in answer.seen["headers"]["cookie"]
    assert "b=2" in answer.seen["headers"]["cookie"]


class PeerBrowser:
    """A browser at the gateway, which stops before the client's own address."""

    def __init__(self, at: Place, user: str, password: str) -> None:
        self._at, self._user, self._password = at, user, password
        self._cookies: dict[str, str] = {}

    def consent(self, url: str) -> str:
        """Logs in and consents; the address the browser is sent back to."""
        place = url.removeprefix(self._at.issuer)
        login = self._step("GET", place)
        place = login.headers["location"]
        page = self._step("GET", place)
        form = {**hidden_of(page), "user": self._user, "password": self._password}
        place = self._step("POST", place, form).headers["location"]
        page = self._step("GET", place)
        answer = self._step("POST", place, {**hidden_of(page), "decision": "allow"})
        assert answer.status == 303
        return answer.headers["location"]

    def _step(self, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
        headers = {"cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items())}
        if form is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        answer = self._at.ask(path, headers, method, urlencode(form or {}))
        if "set-cookie" in answer.headers:
            name, _, rest = answer.headers["set-cookie"].partition("=")
            self._cookies[name] = rest.partition(";")[0]
        return answer


def hidden_of(page: Answer) -> dict[str, str]:
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.body.decode())
    return dict(found)


def test_a_client_and_a_resource_server_of_others_take_it_for_one(at: Place) -> None:
    folder = installed("oauth", "client.js")
    user, password = issue(at.up, "shop/alice", "password")
    _, guard = issue(at.up, "shop/guard", "client")
    told = {
        "issuer": at.issuer,
        "audience": "https://books.example.com",
        "machine": {"id": "shop/machine", "secret": at.secret},
        "native": {"id": "shop/app", "redirect": "http://127.0.0.1:4711/callback"},
        "guard": {"id": "shop/guard", "secret": guard},
    }
    peer = subprocess.Popen(
        ["node", str(folder / "client.js"), json.dumps(told)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert peer.stdin is not None
    assert peer.stdout is not None
    url = peer.stdout.readline().strip()
    assert url, peer.communicate()[1]
    back = PeerBrowser(at, user, password).consent(url)
    assert back.startswith("http://127.0.0.1:4711/callback?")
    said, wrong = peer.communicate(f"{back}\n", timeout=20)
    assert said, wrong
    found = json.loads(said)
    assert found["own"]["sub"] == "shop/machine"
    assert found["first"]["sub"] == found["second"]["sub"] == "shop/alice"
    assert found["second"]["client_id"] == "shop/app"
    assert (found["before"], found["after"]) == (True, False)
    assert found["mixedUp"] == "OAUTH_INVALID_RESPONSE"
    assert (found["again"], found["refreshed"]) == ("invalid_grant", "invalid_grant")


def test_what_was_granted_is_listed_and_ended_by_command(at: Place) -> None:
    user, password = issue(at.up, "shop/alice", "password")
    verifier = "a-verifier-that-is-long-enough-for-RFC-7636"
    query = {
        "response_type": "code",
        "client_id": "shop/app",
        "redirect_uri": "http://127.0.0.1/callback",
        "code_challenge": s256(verifier),
        "code_challenge_method": "S256",
    }
    back = PeerBrowser(at, user, password).consent(f"/oauth2/authorize?{urlencode(query)}")
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    form = {
        "grant_type": "authorization_code",
        "client_id": "shop/app",
        "code": code,
        "redirect_uri": "http://127.0.0.1/callback",
        "code_verifier": verifier,
    }
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = at.ask("/oauth2/token", headers, "POST", urlencode(form))
    tokens = json.loads(answer.body)
    seen = at.books(tokens["access_token"]).seen["headers"]
    assert (seen["x-pointsman-consumer"], seen["x-user"]) == ("shop/app", "shop/alice")
    listed = json.loads(at.up.command("oauth", "grants", "--consumer", "shop/alice", "--json"))
    (grant,) = [item for item in listed["items"] if item["client"] == "shop/app"]
    assert f"grant {grant['id']} of shop/app for shop/alice is revoked" in at.up.command(
        "oauth", "revoke", grant["id"]
    )
    form = {
        "grant_type": "refresh_token",
        "client_id": "shop/app",
        "refresh_token": tokens["refresh_token"],
    }
    refused = at.ask("/oauth2/token", headers, "POST", urlencode(form))
    assert json.loads(refused.body)["error"] == "invalid_grant"
    assert "0 grants are revoked" in at.up.command("oauth", "revoke", "--consumer", "shop/alice")
    assert "revoke" in at.up.command("audit", "--object", grant["id"])


def test_keys_are_rotated_under_traffic_and_no_request_is_lost(at: Place) -> None:
    assert "shop/machine" in at.up.command("oauth", "clients")
    assert at.issuer in at.up.command("oauth", "servers")
    token = at.access()
    statuses: list[int] = []
    stop = threading.Event()

    def ask_on() -> None:
        while not stop.is_set():
            statuses.append(at.books(token).status)

    asking = threading.Thread(target=ask_on)
    asking.start()
    try:
        at.up.command("oauth", "rotate", "shop/login")
        listed = at.up.command("oauth", "keys", "shop/login")
        assert "announced" in listed
        until(lambda: len(json.loads(at.ask("/oauth2/jwks").body)["keys"]) == 2, 5.0)
        seen = len(statuses)
        until(lambda: len(statuses) > seen + 50, 5.0)
    finally:
        stop.set()
        asking.join()
    assert set(statuses) == {200}
    at.up.command("oauth", "rotate", "shop/login", "--compromised")
    until(lambda: at.books(token).status == 401, 5.0)
    until(lambda: at.books(at.access()).status == 200, 5.0)


def test_by_introspection_a_revoked_token_is_refused(tmp_path: Path) -> None:
    port = free_port()
    file = tmp_path / "guard.secret"
    method = {
        "url": f"http://localhost:{port}/oauth2/introspect",
        "clientId": "shop/guard",
        "clientSecret": {"file": str(file)},
        "issuer": f"http://localhost:{port}",
        "audiences": ["https://books.example.com"],
        "cacheFor": {"unit": "ms", "value": 100},
        "consumer": {"claim": "client_id"},
    }
    policy = _object(
        "AccessPolicy",
        "tokens",
        targetRefs=[{"kind": "GatewayRoute", "name": "books"}],
        methods=[{"introspection": method}],
    )
    written(tmp_path, port, policy)
    with running(tmp_path / "mesh.yaml", "--echo", "--listen", f"8088={port}") as up:
        _, secret = issue(up, "shop/machine", "client")
        _, guard = issue(up, "shop/guard", "client")
        file.write_text(guard)
        at = Place(up, port, secret, tmp_path)
        token = at.access()
        answer = at.books(token)
        assert answer.status == 200
        assert answer.seen["headers"]["x-pointsman-consumer"] == "shop/machine"
        pair = base64.b64encode(f"shop%2Fmachine:{secret}".encode()).decode()
        headers = {
            "authorization": f"Basic {pair}",
            "content-type": "application/x-www-form-urlencoded",
        }
        assert at.ask("/oauth2/revoke", headers, "POST", urlencode({"token": token})).status == 200
        until(lambda: at.books(token).status == 401, 5.0)
        assert at.books(at.access()).status == 200
