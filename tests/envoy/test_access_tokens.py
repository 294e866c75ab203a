"""AccessPolicy by traffic: signed tokens, by keys at hand and by keys that proxies fetch."""

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc import jwk, jwt

from tests.envoy.test_access_keys import DIRECT, access, ask
from tests.support.credentials import who, with_tables
from tests.support.http1 import Answer
from tests.support.manifests import Document
from tests.support.scenes import serving, serving_with
from tests.support.upstream import Upstream, upstream

pytestmark = pytest.mark.envoy

ISSUER = "https://idp.test"
RSA = jwk.RSAKey.generate_key(2048, {"kid": "rsa", "alg": "RS256"}, private=True)
EC = jwk.ECKey.generate_key("P-256", {"kid": "ec", "alg": "ES256"}, private=True)
STRANGER = jwk.RSAKey.generate_key(2048, {"kid": "rsa", "alg": "RS256"}, private=True)
KEY_SET = json.dumps({"keys": [key.as_dict(private=False) for key in (RSA, EC)]})
SUBJECTS = with_tables(subjects={f"{ISSUER} acme-app": who("acme", "token", "gold")})


@pytest.fixture
async def backend() -> AsyncIterator[Upstream]:
    async with upstream() as found:
        yield found


def claims(**changed: Any) -> dict[str, Any]:
    """Good claims, changed; None leaves one out."""
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": "books",
        "sub": "u1",
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "client_id": "acme-app",
        "scope": "read write",
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def token(key: Any = RSA, alg: str = "RS256", **changed: Any) -> str:
    kid = key.kid or "rsa"
    return jwt.encode({"alg": alg, "kid": kid}, claims(**changed), key, algorithms=[alg])


