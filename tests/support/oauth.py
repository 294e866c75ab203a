"""An authorization server without proxies, and a client that was written from the RFCs.

The client knows nothing of the server but its metadata and what the RFCs say: requests are put
together by hand, tokens are taken apart by hand and checked by `cryptography` alone.
"""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from pointsman.access.credentials import Credentials
from pointsman.access.masterkey import MasterKey
from pointsman.graph.model.access import Consumer
from pointsman.graph.model.authorization_server import AuthorizationServer, Client, Front
from pointsman.oauth.ask import Answer, Ask
from pointsman.oauth.keys import Keys
from pointsman.oauth.service import OAuth
from pointsman.resources.key import Key
from pointsman.state.database import Database
from tests.support.state import HandClock

ISSUER = "https://login.example.com/shop"
API, OTHER_API = "https://api.example.com", "https://other.example.com"
CALLBACK = "https://app.example.com/callback?tenant=1"
VERIFIER = "a-verifier-that-is-long-enough-for-RFC-7636~._"
SERVER = Key("AuthorizationServer", "shop", "login")


def consumer(name: str, namespace: str = "shop") -> Key:
    return Key("Consumer", namespace, name)


MACHINE, WEB, NATIVE, GUARD, STRANGER, ALICE = (
    consumer(name) for name in ("machine", "web", "native", "guard", "stranger", "alice")
)
EVERY = ("authorization_code", "refresh_token")
CLIENTS = (
    Client(MACHINE, ("client_credentials",), (), ("read", "write"), (API, OTHER_API)),
    Client(WEB, EVERY, (CALLBACK,), ("read", "write"), (API,)),
    Client(NATIVE, EVERY, ("http://127.0.0.1/cb", "http://[::1]:7/cb"), ("read",), (API,), True),
    Client(GUARD, (), (), (), (API,), introspects=True),
    Client(STRANGER, (*EVERY, "client_credentials"), (CALLBACK,), ("read",), (OTHER_API,)),
)
SETTINGS = AuthorizationServer(
    front=Front(SERVER, ISSUER),
    access_s=600,
    refresh_s=30 * 86_400,
    idle_s=7 * 86_400,
    code_s=60,
    session_s=3_600,
    audiences=(API, OTHER_API),
    scopes=(("read", "See <all> orders"), ("write", "Change orders")),
    algorithm="ES256",
    rotate_s=30 * 86_400,
    clients=CLIENTS,
    logins=True,
)


def s256(verifier: str) -> str:
    """RFC 7636, section 4.2."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(slots=True)
class Browser:
    """Keeps cookies.

    Attributes:
        cookies: by name.
        address: where it is.
    """

    cookies: dict[str, str] = field(default_factory=dict)
    address: str = "192.0.2.1"

    def headers(self) -> dict[str, str]:
        pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"cookie": pairs} if pairs else {}

    def keep(self, answer: Answer) -> None:
        for name, value in answer.headers:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]


@dataclass(slots=True)
class Place:
    """A server, its state, and everybody's secrets."""

    oauth: OAuth
    keys: Keys
    clock: HandClock
    database: Database
    credentials: Credentials
    master: MasterKey
    secrets: dict[Key, str]
    alice: str
    password: str
    server: AuthorizationServer = SETTINGS
    consumers: dict[Key, Consumer] = field(default_factory=dict)

    async def serve(self, **changes: Any) -> None:
        """Takes other settings."""
        self.server = replace(self.server, **changes)
        await self.follow()

    async def follow(self) -> None:
        await self.keys.refresh([self.server])
        self.oauth.follow({SERVER: self.server}, self.consumers)

    async def ask(
        self,
        method: str,
        path: str,
        form: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        browser: Browser | None = None,
    ) -> Answer:
        """Any request; the path is that below the issuer's."""
        path, _, query = path.partition("?")
        sent = dict(headers or {})
        body = b""
        if form is not None:
            sent.setdefault("content-type", "application/x-www-form-urlencoded")
            body = urlencode(form, doseq=True).encode()
        if browser is not None:
            sent.update(browser.headers())
        address = "" if browser is None else browser.address
        ask = Ask(method, f"/shop{path}", query, sent, body, address)
        answer = await self.oauth.answer(SERVER.path, ask)
        if browser is not None:
            browser.keep(answer)
        return answer

    def basic(self, client: Key, secret: str | None = None) -> dict[str, str]:
        """RFC 6749, section 2.3.1."""
        user, password = quote(client.path, safe=""), quote(secret or self.secrets[client], safe="")
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        return {"authorization": f"Basic {pair}"}

    async def post(self, endpoint: str, client: Key | None, **form: Any) -> tuple[int, Any]:
        """Status and JSON of an endpoint that clients ask."""
        headers = {} if client is None else self.basic(client)
        answer = await self.ask("POST", f"/oauth2/{endpoint}", form, headers)
        assert dict(answer.headers)["cache-control"] == "no-store"
        return answer.status, json.loads(answer.body)

    async def token(self, client: Key | None = MACHINE, **form: Any) -> tuple[int, Any]:
        return await self.post("token", client, **{"grant_type": "client_credentials", **form})

    async def log_in(self, browser: Browser, url: str, password: str | None = None) -> Answer:
        """Follows a request for consent to the page that asks for it."""
        answer = await self.ask("GET", url, browser=browser)
        assert answer.status == 303
        place = relative(answer)
        page = await self.ask("GET", place, browser=browser)
        form = {**hidden(page), "user": self.alice, "password": password or self.password}
        answer = await self.ask("POST", place, form, browser=browser)
        if answer.status != 303:
            return answer
        return await self.ask("GET", relative(answer), browser=browser)

    async def consent(
        self, url: str, decision: str = "allow", browser: Browser | None = None
    ) -> dict[str, str]:
        """What a client is told at the address it gets the browser back at."""
        browser = browser or Browser()
        page = await self.log_in(browser, url)
        form = {**hidden(page), "decision": decision}
        answer = await self.ask("POST", url, form, browser=browser)
        assert answer.status == 303, answer.body
        return told(answer)

    async def code(self, client: Key = WEB, **more: Any) -> str:
        return (await self.consent(authorize(client, **more)))["code"]

    async def redeem(self, code: str, client: Key | None = WEB, **more: Any) -> tuple[int, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            **more,
        }
        return await self.token(client, **{k: v for k, v in form.items() if v is not None})

    async def refresh(self, token: str, client: Key | None = WEB, **more: Any) -> tuple[int, Any]:
        return await self.token(client, grant_type="refresh_token", refresh_token=token, **more)

    async def is_active(self, token: str, client: Key = GUARD) -> bool:
        status, found = await self.post("introspect", client, token=token)
        assert status == 200
        assert found["active"] or found == {"active": False}
        return bool(found["active"])


