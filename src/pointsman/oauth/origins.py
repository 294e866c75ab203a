"""Which pages of browsers may read what is answered (CORS, as the Fetch standard has it).

What everybody may read, every page may. Tokens are for pages of clients that are such a page: the
origins of redirect addresses of public clients. Cookies are never sent along.
"""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from pointsman.graph.model.authorization_server import AuthorizationServer
from pointsman.oauth.ask import Answer, Ask

_PUBLIC: Final = ("discovery", "jwks")
_CLIENTS: Final = ("token", "revoke")
_ALLOWED: Final = (
    ("access-control-allow-methods", "GET, POST"),
    ("access-control-allow-headers", "authorization, content-type"),
    ("access-control-max-age", "600"),
)


def preflight(server: AuthorizationServer, endpoint: str, ask: Ask) -> Answer:
    """The answer to a browser that asks whether it may ask."""
    headers = [*origin_headers(server, endpoint, ask)]
    allowed = _ALLOWED if dict(headers).get("access-control-allow-origin") else ()
    return Answer(204, [*headers, *allowed])


def origin_headers(
    server: AuthorizationServer, endpoint: str, ask: Ask
) -> Iterator[tuple[str, str]]:
    """Headers that let a page read an answer, if it may."""
    if endpoint in _PUBLIC:
        yield "access-control-allow-origin", "*"
    elif endpoint in _CLIENTS:
        origin = ask.headers.get("origin", "")
        if origin in _origins(server):
            yield "access-control-allow-origin", origin
        yield "vary", "origin"


def _origins(server: AuthorizationServer) -> set[str]:
    return {
        f"{parts.scheme}://{parts.netloc}"
        for client in server.clients
        if client.public
        for parts in map(urlsplit, client.redirects)
        if parts.netloc
    }
