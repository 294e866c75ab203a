"""Answers for all authorization servers of an instance: finds what is asked, and whom."""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

import sqlalchemy as sa
import structlog

from pointsman.access.masterkey import MasterKey
from pointsman.errors import StateError
from pointsman.graph.model.access import Consumer
from pointsman.graph.model.authorization_server import CLIENT_CREDENTIALS, AuthorizationServer
from pointsman.oauth import browser, discovery, pages
from pointsman.oauth.ask import Answer, Ask, AskError, error_answer, parameters
from pointsman.oauth.keys import Keys
from pointsman.oauth.origins import origin_headers, preflight
from pointsman.oauth.protocol import Request, Server
from pointsman.oauth.work import Work
from pointsman.resources.key import Key
from pointsman.state.database import Database

log = structlog.get_logger(__name__)

_METHODS: Final = {
    "authorize": ("GET", "HEAD", "POST"),
    "login": ("GET", "HEAD", "POST"),
    "token": ("POST",),
    "revoke": ("POST",),
    "introspect": ("POST",),
    "jwks": ("GET", "HEAD"),
    "discovery": ("GET", "HEAD"),
}
_PAGES: Final = {"authorize": browser.authorize, "login": browser.log_in}
_Does = Callable[[Work], Answer]


class OAuth:
    """Authorization servers.

    Args:
        database: where grants are kept.
        master: makes digests.
        keys: what tokens are signed with.
    """

    def __init__(self, database: Database, master: MasterKey, keys: Keys) -> None:
        self._database = database
        self._master = master
        self._keys = keys
        self._servers: Mapping[str, AuthorizationServer] = {}
        self._consumers: Mapping[Key, Consumer] = {}

    def follow(
        self, servers: Mapping[Key, AuthorizationServer], consumers: Mapping[Key, Consumer]
    ) -> None:
        """Takes the authorization servers and consumers that are in force now."""
        self._servers = {key.path: server for key, server in servers.items()}
        self._consumers = consumers

    async def answer(self, path: str, ask: Ask) -> Answer:
        """The answer to a request.

        Args:
            path: `NAMESPACE/NAME` of the authorization server that is asked.
            ask: the request.
        """
        server = self._servers.get(path)
        endpoint = None if server is None else _endpoint(server, ask.path)
        if server is None or endpoint is None:
            # A proxy that has not yet heard of a change, or this instance.
            return _away()
        if ask.method == "OPTIONS":
            return preflight(server, endpoint, ask)
        if ask.method not in _METHODS[endpoint]:
            refused = error_answer(405, "invalid_request", f"{endpoint} takes no such method")
            refused.headers.append(("allow", ", ".join(_METHODS[endpoint])))
            return refused
        try:
            answer = await self._answer(server, endpoint, ask)
        except AskError as error:
            answer = _no_request(endpoint, str(error))
        except StateError as error:
            log.warning("an authorization server cannot answer", server=path, error=str(error))
            answer = _away(endpoint)
        answer.headers.extend(origin_headers(server, endpoint, ask))
        return answer

    async def _answer(self, server: AuthorizationServer, endpoint: str, ask: Ask) -> Answer:
        if endpoint == "discovery":
            return discovery.metadata(server)
        keys = self._keys.of(server.key)
        if keys is None:
            return _away()
        if endpoint == "jwks":
            return discovery.key_set(keys)
        if endpoint == "token" and keys.signing is None:
            return _away()
        page = _PAGES.get(endpoint)
        if page is not None:
            # Who only looks does not take the lock that writers wait for.
            posted = ask.method == "POST"
            return await self._within(server, lambda work: page(work, ask), writes=posted)
        request = _protocol_request(server, ask)
        # The grant that asks for most of the tokens writes nothing.
        only_reads = endpoint == "introspect" or request.payload.grant_type == CLIENT_CREDENTIALS
        does = _BY_ENDPOINT[endpoint]
        return await self._within(
            server, lambda work: does(Server(work), request), writes=not only_reads
        )

    async def _within(self, server: AuthorizationServer, does: _Does, *, writes: bool) -> Answer:
        """Does something within a transaction."""
        keys = self._keys.of(server.key)
        assert keys is not None
        consumers, master, now = self._consumers, self._master, self._database.clock()

        def run(connection: sa.Connection) -> Answer:
            return does(Work(connection, server, consumers, keys, master, now))

        opened = self._database.recording() if writes else self._database.reading()
        async with opened as connection:
            return await connection.run_sync(run)


def _token(server: Server, request: Request) -> Any:
    return server.create_token_response(request)


def _revoke(server: Server, request: Request) -> Any:
    return server.create_endpoint_response("revocation", request)


def _introspect(server: Server, request: Request) -> Any:
    return server.create_endpoint_response("introspection", request)


_BY_ENDPOINT: Final[Mapping[str, Callable[[Server, Request], Any]]] = {
    "token": _token,
    "revoke": _revoke,
    "introspect": _introspect,
}


def _endpoint(server: AuthorizationServer, path: str) -> str | None:
    front = server.front
    if path == front.discovery:
        return "discovery"
    name = path.removeprefix(front.base) if path.startswith(front.base) else ""
    return name if name in _METHODS and name != "discovery" else None


def _protocol_request(server: AuthorizationServer, ask: Ask) -> Request:
    """A request of a client.

    Raises:
        AskError: it has parameters in its address, where logs would keep them (RFC 6749, section
            2.3.1), is no form, or proves itself in two ways at once.
    """
    if ask.query:
        raise AskError("parameters belong into the body")
    ask.form()
    found = parameters(ask.body.decode("utf-8", "replace"))
    authorization = ask.headers.get("authorization")
    if authorization is not None:
        if "client_secret" in found:
            raise AskError("a client proves itself in one way")
        if not authorization.isascii():
            raise AskError("the header authorization has characters that none has")
    return Request(ask.method, f"{server.issuer}{ask.path}", found, _decodable(authorization))


def _decodable(authorization: str | None) -> str | None:
    """The header; what is not text within Basic is no credential."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() == "basic":
        try:
            base64.b64decode(value).decode("utf-8")
        except ValueError:
            return "Basic Og=="
    return authorization


def _no_request(endpoint: str, reason: str) -> Answer:
    if endpoint in _PAGES:
        return pages.error_page(400, "invalid_request", f"The request is not good: {reason}.")
    return error_answer(400, "invalid_request", reason)


def _away(endpoint: str = "") -> Answer:
    error, description = "temporarily_unavailable", "the authorization server is away"
    if endpoint in _PAGES:
        answer = pages.error_page(503, error, "Nobody can be logged in just now.")
    else:
        answer = error_answer(503, error, description)
    answer.headers.append(("retry-after", "1"))
    return answer