def authorize(client: Key = WEB, **more: Any) -> str:
    """An address that a client sends a browser to; None leaves a parameter out."""
    found = {
        "response_type": "code",
        "client_id": client.path,
        "redirect_uri": CALLBACK,
        "state": "xyz",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
        **more,
    }
    given = {name: value for name, value in found.items() if value is not None}
    return f"/oauth2/authorize?{urlencode(given, doseq=True)}"


def told(answer: Answer) -> dict[str, str]:
    """What a redirect tells a client."""
    assert answer.location is not None
    return dict(parse_qsl(urlsplit(answer.location).query))


def relative(answer: Answer) -> str:
    """Where a redirect leads, below the issuer's path."""
    assert answer.location is not None
    assert answer.location.startswith("/shop/oauth2/")
    return answer.location.removeprefix("/shop")


def hidden(page: Answer) -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.body)
    return {name: unescape(value) for name, value in found}


def header_of(token: str) -> dict[str, Any]:
    return _part(token, 0)


def claims_of(token: str) -> dict[str, Any]:
    return _part(token, 1)


def _part(token: str, index: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(unbase64(token.split(".")[index]))
    return found


def unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def is_signed(token: str, key_set: Mapping[str, Any]) -> bool:
    """Whether a token is signed by a key of a set (RFC 7515, section 5.2)."""
    head, body, signature = token.split(".")
    header = header_of(token)
    (key,) = (item for item in key_set["keys"] if item["kid"] == header["kid"])
    assert key["alg"] == header["alg"]
    assert key["use"] == "sig"
    assert not set(key) & {"d", "p", "q"}
    signed, raw = f"{head}.{body}".encode(), unbase64(signature)
    try:
        if header["alg"] == "ES256":
            x, y = (int.from_bytes(unbase64(key[name]), "big") for name in "xy")
            numbers = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1())
            r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
            public = numbers.public_key()
            public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
        else:
            n, e = (int.from_bytes(unbase64(key[name]), "big") for name in "ne")
            numbers_rsa = rsa.RSAPublicNumbers(e, n).public_key()
            numbers_rsa.verify(raw, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


@asynccontextmanager
async def place(url: str, **changes: Any) -> AsyncIterator[Place]:
    """A server, with clients that have secrets and one person that has a password."""
    clock = HandClock()
    master = MasterKey.in_memory()
    async with Database(url, clock) as database:
        credentials = Credentials(database, master)
        issued = {
            client.consumer: await credentials.issue(client.consumer, "client", "eve")
            for client in CLIENTS
            if not client.public
        }
        password = await credentials.issue(ALICE, "password", "eve")
        keys = Keys(database, master)
        found = Place(
            OAuth(database, master, keys),
            keys,
            clock,
            database,
            credentials,
            master,
            {key: item.secret.text for key, item in issued.items()},
            password.credential.id,
            password.secret.text,
            consumers={key: Consumer(key) for key in (*(c.consumer for c in CLIENTS), ALICE)},
        )
        found.consumers[MACHINE] = Consumer(MACHINE, ("gold",))
        found.consumers[ALICE] = Consumer(ALICE, ("staff",))
        await found.serve(**changes)
        yield found


def fresh_verifier() -> str:
    return secrets.token_urlsafe(48)
