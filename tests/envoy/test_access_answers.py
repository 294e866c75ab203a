"""AccessPolicy by traffic: what callers are told that are turned away, and what logs tell."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.envoy.test_access_keys import DIRECT, KEY, TABLES, TWICE, access, ask
from tests.envoy.test_access_tokens import bearer, tokens
from tests.support.http1 import Answer
from tests.support.manifests import gateway
from tests.support.scenes import serving, serving_with
from tests.support.upstream import Upstream, until, upstream

pytestmark = pytest.mark.envoy
TYPES = "https://pointsman.dev/problems/"


@pytest.fixture
async def backend() -> AsyncIterator[Upstream]:
    async with upstream() as found:
        yield found


def challenges(answer: Answer) -> list[str]:
    return [value for name, value in answer.headers if name == "www-authenticate"]


def problem(answer: Answer) -> dict[str, Any]:
    assert answer.header("content-type") == "application/problem+json"
    found: dict[str, Any] = json.loads(answer.body)
    assert found["status"] == answer.status
    return found


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        ([{"apiKey": {}}], 'ApiKey realm="pointsman"'),
        ([{"basic": {"realm": 'a "b" \\ 5%'}}], r'Basic realm="a \"b\" \\ 5%", charset="UTF-8"'),
        (
            [{"apiKey": {}}, {"basic": {}}],
            'ApiKey realm="pointsman", Basic realm="pointsman", charset="UTF-8"',
        ),
    ],
)
async def test_who_is_not_known_is_told_how_to_prove_it(
    backend: Upstream, methods: list[Any], expected: str
) -> None:
    guard = access("VirtualGateway/gateway", methods=methods)
    async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
        forged = ("x-pointsman-challenge", "Forged")
        for answer in (
            await ask(envoy, "/", forged),
            await ask(envoy, "/", ("x-api-key", "no-such-key")),
        ):
            assert answer.status == 401
            assert challenges(answer) == [expected]
            found = problem(answer)
            assert (found["type"], found["title"]) == (
                f"{TYPES}not-authenticated",
                "Not authenticated",
            )
            assert b"no-such-key" not in answer.body
    assert backend.seen == []


async def test_envoys_own_challenge_for_tokens_stays(backend: Upstream) -> None:
    async with serving(*DIRECT, tokens(), books=backend.port) as envoy:
        answer = await ask(envoy, "/", bearer("a.b.c"))
    (challenge,) = challenges(answer)
    assert challenge.startswith('Bearer realm="')
    assert 'error="invalid_token"' in challenge
    assert problem(answer)["type"] == f"{TYPES}not-authenticated"


async def test_who_may_not_is_told_so(backend: Upstream) -> None:
    rules = [{"name": "secret name", "action": "deny", "paths": [{"prefix": "/admin"}]}]
    guard = access("VirtualGateway/gateway", methods=[{"apiKey": {}}], rules=rules)
    async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
        answer = await ask(envoy, "/admin", ("x-api-key", KEY))
    assert answer.status == 403
    assert challenges(answer) == []
    assert problem(answer)["type"] == f"{TYPES}not-allowed"
    assert b"secret name" not in answer.body


async def test_answers_of_backends_are_theirs(backend: Upstream) -> None:
    guard = access("VirtualGateway/gateway", methods=[{"apiKey": {}}])
    async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:

        async def refuse(_: Any) -> int:
            return 401

        backend.reply = refuse
        answer = await ask(envoy, "/", ("x-api-key", KEY))
    assert (answer.status, answer.body) == (401, b"ok")
    assert challenges(answer) == []
    assert "x-pointsman-challenge" not in backend.seen[0].headers


async def test_the_second_pass_tells_the_same(backend: Upstream) -> None:
    guard = access("VirtualRouter/books", methods=[{"apiKey": {}}])
    async with serving_with(TABLES, *TWICE, guard, books=backend.port) as envoy:
        answer = await ask(envoy, "/shop/a")
        assert answer.status == 401
        assert challenges(answer) == ['ApiKey realm="pointsman"']
        assert problem(answer)["title"] == "Not authenticated"


async def test_clients_of_grpc_are_told_in_their_own_words(backend: Upstream) -> None:
    guard = access("VirtualGateway/gateway", methods=[{"apiKey": {}}])
    async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
        answer = await ask(envoy, "/", ("content-type", "application/grpc"), method="POST")
    assert answer.header("grpc-status") == "16"
    assert answer.header("content-type") == "application/grpc"
    assert "{" not in (answer.header("grpc-message") or "")


async def test_access_logs_tell_who_called(backend: Upstream, tmp_path: Path) -> None:
    log = tmp_path / "log"
    logging = {"accessLog": {"file": {"path": str(log)}}}
    guard = access("VirtualGateway/gateway", methods=[{"apiKey": {}}])
    documents = (DIRECT[0], gateway(logging=logging), *DIRECT[2:], guard)
    async with serving_with(TABLES, *documents, books=backend.port) as envoy:
        await ask(envoy, "/known", ("x-api-key", KEY))
        await ask(envoy, "/unknown")
        await until(lambda: log.exists() and len(log.read_text().splitlines()) == 2)
    known, unknown = map(json.loads, log.read_text().splitlines())
    assert (known["consumer"], known["credential"]) == ("shop/acme", "k1")
    assert (known["method"], known["path"], known["response_code"]) == ("GET", "/known", 200)
    assert (unknown["consumer"], unknown["credential"]) == (None, None)
    assert KEY not in log.read_text()


async def test_an_audit_counts_what_rules_would_turn_away_and_nothing_else(
    backend: Upstream,
) -> None:
    spec: dict[str, Any] = {
        "methods": [{"apiKey": {}}],
        "sources": {"deny": ["127.0.0.1"]},
        "rules": [{"name": "none", "when": "false"}],
        "audit": True,
    }
    guard = access("VirtualGateway/gateway", **spec)
    async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
        assert (await ask(envoy, "/", ("x-api-key", KEY))).status == 200
        assert (await ask(envoy, "/", ("x-api-key", "wrong"))).status == 401
        assert (await ask(envoy, "/")).status == 401
        assert envoy.stat("http.ingress.rbac.shadow_denied") == 4
