"""A demo backend that calls others, as an application does: through the proxy beside it.

A request's header `x-call` says whom, as one or several `http://` URLs with commas between. The
first one is called, with the others in its own `x-call`, so a request can be led along any chain
and every chain ends.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pointsman.echo.backend import Backend, joined

if TYPE_CHECKING:
    from httpx2 import AsyncClient

HEADER: Final = "x-call"
MOST_CALLS: Final = 8
"""URLs in one header."""
CALL_TIMEOUT_S: Final = 30.0
LONGEST_BODY: Final = 16 * 1024
"""Bytes of an answer that is not JSON which are shown."""

NOT_PASSED_ON: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        HEADER,
    }
)
"""Headers of the one connection or of the body, which the call does not have."""
PREFIXES_NOT_PASSED_ON: Final = ("proxy-", "x-echo-", "x-envoy-", "x-forwarded-")
"""What proxies say to each other, and what steers the one backend that was asked."""


class Caller:
    """Makes the calls of one backend.

    Args:
        backend: whose proxy to call through.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._client: tuple[str, AsyncClient] | None = None

    async def call(self, headers: Mapping[str, str]) -> dict[str, Any] | None:
        """What came of the call a request asks for; None when it asks for none.

        The result has `url` and `status`, `headers`, `body`; or `error` where there is no answer.

        Args:
            headers: of the request, lower-case names to values.

        Raises:
            ValueError: the header cannot be followed; the text says why.
        """
        if HEADER not in headers:
            return None
        urls = [url.strip() for url in headers[HEADER].split(",")]
        if len(urls) > MOST_CALLS:
            raise ValueError(f"{HEADER} has more than {MOST_CALLS} URLs")
        if not self._backend.proxy:
            raise ValueError(f"{HEADER} needs a proxy to call through: pointsman up --mesh")
        passed = {name: value for name, value in headers.items() if is_passed_on(name)}
        if urls[1:]:
            passed[HEADER] = ", ".join(urls[1:])
        return {"url": urls[0], **await self._get(_checked(urls[0]), passed)}

    async def close(self) -> None:
        """Close what is connected."""
        if self._client is not None:
            await self._client[1].aclose()

    async def _get(self, url: str, headers: Mapping[str, str]) -> dict[str, Any]:
        import httpx2  # noqa: PLC0415 - most demos call nobody, and it takes 50 ms

        try:
            client = await self._client_for(self._backend.proxy)
            response = await client.get(url, headers=dict(headers))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            why = str(error) or type(error).__name__
            return {"error": f"no answer by way of {self._backend.proxy}: {why}"}
        received = joined((name, value) for name, value in response.headers.multi_items())
        return {
            "status": response.status_code,
            "headers": received,
            "body": _shown(response.content),
        }

    async def _client_for(self, proxy: str) -> "AsyncClient":
        import httpx2  # noqa: PLC0415

        if self._client is None or self._client[0] != proxy:
            await self.close()
            # There is no TLS here, and reading the system's authorities takes longer than a call.
            client = httpx2.AsyncClient(
                proxy=f"http://{proxy}", timeout=CALL_TIMEOUT_S, trust_env=False, verify=False
            )
            self._client = (proxy, client)
        return self._client[1]


def is_passed_on(name: str) -> bool:
    """Whether a request's header goes along with the call it causes."""
    return name not in NOT_PASSED_ON and not name.startswith(PREFIXES_NOT_PASSED_ON)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"{HEADER} is {url!r}, not an http:// URL")
    return url


def _shown(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body[:LONGEST_BODY].decode("utf-8", "replace")
