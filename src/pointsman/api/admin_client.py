"""Administers a running instance over its Unix socket."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from pointsman.api.pages import MOST_ITEMS
from pointsman.errors import InstanceError, RefusedError

TIMEOUT_S = 15.0


class AdminClient:
    """A client of one instance; use it as a context manager.

    Args:
        path: its socket.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.stem
        self._http = httpx2.Client(
            # There is no TLS on a socket, and loading authorities takes 50 ms of a start.
            transport=httpx2.HTTPTransport(uds=str(path), verify=False),
            base_url="http://pointsman/v1",
            timeout=TIMEOUT_S,
        )

    def __enter__(self) -> "AdminClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(
        self,
        method: str,
        *path: str,
        json: Any = None,
        query: Mapping[str, str | int | None] | None = None,
    ) -> Any:
        """What is answered, from JSON; None for nothing.

        Args:
            method: HTTP method.
            path: parts of the path below `/v1`.
            json: body.
            query: parameters; those that are None are left out.

        Raises:
            RefusedError: what is asked cannot be done.
            InstanceError: the instance does not answer.
        """
        url = "/" + "/".join(quote(part, safe="") for part in path)
        given = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = self._http.request(method, url, json=json, params=given)
        except httpx2.TimeoutException:
            raise InstanceError(f"instance {self._name} does not answer in time") from None
        except httpx2.HTTPError as error:
            raise InstanceError(f"instance {self._name} does not answer: {error}") from None
        if not answer.is_success:
            raise RefusedError(_reason(answer), status=answer.status_code)
        return answer.json() if answer.content else None

    def every(
        self, *path: str, query: Mapping[str, str | int | None] | None = None
    ) -> Iterator[dict[str, Any]]:
        """All items of a list, page by page."""
        asked = {"limit": MOST_ITEMS, **(query or {})}
        cursor: str | None = None
        while True:
            page = self.ask("GET", *path, query={**asked, "cursor": cursor})
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return


def _reason(answer: httpx2.Response) -> str:
    try:
        detail: str = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return f"it answers {answer.status_code}"
    return detail