def handmade(header: dict[str, Any], body: dict[str, Any], signature: bytes = b"") -> str:
    """A token that no library would make."""
    parts = (json.dumps(header).encode(), json.dumps(body).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def tokens(**more: Any) -> Document:
    method = {"issuer": ISSUER, "audiences": ["books"], "jwks": {"inline": KEY_SET}, **more}
    return access("VirtualGateway/gateway", methods=[{"jwt": method}])


def bearer(text: str) -> tuple[str, str]:
    return "authorization", f"Bearer {text}"


def _confused() -> str:
    """A token signed with the public key as if it were a shared secret."""
    unsigned = handmade({"alg": "HS256", "kid": "rsa"}, claims()).rpartition(".")[0]
    digest = hmac.digest(RSA.as_pem(private=False), unsigned.encode(), "sha256")
    return f"{unsigned}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


GOOD = {"rsa": token(), "ec": token(EC, "ES256"), "several audiences": token(aud=["x", "books"])}


def bad() -> dict[str, str]:
    """Tokens that must be refused. Made when asked for: some are about the present."""
    return {
        "algorithm none": handmade({"alg": "none"}, claims()),
        "algorithm none, key named": handmade({"alg": "none", "kid": "rsa"}, claims()),
        "algorithm confusion": _confused(),
        "signature missing": token().rpartition(".")[0] + ".",
        "signature of another key": token(STRANGER),
        "key id with a path": handmade({"alg": "RS256", "kid": "../../dev/null"}, claims(), b"x"),
        "key in the header": handmade(
            {"alg": "RS256", "jwk": STRANGER.as_dict(private=False)}, claims(), b"x"
        ),
        "expired": token(exp=int(time.time()) - 120),
        "not yet valid": token(nbf=int(time.time()) + 120),
        "without an end": token(exp=None),
        "wrong issuer": token(iss="https://idp.test.evil"),
        "issuer with a slash": token(iss=f"{ISSUER}/"),
        "wrong audience": token(aud="films"),
        "no audience": token(aud=None),
        "no token": "x",
        "two dots": "..",
        "changed payload": ".".join(
            (token().split(".")[0], handmade({}, claims(scope="admin")).split(".")[1], "x")
        ),
    }


async def test_tokens_of_both_algorithms_pass(backend: Upstream) -> None:
    async with serving(*DIRECT, tokens(), books=backend.port) as envoy:
        for name, text in GOOD.items():
            assert (await ask(envoy, "/", bearer(text))).status == 200, name
    assert all("authorization" not in seen.headers for seen in backend.seen)


async def test_forged_and_stale_tokens_are_turned_away(backend: Upstream) -> None:
    async with serving(*DIRECT, tokens(), books=backend.port) as envoy:
        answers = {name: await ask(envoy, "/", bearer(text)) for name, text in bad().items()}
        statuses = {name: answer.status for name, answer in answers.items()}
        assert statuses == {name: 403 if "audience" in name else 401 for name in answers}
        assert (await ask(envoy, "/")).status == 401
        assert (await ask(envoy, f"/?access_token={token()}")).status == 401
        assert (await ask(envoy, "/", ("cookie", f"token={token()}"))).status == 401
    assert backend.seen == []
    assert all(_challenge(answer) for answer in answers.values() if answer.status == 401)


def _challenge(answer: Answer) -> bool:
    return (answer.header("www-authenticate") or "").startswith("Bearer realm=")


async def test_clocks_may_differ_by_the_skew(backend: Upstream) -> None:
    late, early = token(exp=int(time.time()) - 30), token(nbf=int(time.time()) + 30)
    async with serving(*DIRECT, tokens(clockSkew=60), books=backend.port) as envoy:
        assert [(await ask(envoy, "/", bearer(t))).status for t in (late, early)] == [200, 200]
    async with serving(*DIRECT, tokens(clockSkew=5), books=backend.port) as envoy:
        assert [(await ask(envoy, "/", bearer(t))).status for t in (late, early)] == [401, 401]


async def test_a_token_may_be_in_other_places(backend: Upstream) -> None:
    places = {"headers": ["x-token"], "query": ["token"], "cookies": ["session"]}
    async with serving(*DIRECT, tokens(**places), books=backend.port) as envoy:
        assert (await ask(envoy, "/", ("x-token", token()))).status == 200
        assert (await ask(envoy, f"/?token={token()}")).status == 200
        assert (await ask(envoy, "/", ("cookie", f"a=b; session={token()}"))).status == 200
        assert (await ask(envoy, "/", bearer(token()))).status == 401


async def test_scopes_and_claims_are_demanded(backend: Upstream) -> None:
    wanted = {
        "scopes": ["read", "write"],
        "claims": [{"claim": "realm.roles", "values": ["admin", "7"]}],
    }
    cases = {
        (("read write", ("admin",)), 200),
        (("read write more", ("x", "admin")), 200),
        (("read", ("admin",)), 403),
        (("readwrite", ("admin",)), 403),
        (("read write", ("adm",)), 403),
        (("read write", 7), 200),
        (("read write", "admin"), 200),
        (("read write", None), 403),
    }
    async with serving(*DIRECT, tokens(**wanted), books=backend.port) as envoy:
        for (scope, roles), status in sorted(cases, key=str):
            listed = list(roles) if isinstance(roles, tuple) else roles
            text = token(scope=scope, realm={"roles": listed})
            assert (await ask(envoy, "/", bearer(text))).status == status, (scope, roles)


async def test_claims_become_headers_that_callers_cannot_write(backend: Upstream) -> None:
    methods = [
        {
            "jwt": {
                "issuer": ISSUER,
                "jwks": {"inline": KEY_SET},
                "claimHeaders": [{"claim": "email", "header": "x-email"}],
            }
        },
        {"apiKey": {}},
    ]
    guard = access("VirtualGateway/gateway", methods=methods)
    keys = with_tables(keys={"k": who("acme", "k1")})
    forged = ("x-email", "root@books.test")
    async with serving_with(keys, *DIRECT, guard, books=backend.port) as envoy:
        for text in (token(email="a@b.test"), token()):
            assert (await ask(envoy, "/", bearer(text), forged)).status == 200
        assert (await ask(envoy, "/", ("x-api-key", "k"), forged)).status == 200
    assert [seen.headers.get("x-email") for seen in backend.seen] == ["a@b.test", None, None]


async def test_a_token_speaks_for_a_consumer(backend: Upstream) -> None:
    guard = tokens(consumer={})
    forged = ("x-pointsman-subject", "acme-app")
    async with serving_with(SUBJECTS, *DIRECT, guard, books=backend.port) as envoy:
        assert (await ask(envoy, "/", bearer(token()))).status == 200
        assert (await ask(envoy, "/", bearer(token(client_id="other")), forged)).status == 401
        assert (await ask(envoy, "/", bearer(token(client_id=None)), forged)).status == 401
    (seen,) = backend.seen
    assert seen.headers["x-pointsman-consumer"] == "shop/acme"
    assert seen.headers["x-pointsman-groups"] == ",gold,"
    assert "x-pointsman-subject" not in seen.headers


async def test_keys_are_fetched_and_their_outage_turns_tokens_away(backend: Upstream) -> None:
    async with upstream() as issuer:
        issuer.body = KEY_SET.encode()
        jwks = {
            "url": f"http://127.0.0.1:{issuer.port}/keys",
            "cacheFor": {"unit": "ms", "value": 50},
            "timeout": {"unit": "s", "value": 1},
        }
        guard = tokens(jwks=jwks)
        async with serving(*DIRECT, guard, books=backend.port) as envoy:
            assert (await ask(envoy, "/", bearer(token()))).status == 200
            issuer.body = b"out of order"
            status = 200
            deadline = time.monotonic() + 10
            while status == 200 and time.monotonic() < deadline:
                status = (await ask(envoy, "/", bearer(token()))).status
            assert status == 401
            issuer.body = KEY_SET.encode()
            while status == 401 and time.monotonic() < deadline:
                status = (await ask(envoy, "/", bearer(token()))).status
            assert status == 200
    assert issuer.seen[0].target == "/keys"


async def test_a_key_that_is_withdrawn_ends_tokens_it_signed(backend: Upstream) -> None:
    async with upstream() as issuer:
        issuer.body = KEY_SET.encode()
        jwks = {
            "url": f"http://127.0.0.1:{issuer.port}/keys",
            "cacheFor": {"unit": "ms", "value": 50},
        }
        text = token()
        async with serving(*DIRECT, tokens(jwks=jwks), books=backend.port) as envoy:
            assert (await ask(envoy, "/", bearer(text))).status == 200
            issuer.body = json.dumps({"keys": [EC.as_dict(private=False)]}).encode()
            status = 200
            deadline = time.monotonic() + 10
            while status == 200 and time.monotonic() < deadline:
                status = (await ask(envoy, "/", bearer(text))).status
            assert status == 401


async def test_a_token_that_was_good_ends_with_its_time(backend: Upstream) -> None:
    text = token(exp=int(time.time()) + 2)
    async with serving(*DIRECT, tokens(clockSkew=1), books=backend.port) as envoy:
        assert (await ask(envoy, "/", bearer(text))).status == 200
        status = 200
        deadline = time.monotonic() + 10
        while status == 200 and time.monotonic() < deadline:
            status = (await ask(envoy, "/", bearer(text))).status
        assert status == 401
