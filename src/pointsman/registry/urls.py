"""A registry document that some other program serves over HTTP."""

import asyncio
from typing import Final

import httpx2
import structlog

from pointsman.registry.document import parse
from pointsman.registry.pace import INTERVAL_S, pause
from pointsman.registry.registry import Registry
from pointsman.resources.problem import Problem

TIMEOUT_S: Final = 5.0
MOST_BYTES: Final = 16 * 1024 * 1024

log = structlog.get_logger(__name__)


class RegistryUrl:
    """Asks for a registry document again and again, by its entity tag where it has one.

    A document with errors, and no answer at all, leave in force what was last good.

    Args:
        registry: has a source of the URL's name.
        url: `http://` or `https://`.
        interval_s: seconds between two questions.
    """

    def __init__(self, registry: Registry, url: str, *, interval_s: float = INTERVAL_S) -> None:
        self._registry = registry
        self._url = url
        self._interval_s = interval_s
        self._tag = ""
        self._problems: tuple[Problem, ...] = ()
        self._asked = asyncio.Event()

    async def run(self) -> None:
        """Asks until it is cancelled."""
        failures = 0
        async with httpx2.AsyncClient(timeout=TIMEOUT_S, follow_redirects=True) as client:
            while True:
                try:
                    async with asyncio.timeout(2 * TIMEOUT_S):
                        await self._ask(client)
                    failures = 0
                except Exception as error:
                    # Whatever goes wrong, asking goes on and what is known stays.
                    failures += 1
                    self._failed(str(error) or type(error).__name__)
                self._asked.set()
                await asyncio.sleep(pause(self._interval_s, failures))

    async def answered(self, seconds: float) -> None:
        """Waits until it was asked once, with or without success, or so long."""
        await asyncio.wait([waiter := asyncio.ensure_future(self._asked.wait())], timeout=seconds)
        waiter.cancel()

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the newest document, located."""
        return self._problems

    async def _ask(self, client: httpx2.AsyncClient) -> None:
        headers = {"if-none-match": self._tag} if self._tag else {}
        async with client.stream("GET", self._url, headers=headers) as answer:
            if answer.status_code == 304:
                return
            answer.raise_for_status()
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise ValueError(f"more than {MOST_BYTES} bytes")
        self._read(body.decode("utf-8-sig", "surrogateescape"))
        # After a failure everything is to be told once more, so that it is over.
        self._tag = answer.headers.get("etag", "") if not self._problems else ""

    def _read(self, text: str) -> None:
        found = parse(self._url, text)
        self._problems = found.problems
        if found.problems:
            self._failed("the document has errors")
        else:
            self._registry.replace(self._url, found.held)

    def _failed(self, message: str) -> None:
        self._tag = ""
        log.warning("no registry to be had", url=self._url, error=message)
        self._registry.fail(self._url, message)
