"""What a token's issuer says of it (RFC 7662), asked once in a while.

This is the one way to prove who one is that asks somebody on the way of a request. Answers are
kept for as long as the policy says, which is how long a revoked token may still pass, and never
beyond the token's own end. Tokens are kept as digests only. While the endpoint is away nobody
gets in, except by answers that the policy lets count for a while longer.
"""

import asyncio
import hashlib
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx2
import structlog

from pointsman.graph.model.methods import OpaqueMethod

log = structlog.get_logger(__name__)

MOST: Final = 10_000
"""Answers that are kept; the one that was not asked for the longest goes first."""
NEGATIVE_S: Final = 2.0
"""Seconds for which a refusal is good at most: a token may be used before its issuer knows it."""
STALE_S: Final = 300.0
"""Seconds for which an answer may count that cannot be asked for anew."""
_LARGEST: Final = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of a token.

    Attributes:
        active: whether it is good; None when nobody could be asked.
        claims: what its issuer says of it.
    """

    active: bool | None
    claims: Mapping[str, Any]


AWAY: Final = Answer(None, {})
INACTIVE: Final = Answer(False, {})


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    until: float
    asked: float


class Introspector:
    """Asks issuers, and remembers what they said.

    Args:
        monotonic: seconds that pass.
        now: seconds since 1970, for the ends of tokens.
        most: answers that are kept.
    """

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        most: int = MOST,
    ) -> None:
        self._monotonic = monotonic
        self._now = now
        self._most = most
        self._methods: dict[str, OpaqueMethod] = {}
        self._kept: OrderedDict[tuple[OpaqueMethod, bytes], _Kept] = OrderedDict()
        self._asking: dict[tuple[OpaqueMethod, bytes], asyncio.Task[Answer]] = {}
        self._clients: dict[str | None, httpx2.AsyncClient] = {}

    def follow(self, methods: Iterable[OpaqueMethod]) -> None:
        """Takes the methods that are in force now. Answers to others are forgotten in time."""
        self._methods = {method.name: method for method in methods}

    def method(self, name: str) -> OpaqueMethod | None:
        """The method of a name; None when none is in force."""
        return self._methods.get(name)

    async def close(self) -> None:
        """Closes all connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def ask(self, method: OpaqueMethod, token: str) -> Answer:
        """What is known of a token; asks whoever issued it when too little is known."""
        key = (method, hashlib.sha256(token.encode()).digest())
        kept = self._kept.get(key)
        if kept is not None and self._is_good(kept):
            self._kept.move_to_end(key)
            return kept.answer
        task = self._asking.get(key)
        if task is None:
            # Many requests with one token ask once.
            task = asyncio.create_task(self._fetch(method, token), name="introspection")
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        answer = await asyncio.shield(task)
        if answer.active is None:
            return self._stale(method, kept)
        self._keep(key, answer)
        return answer

    def _is_good(self, kept: _Kept) -> bool:
        return self._monotonic() < kept.until and self._is_in_time(kept.answer)

    def _is_in_time(self, answer: Answer) -> bool:
        end = answer.claims.get("exp")
        return not isinstance(end, int | float) or self._now() < end

    def _stale(self, method: OpaqueMethod, kept: _Kept | None) -> Answer:
        if kept is None or not method.stale or not kept.answer.active:
            return AWAY
        young = self._monotonic() < kept.asked + STALE_S
        return kept.answer if young and self._is_in_time(kept.answer) else AWAY

    def _keep(self, key: tuple[OpaqueMethod, bytes], answer: Answer) -> None:
        seconds = key[0].cache_ms / 1000
        now = self._monotonic()
        good = seconds if answer.active else min(seconds, NEGATIVE_S)
        self._kept[key] = _Kept(answer, now + good, now)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    async def _fetch(self, method: OpaqueMethod, token: str) -> Answer:
        try:
            async with asyncio.timeout(method.timeout_ms / 1000):
                found = await self._post(method, token)
        except (httpx2.HTTPError, OSError, ValueError, TimeoutError) as error:
            # Neither the token nor the secret is in any of these.
            log.warning("token not looked up", method=method.name, error=type(error).__name__)
            return AWAY
        if found.get("active") is not True:
            return INACTIVE
        answer = Answer(True, found)
        begin = found.get("nbf")
        early = isinstance(begin, int | float) and self._now() < begin
        if early or not self._is_in_time(answer) or not _is_for(method, found.get("aud")):
            return INACTIVE
        return answer

    async def _post(self, method: OpaqueMethod, token: str) -> Mapping[str, Any]:
        secret = await asyncio.to_thread(Path(method.client_secret).read_text, "utf-8")
        # RFC 6749, section 2.3.1: both are form-encoded before they become Basic credentials.
        credentials = (quote(method.client_id, safe=""), quote(secret.rstrip("\r\n"), safe=""))
        response = await self._client(method.ca_file).post(
            method.url,
            data={"token": token, "token_type_hint": "access_token"},
            auth=credentials,
            headers={"accept": "application/json"},
        )
        if response.status_code != 200 or len(response.content) > _LARGEST:
            raise ValueError(f"answered {response.status_code}")
        found = response.json()
        if not isinstance(found, dict):
            raise ValueError("answered no object")
        return found

    def _client(self, ca_file: str | None) -> httpx2.AsyncClient:
        client = self._clients.get(ca_file)
        if client is None:
            context = ssl.create_default_context(cafile=ca_file)
            client = httpx2.AsyncClient(verify=context, timeout=None, trust_env=False)
            self._clients[ca_file] = client
        return client


def _is_for(method: OpaqueMethod, audience: object) -> bool:
    named = audience if isinstance(audience, list) else [audience]
    return not method.audiences or any(name in method.audiences for name in named)
