"""AccessPolicy by traffic: opaque tokens of a provider that others have written."""

import base64
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pointsman.access.check import check_handlers
from pointsman.access.introspection import Introspector
from pointsman.envoy import names
from pointsman.envoy.filters.credentials import token_subject
from pointsman.graph.guarded import opaque_methods
from pointsman.xds.admission import Anyone
from pointsman.xds.server import AdsServer
from tests.envoy.test_access_keys import DIRECT, access, ask
from tests.envoy.test_access_tokens import ISSUER, KEY_SET, bearer, token
from tests.support.authz import point_at
from tests.support.credentials import who, with_tables
from tests.support.gateway import Running
from tests.support.instrument import Messages
from tests.support.manifests import Document
from tests.support.oidc import Provider, provider
from tests.support.scenes import linked, serving, serving_with
from tests.support.upstream import Upstream, upstream

pytestmark = pytest.mark.envoy
SECRET = "secret-of-a-client-0123456789"


def client(name: str) -> dict[str, Any]:
    return {
        "client_id": name,
        "client_secret": SECRET,
        "redirect_uris": [],
        "response_types": [],
        "grant_types": ["client_credentials"],
        "scope": "read write",
    }


@pytest.fixture(scope="module")
def issuer() -> Iterator[Provider]:
    with provider(client("app"), client("gateway")) as found:
        yield found


@pytest.fixture
async def backend() -> AsyncIterator[Upstream]:
    async with upstream() as found:
        yield found


def post(issuer: Provider, path: str, form: str) -> bytes:
    credentials = base64.b64encode(f"app:{SECRET}".encode()).decode()
    request = urllib.request.Request(
        issuer.issuer + path, form.encode(), {"authorization": f"Basic {credentials}"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        found: bytes = response.read()
        return found


def issued(issuer: Provider, scope: str = "read") -> str:
    answer = post(issuer, "/token", f"grant_type=client_credentials&scope={scope}")
    return answer.partition(b'"access_token":"')[2].partition(b'"')[0].decode()


def opaque(found: Provider, folder: Path, **more: Any) -> dict[str, Any]:
    (folder / "secret").write_text(SECRET)
    method = {
        "url": f"{found.issuer}/token/introspection",
        "clientId": "gateway",
        "clientSecret": {"file": str(folder / "secret")},
        **more,
    }
    return {"introspection": method}


class Time:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@asynccontextmanager
async def asking(
    guard: Document, backend: Upstream, tables: Callable[[Messages], None], time: Time
) -> AsyncIterator[Running]:
    """A gateway whose control plane answers what it asks."""
    introspector = Introspector(time)
    introspector.follow(opaque_methods(linked(*DIRECT, guard).graph).values())
    server = AdsServer(lambda _: None, services=(check_handlers(introspector, Anyone()),))
    address = await server.start("127.0.0.1:0")
    port = int(address.rpartition(":")[2])

    def change(messages: Messages) -> None:
        tables(messages)
        point_at(messages, names.XDS_CLUSTER, port)

    try:
        async with serving_with(change, *DIRECT, guard, books=backend.port) as envoy:
            yield envoy
    finally:
        await server.stop(0)
        await introspector.close()


async def test_a_token_is_asked_about_and_says_who_calls(
    issuer: Provider, backend: Upstream, tmp_path: Path
) -> None:
    method = opaque(issuer, tmp_path, issuer="idp", consumer={"claim": "client_id"})
    rules = [{"name": "r", "scopes": ["read"], "consumers": [{"name": "acme"}]}]
    guard = access("VirtualGateway/gateway", methods=[{"apiKey": {}}, method], rules=rules)
    tables = with_tables(
        keys={"k": who("robot", "k1")},
        subjects={token_subject("idp", "app"): who("acme", "token", "gold")},
    )
    async with asking(guard, backend, tables, Time()) as envoy:
        text = issued(issuer)
        assert (await ask(envoy, "/", bearer(text))).status == 200
        assert (await ask(envoy, "/", bearer(issued(issuer, "write")))).status == 403
        refused = await ask(envoy, "/", bearer("made-up"), ("x-pointsman-subject", "app"))
        nothing = await ask(envoy, "/")
    assert (refused.status, nothing.status) == (401, 401)
    assert refused.header("www-authenticate") == ('Bearer realm="pointsman", error="invalid_token"')
    assert refused.header("content-type") == "application/problem+json"
    (seen,) = backend.seen
    assert seen.headers["x-pointsman-consumer"] == "shop/acme"
    assert "authorization" not in seen.headers


async def test_a_token_that_is_revoked_passes_no_longer_than_the_policy_says(
    issuer: Provider, backend: Upstream, tmp_path: Path
) -> None:
    guard = access("VirtualGateway/gateway", methods=[opaque(issuer, tmp_path)])
    time = Time()
    async with asking(guard, backend, with_tables(), time) as envoy:
        text = issued(issuer)
        assert (await ask(envoy, "/", bearer(text))).status == 200
        post(issuer, "/token/revocation", f"token={text}")
        time.seconds = 9.9
        assert (await ask(envoy, "/", bearer(text))).status == 200
        time.seconds = 10.1
        assert (await ask(envoy, "/", bearer(text))).status == 401


@pytest.mark.parametrize(("away", "known"), [("deny", 503), ("stale", 200)])
async def test_an_endpoint_that_is_away_lets_nobody_new_in(
    backend: Upstream, tmp_path: Path, away: str, known: int
) -> None:
    with provider(client("app"), client("gateway")) as issuer:
        method = opaque(issuer, tmp_path, whenAway=away)
        guard = access("VirtualGateway/gateway", methods=[method])
        time = Time()
        async with asking(guard, backend, with_tables(), time) as envoy:
            text, other = issued(issuer), issued(issuer)
            assert (await ask(envoy, "/", bearer(text))).status == 200
            issuer.stop()
            time.seconds = 11
            assert (await ask(envoy, "/", bearer(text))).status == known
            assert (await ask(envoy, "/", bearer(other))).status == 503


async def test_a_control_plane_that_is_away_lets_nobody_in(
    issuer: Provider, backend: Upstream, tmp_path: Path
) -> None:
    guard = access("VirtualGateway/gateway", methods=[opaque(issuer, tmp_path)])
    async with serving(*DIRECT, guard, books=backend.port) as envoy:
        assert (await ask(envoy, "/", bearer(issued(issuer)))).status == 503
    assert backend.seen == []


async def test_signed_and_opaque_tokens_are_told_apart(
    issuer: Provider, backend: Upstream, tmp_path: Path
) -> None:
    signed = {"jwt": {"issuer": ISSUER, "jwks": {"inline": KEY_SET}, "scopes": ["read"]}}
    for methods in ([signed, opaque(issuer, tmp_path)], [opaque(issuer, tmp_path), signed]):
        guard = access("VirtualGateway/gateway", methods=methods)
        async with asking(guard, backend, with_tables(), Time()) as envoy:
            assert (await ask(envoy, "/", bearer(token(scope="read")))).status == 200
            assert (await ask(envoy, "/", bearer(token(scope="x")))).status == 403
            assert (await ask(envoy, "/", bearer(issued(issuer)))).status == 200
            assert (await ask(envoy, "/", bearer("a.b.c"))).status == 401
            assert (await ask(envoy, "/", bearer("abc"))).status == 401
