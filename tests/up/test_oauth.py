"""An authorization server behind a real Envoy, asked by clients that were written by others."""

import base64
import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.support.oauth import claims_of, is_signed
from tests.support.up import Answer, Up, free_port, running, until
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
        return post_at(f"127.0.0.1:{self.port}", path, named, method, body)

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


def post_at(
    address: str, path: str, headers: dict[str, str], method: str = "GET", body: str = ""
) -> Answer:
    import http.client

    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        connection.request(method, path, body.encode() if body else None, headers)
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, named, response.read())
    finally:
        connection.close()


def issue(up: Up, consumer: str, kind: str) -> tuple[str, str]:
    made = json.loads(up.command("key", "issue", consumer, "--kind", kind, "--json"))
    return made["credential"]["id"], made["secret"]


def written(folder: Path, port: int, *more: dict[str, Any], **server_spec: Any) -> None:
    consumers = [
        _object("Consumer", "machine", groups=["machines"]),
        _object("Consumer", "app", groups=["apps"]),
        _object("Consumer", "guard"),
        _object("Consumer", "alice"),
    ]
    mesh = (m.mesh(), m.gateway("front", 8088), *m.shop("books"))
    every = (*mesh, *consumers, server(port, **server_spec), *(more or (POLICY,)))
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


def test_tokens_are_good_after_a_restart_and_while_nobody_issues_any(tmp_path: Path) -> None:
    port = free_port()
    written(tmp_path, port)
    state = ("--state", str(tmp_path / "s.db"), "--master-key", str(tmp_path / "m.key"))
    command = (tmp_path / "mesh.yaml", "--echo", "--listen", f"8088={port}", *state)
    with running(*command) as up:
        _, secret = issue(up, "shop/machine", "client")
        token = Place(up, port, secret, tmp_path).access()
    with running(*command) as up:
        at = Place(up, port, secret, tmp_path)
        until(lambda: at.books(token).status == 200, 5.0)
        assert claims_of(at.access())["jti"] != claims_of(token)["jti"]
        # The control plane stands still, as one does that is away: Envoy goes on.
        up.process.send_signal(signal.SIGSTOP)
        try:
            assert at.books(token).status == 200
            started = time.monotonic()
            assert at.token().status == 503
            assert time.monotonic() - started < 15
        finally:
            up.process.send_signal(signal.SIGCONT)
        until(lambda: at.token().status == 200, 10.0)
    assert secret not in up.text
    dumped = (tmp_path / "s.db").read_bytes()
    assert secret.encode() not in dumped
    assert b'"d":' not in dumped
