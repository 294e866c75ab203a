"""Envoy's administration interface, over its Unix socket.

Only the questions Pointsman asks. What the answers mean is for the callers.
"""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx2

from pointsman.errors import EnvoyError

TIMEOUT_S: Final = 5.0
DUMP_TIMEOUT_S: Final = 30.0
"""A dump of 10,000 routes takes Envoy's main thread seconds."""

_ACTIVE_REQUESTS = r"^http\..*\.downstream_rq_active$"


class AdminClient:
    """Talks to one Envoy; a context manager, or call `close`.

    Every method raises EnvoyError when Envoy does not answer, or answers with an error.
    """

    def __init__(self, socket: Path) -> None:
        # There is no TLS on a socket, and loading authorities takes 50 ms of a start.
        transport = httpx2.AsyncHTTPTransport(uds=str(socket), verify=False)
        # No keep-alive connection survives a restart of Envoy, and each would count as active.
        self._client = httpx2.AsyncClient(
            transport=transport,
            base_url="http://envoy",
            timeout=TIMEOUT_S,
            trust_env=False,
            headers={"connection": "close"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def state(self) -> str:
        """Envoy's state: LIVE, DRAINING, PRE_INITIALIZING or INITIALIZING."""
        response = await self._request("GET", "/ready", accept=(200, 503))
        return response.text.strip()

    async def server_info(self) -> dict[str, Any]:
        """Envoy's version, uptime, node and command line (envoy.admin.v3.ServerInfo)."""
        return await self._json("/server_info")

    async def stats(self, pattern: str = "") -> dict[str, int]:
        """Counters and gauges whose name matches the regular expression, by name."""
        parameters = {"format": "json", "type": "All"} | ({"filter": pattern} if pattern else {})
        answer = await self._json("/stats", parameters)
        return {
            entry["name"]: entry["value"]
            for entry in answer["stats"]
            if isinstance(entry.get("value"), int)
        }

    async def active_requests(self) -> int:
        """HTTP requests being answered now, without those to the administration itself."""
        gauges = await self.stats(_ACTIVE_REQUESTS)
        return sum(value for name, value in gauges.items() if not name.startswith("http.admin."))

    async def config_dump(self, *, include_endpoints: bool = True) -> dict[str, Any]:
        """The configuration in force (envoy.admin.v3.ConfigDump)."""
        parameters = {"include_eds": ""} if include_endpoints else {}
        return await self._json("/config_dump", parameters, timeout_s=DUMP_TIMEOUT_S)

    async def clusters(self) -> dict[str, Any]:
        """Clusters with their endpoints and health (envoy.admin.v3.Clusters)."""
        return await self._json("/clusters", {"format": "json"}, timeout_s=DUMP_TIMEOUT_S)

    async def listeners(self) -> dict[str, Any]:
        """Listeners with the addresses they are bound to (envoy.admin.v3.Listeners)."""
        return await self._json("/listeners", {"format": "json"})

    async def drain_listeners(self) -> None:
        """Accept no more connections; those that exist close after the request they carry."""
        await self._request("POST", "/drain_listeners")

    async def _json(
        self,
        path: str,
        parameters: dict[str, str] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> dict[str, Any]:
        response = await self._request("GET", path, parameters, timeout_s=timeout_s)
        try:
            answer = response.json()
        except json.JSONDecodeError:
            raise EnvoyError(f"Envoy answered {path} with something other than JSON") from None
        if not isinstance(answer, dict):
            raise EnvoyError(f"Envoy answered {path} with something other than an object")
        return answer

    async def _request(
        self,
        method: str,
        path: str,
        parameters: dict[str, str] | None = None,
        *,
        accept: tuple[int, ...] = (200,),
        timeout_s: float = TIMEOUT_S,
    ) -> httpx2.Response:
        try:
            response = await self._client.request(
                method, path, params=parameters, timeout=timeout_s
            )
        except httpx2.TransportError as error:
            reason = str(error) or type(error).__name__
            raise EnvoyError(f"Envoy's administration does not answer: {reason}") from None
        if response.status_code not in accept:
            text = response.text.strip()[:200]
            raise EnvoyError(f"Envoy answered {path} with {response.status_code}: {text}")
        return response
