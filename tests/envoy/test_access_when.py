"""AccessPolicy by traffic: rules by expressions, and rules where the path has been rewritten."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from pointsman.resources.expression import fault
from tests.envoy.test_access_keys import DIRECT, KEY, TABLES, TWICE, access, ask
from tests.envoy.test_access_tokens import bearer, token, tokens
from tests.support.manifests import Document
from tests.support.scenes import serving, serving_with
from tests.support.upstream import Upstream, upstream

pytestmark = pytest.mark.envoy


@pytest.fixture
async def backend() -> AsyncIterator[Upstream]:
    async with upstream() as found:
        yield found


def rule(action: str, when: str, **more: Any) -> dict[str, Any]:
    return {"name": "when", "action": action, "when": when, **more}


def ruled(*rules: dict[str, Any]) -> Document:
    return access("VirtualGateway/gateway", rules=list(rules))


SIZE = "int(request.headers['n']) > 3 && request.path.startsWith('/a')"


async def test_an_expression_that_has_no_value_is_decided_safely(backend: Upstream) -> None:
    cases = ((("n", "5"), 200, 403), (("n", "1"), 403, 200), (("n", "x"), 403, 403))
    for action, place in (("allow", 1), ("deny", 2)):
        async with serving(*DIRECT, ruled(rule(action, SIZE)), books=backend.port) as envoy:
            for case in cases:
                forged = ("x-pointsman-when-0", "true" if action == "allow" else "false")
                answer = await ask(envoy, "/a", case[0], forged)
                assert answer.status == case[place], (action, case)
            assert (await ask(envoy, "/a")).status == 403
    assert not any(name.startswith("x-pointsman") for seen in backend.seen for name in seen.headers)


async def test_an_expression_sees_claims(backend: Upstream) -> None:
    claim = "metadata.filter_metadata['envoy.filters.http.jwt_authn'].token.email"
    guard = tokens()
    guard["spec"]["rules"] = [rule("allow", f"{claim}.endsWith('@books.test')")]
    async with serving(*DIRECT, guard, books=backend.port) as envoy:
        for email, status in (("a@books.test", 200), ("a@evil.test", 403), (None, 403)):
            text = token(email=email) if email else token()
            assert (await ask(envoy, "/", bearer(text))).status == status


GOOD = (
    SIZE,
    "true",
    "request.method in ['GET', 'HEAD'] || !(request.size < 10)",
    "'n' in request.headers ? true : false",
    "has(request.headers.a) && size(request.path) % 2 == 1",
    "(size(request.path) + 1) % 2 == 0",
    "request.path.matches(r'/a\\.b$') || request.path == \"/'\"",
    "request.time > timestamp('2020-01-01T00:00:00Z')",
    "request.time.getHours() < 24 && duration('1s') < duration('2s')",
    "source.address.contains('127.') || connection.mtls || connection.id > 0u",
    "{'a': 1}['a'] == 1 && [1, 2][0] == 1 && -1 < 0 && 1.5e3 > 1.0 && 0x1 == 1",
    "double(1) == 1.0 && uint(1) == 1u && type(1) == type(2)",
    "bytes('a') == b'a' && dyn(1) == 1 && bool('true')",
    "xds.route_name != '' || destination.port == 1",
)
BAD = (
    "request.path ==",
    "== 1",
    "request.path = '/a'",
    "(true",
    "true)",
    "true true",
    "'open",
    "request..path",
    "request.headers['a'",
    "unknown.path == 1",
    "exec('x')",
    "[1].all(x, x > 0)",
    "if == 1",
    "string(1) == '1'",
    "contains('a')",
    "request.path.contains()",
    "has(request)",
    "size() == 1",
    r"'\q' == 'q'",
    "request.path.matches('a[')",
    "true ? true ? 1 : 2 : 3",
    "99999999999999999999 == 1",
    "1 ? 2",
    "true)%2",
    "true\n&& true",
    "a@b",
    "(" * 40 + "true" + ")" * 40,
)


async def test_what_is_taken_for_an_expression_is_one_for_envoy(backend: Upstream) -> None:
    assert {text: fault(text) for text in GOOD} == dict.fromkeys(GOOD)
    rules = [{**rule("allow", text), "name": f"r{i}"} for i, text in enumerate(GOOD)]
    async with serving(*DIRECT, ruled(*rules), books=backend.port) as envoy:
        assert (await ask(envoy, "/a")).status == 200


def test_what_is_none_is_told() -> None:
    assert [text for text in BAD if fault(text) is None] == []


async def test_rules_of_routes_see_the_path_as_it_came(backend: Upstream) -> None:
    guard = access(
        "VirtualRouter/books",
        methods=[{"apiKey": {}}],
        rules=[
            {"name": "in", "paths": [{"prefix": "/shop/a"}, {"exact": "/shop/x"}]},
            {"name": "re", "paths": [{"regex": "/shop/[b-c]+"}]},
            {"name": "no", "action": "deny", "paths": [{"exact": "/shop/abc"}]},
        ],
    )
    wanted = {
        "/shop/a": 200,
        "/shop/ab": 200,
        "/shop/x?y=1": 200,
        "/shop/xy": 403,
        "/shop/bc?a": 200,
        "/shop/bd": 403,
        "/shop/abc": 403,
        "/shop/abc?x": 403,
    }
    async with serving_with(TABLES, *TWICE, guard, books=backend.port) as envoy:
        found = {
            path: (
                await ask(envoy, path, ("x-api-key", KEY), ("x-pointsman-path", "/shop/a"))
            ).status
            for path in wanted
        }
        assert (await ask(envoy, "/shop/a")).status == 401
    assert found == wanted
    assert {seen.target for seen in backend.seen} == {"/a", "/ab", "/x?y=1", "/bc?a"}
    assert not any("x-pointsman-path" in seen.headers for seen in backend.seen)
