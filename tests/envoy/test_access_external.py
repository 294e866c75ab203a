"""AccessPolicy by traffic: servers that decide, by gRPC and by HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.envoy.test_access_keys import DIRECT, KEY, TABLES, access, ask
from tests.support.authz import allowed, authz, denied
from tests.support.manifests import Document
from tests.support.scenes import serving, serving_with
from tests.support.upstream import Seen, Upstream, upstream

pytestmark = pytest.mark.envoy


@pytest.fixture
async def backend() -> AsyncIterator[Upstream]:
    async with upstream() as found:
        yield found


def asking(external: dict[str, Any], **spec: Any) -> Document:
    return access("VirtualGateway/gateway", external=external, **spec)


async def test_a_grpc_server_decides_and_says_nothing_of_who_calls(backend: Upstream) -> None:
    def answer(request: Any) -> Any:
        path = request.attributes.request.http.path
        if path.startswith("/no"):
            return denied(418, "a teapot")
        return allowed(x_plan="gold", x_other="1", x_pointsman_consumer="shop/root")

    async with authz(answer) as server:
        external = {
            "grpc": f"http://127.0.0.1:{server.port}",
            "headers": ["x-user"],
            "takeOver": ["X-Plan"],
        }
        guard = asking(external, methods=[{"apiKey": {}}])
        async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
            mine = (("x-api-key", KEY), ("x-user", "ann"), ("x-secret", "s"), ("x-plan", "forged"))
            assert (await ask(envoy, "/a", *mine)).status == 200
            teapot = await ask(envoy, "/no", ("x-api-key", KEY))
            assert (await ask(envoy, "/a", ("x-user", "ann"))).status == 401
    assert (teapot.status, teapot.body) == (418, b"a teapot")
    assert len(server.asked) == 2
    told = server.asked[0].attributes.request.http.headers
    assert told["x-user"] == "ann"
    assert told["x-pointsman-consumer"] == "shop/acme"
    assert "x-secret" not in told
    assert "x-api-key" not in told
    (seen,) = backend.seen
    assert seen.headers["x-plan"] == "gold"
    assert seen.headers["x-pointsman-consumer"] == "shop/acme"
    assert "x-other" not in seen.headers


async def test_a_server_can_take_away_nothing_of_who_calls(backend: Upstream) -> None:
    def answer(_: Any) -> Any:
        found = allowed()
        found.ok_response.headers_to_remove.extend(["x-pointsman-consumer", "x-kept"])
        return found

    async with authz(answer) as server:
        external = {"grpc": f"http://127.0.0.1:{server.port}"}
        guard = asking(external, methods=[{"apiKey": {}}])
        async with serving_with(TABLES, *DIRECT, guard, books=backend.port) as envoy:
            assert (await ask(envoy, "/a", ("x-api-key", KEY), ("x-kept", "1"))).status == 200
    assert backend.seen[0].headers["x-pointsman-consumer"] == "shop/acme"
    assert backend.seen[0].headers["x-kept"] == "1"


async def test_what_callers_send_is_not_taken_for_what_the_server_says(backend: Upstream) -> None:
    async with authz(lambda _: allowed()) as server:
        external = {"grpc": f"http://127.0.0.1:{server.port}", "takeOver": ["x-plan"]}
        async with serving(*DIRECT, asking(external), books=backend.port) as envoy:
            assert (await ask(envoy, "/a", ("x-plan", "forged"), ("X-PLAN", "gold"))).status == 200
    assert "x-plan" not in backend.seen[0].headers


async def test_an_http_server_decides(backend: Upstream) -> None:
    async def reply(seen: Seen) -> int:
        return 403 if "no" in seen.target else 200

    async with upstream(reply) as server:
        server.body = b"not you"
        server.headers = (("x-plan", "gold"), ("x-pointsman-groups", ",root,"), ("x-more", "1"))
        address = f"http://127.0.0.1:{server.port}/check"
        external = {"http": address, "takeOver": ["x-plan"]}
        async with serving(*DIRECT, asking(external), books=backend.port) as envoy:
            sent = (("authorization", "Bearer x"), ("x-secret", "s"), ("x-plan", "forged"))
            assert (await ask(envoy, "/a?b=1", *sent)).status == 200
            refused = await ask(envoy, "/no")
    assert (refused.status, refused.body) == (403, b"not you")
    assert server.seen[0].target == "/check/a?b=1"
    assert server.seen[0].headers["authorization"] == "Bearer x"
    assert "x-secret" not in server.seen[0].headers
    assert backend.seen[0].headers["x-plan"] == "gold"
    assert "x-more" not in backend.seen[0].headers
    assert "x-pointsman-groups" not in backend.seen[0].headers


@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize(("away", "status"), [("deny", 503), ("allow", 200)])
async def test_a_server_that_is_away(
    backend: Upstream, protocol: str, away: str, status: int
) -> None:
    async with upstream() as nobody:
        pass
    external = {protocol: f"http://127.0.0.1:{nobody.port}", "whenAway": away}
    async with serving(*DIRECT, asking(external), books=backend.port) as envoy:
        assert (await ask(envoy, "/a")).status == status
    assert len(backend.seen) == (status == 200)


async def test_a_server_that_is_too_slow_is_away(backend: Upstream) -> None:
    async with upstream() as slow:

        async def never(_: Seen) -> int:
            raise ConnectionError

        slow.reply = never
        external = {
            "http": f"http://127.0.0.1:{slow.port}",
            "timeout": {"unit": "ms", "value": 100},
        }
        async with serving(*DIRECT, asking(external), books=backend.port) as envoy:
            assert (await ask(envoy, "/a")).status == 503


async def test_a_server_sees_as_much_of_the_body_as_the_policy_says(backend: Upstream) -> None:
    async with authz(lambda _: allowed()) as server:
        address = f"http://127.0.0.1:{server.port}"
        for partial, status in ((True, 200), (False, 413)):
            external = {"grpc": address, "body": {"maxBytes": 8, "partial": partial}}
            async with (
                serving(*DIRECT, asking(external), books=backend.port) as envoy,
                envoy.client(8080) as client,
            ):
                answer = await client.ask("POST", "/a", "shop.test", (), b"0123456789abcdef")
                assert answer.status == status
    (asked,) = server.asked
    assert asked.attributes.request.http.raw_body == b"01234567"


async def test_what_rules_turn_away_is_not_asked_about(backend: Upstream) -> None:
    rules = [{"name": "no", "action": "deny", "paths": [{"prefix": "/admin"}]}]
    async with authz(lambda _: allowed()) as server:
        external = {"grpc": f"http://127.0.0.1:{server.port}"}
        guard = asking(external, rules=rules)
        async with serving(*DIRECT, guard, books=backend.port) as envoy:
            assert (await ask(envoy, "/admin")).status == 403
            assert (await ask(envoy, "/a")).status == 200
    assert len(server.asked) == 1
