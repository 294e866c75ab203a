"""Whatever is sent is answered: never by a fault, and never with an address nobody registered."""

import json
import random
from urllib.parse import quote, urlencode

from pointsman.oauth.ask import Ask
from tests.support.oauth import CALLBACK, MACHINE, NATIVE, SERVER, VERIFIER, WEB, Place, s256

ENDPOINTS = ("authorize", "login", "token", "revoke", "introspect", "jwks")
VALUES = {
    "response_type": ("code", "token", 'co"de', "code id_token", "\\", ""),
    "client_id": (WEB.path, NATIVE.path, MACHINE.path, "shop/none", "/", "shop", "é", "a/b/c"),
    "redirect_uri": (CALLBACK, "http://127.0.0.1:1/cb", "https://evil.example", "//x", "\x00", "["),
    "scope": ("read", "read write", "admin", '"', "\\", " ", "read  read"),
    "state": ("xyz", '"><script>', "\r\nset-cookie: a=b", "é", "%0d%0a"),
    "code_challenge": (s256(VERIFIER), "short", "+" * 43),
    "code_challenge_method": ("S256", "plain", "s256"),
    "grant_type": ("client_credentials", "authorization_code", "refresh_token", '"', "urn:x:y"),
    "code": ("x", "\\", "a.b.c"),
    "code_verifier": (VERIFIER, "~"),
    "refresh_token": ("pm_x", "é"),
    "token": ("x", "a.b.c", ".", "..", "e30.e30.e30", "\ud83d\ude00"),
    "token_type_hint": ("access_token", "refresh_token", "x"),
    "client_secret": ("x", '"'),
    "resource": ("https://api.example.com", "x", "https://other.example.com"),
    "form": ("x", "é"),
    "user": ("x", "\x00"),
    "password": ("x", "é"),
    "decision": ("allow", "deny", "leave"),
    '"': ("x",),
}
AUTHORIZATIONS = ("", "Basic", "Basic x", "Basic w6k6w6k=", "Bearer x", "Basic Og==", "\xe9")


def some(chance: random.Random) -> str:
    """Some parameters; a few of them twice."""
    names = chance.choices(list(VALUES), k=chance.randrange(9))
    must = ("response_type", "client_id", "redirect_uri", "code_challenge", "code_challenge_method")
    names += must if chance.random() < 0.7 else ()
    pairs = [
        (name, VALUES[name][0] if chance.random() < 0.6 else chance.choice(VALUES[name]))
        for name in (names if chance.random() < 0.1 else dict.fromkeys(names))
    ]
    return urlencode(pairs, errors="surrogatepass")


async def test_anything_is_answered(at: Place) -> None:
    chance = random.Random(7)
    statuses: set[int] = set()
    for _ in range(3_000):
        endpoint, method = (
            chance.choice(ENDPOINTS),
            chance.choice(("GET", "POST", "PUT", "OPTIONS")),
        )
        headers = {"content-type": chance.choice(("application/x-www-form-urlencoded", "x"))}
        secret = at.basic(chance.choice((MACHINE, WEB)))["authorization"]
        authorization = chance.choice((*AUTHORIZATIONS, secret, secret))
        if authorization:
            headers["authorization"] = authorization
        headers["cookie"] = chance.choice(("", "__Host-pm-oauth=x", "=;;==", quote("é")))
        query = some(chance) if endpoint in ("authorize", "login") else ""
        body = some(chance).encode() + chance.choice((b"", b"\xff", b"%zz"))
        ask = Ask(method, f"/shop/oauth2/{endpoint}", query, headers, body, "192.0.2.1")
        answer = await at.oauth.answer(SERVER.path, ask)
        statuses.add(answer.status)
        location = answer.location or "/shop/oauth2/"
        own = (CALLBACK, "http://127.0.0.1:1/cb", "/shop/oauth2/")
        assert location.startswith(own), ask
        assert not any("\n" in value or "\r" in value for _, value in answer.headers)
        assert "<script" not in answer.body
        if dict(answer.headers).get("content-type") == "application/json":
            json.loads(answer.body)
    assert statuses == {200, 204, 303, 400, 401, 403, 405}
