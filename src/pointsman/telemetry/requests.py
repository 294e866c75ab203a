"""One request as one proxy saw it, without what is secret in it.

A request that passes a gateway and two sidecars is told of three times; all have its id.
Where records come from is `requests_decode`, where they stay `requests_ring`.
"""

import re
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

_CONFIG: Final = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")
MASK: Final = "***"
"""What stands for the values of a query, whatever they were."""
_VALUE: Final = re.compile(r"=[^&]*")
_PARAMETER: Final = re.compile(r";[^/]*")
_CLUSTER: Final = re.compile(r"(?P<name>.+)_(?:http|http2|grpc|tcp)_\d+(?:_\d+)?")
_OVERHEAD_BYTES: Final = 1200
"""Bytes of a record besides its texts, measured with CPython 3.11."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Phases:
    """When what had happened, in ms since the first byte of the request; None for what did not.

    Attributes:
        request: the last byte of the request had come.
        sent: the first byte went to a backend, in the last try.
        sent_whole: the last byte had gone there.
        answered: the first byte of the backend's response came.
        answered_whole: the last byte of it had come.
        returned: the first byte of the response went to the client.
        returned_whole: the last byte had gone there.
        connect: how long it took to connect to the backend, with TLS, where that was done for this
            request; no moment but a length.
    """

    request: float | None = None
    sent: float | None = None
    sent_whole: float | None = None
    answered: float | None = None
    answered_whole: float | None = None
    returned: float | None = None
    returned_whole: float | None = None
    connect: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Request:
    """A request at one proxy.

    Attributes:
        id: its `x-request-id`.
        start: when its first byte came, in seconds since 1970 by the clock of the proxy's machine.
        node: id of the proxy's node.
        version: of the configuration the proxy had, as `pointsman status` shows it; "" when
            nobody knows any more.
        way: `in` or `out` of the gateway, or of the application beside the proxy.
        port: the port it came to, or that the application called, as manifests have it.
        method: of the request.
        scheme: of the request.
        authority: host, with or without port, before any rewrite.
        path: before any rewrite, values of the query masked.
        protocol: as `HTTP/1.1`.
        status: of the response; 0 where there was none.
        flags: Envoy's response flags.
        details: Envoy's response code details.
        termination: why the connection was ended, in Envoy's words.
        failure: what went wrong with the connection to the backend, in Envoy's words.
        route: name of the route.
        cluster: name of the cluster.
        endpoint: address of the endpoint of the last try.
        tries: how often it was sent, or was about to be.
        duration: ms from its first byte to the last of its response.
        received: bytes of its body.
        sent: bytes of the response's body.
        consumer: who called; "" when nobody asked or knew.
        credential: id of the credential.
        agent: the client's `user-agent`.
        client: address of the client.
        forwarded: `x-forwarded-for`.
        server_name: the name asked for by TLS.
        headers: what else is told of its headers, and of the response's as `response NAME`.
        phases: where the time went.
        api_version: of the API, where the gateway route says one.
    """

    id: str
    start: float
    node: str
    version: str = ""
    way: str = ""
    port: int = 0
    method: str = ""
    scheme: str = ""
    authority: str = ""
    path: str = ""
    protocol: str = ""
    status: int = 0
    flags: tuple[str, ...] = ()
    details: str = ""
    termination: str = ""
    failure: str = ""
    route: str = ""
    cluster: str = ""
    endpoint: str = ""
    tries: int = 0
    duration: float = 0.0
    received: int = 0
    sent: int = 0
    consumer: str = ""
    credential: str = ""
    agent: str = ""
    client: str = ""
    forwarded: str = ""
    server_name: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    phases: Phases = Phases()
    api_version: str = ""

    @property
    def is_notable(self) -> bool:
        """Whether it failed, or was refused or cut off by the proxy."""
        return self.status >= 400 or self.status == 0 or bool(self.flags)

    @property
    def proxy(self) -> str:
        """The name of the virtual gateway or virtual node whose proxy this is, inside App Mesh."""
        return self.node.rpartition("/")[2]

    @property
    def target(self) -> str:
        """The name of the virtual node it went to, inside App Mesh; "" when it went to none."""
        parts = self.node.rpartition(":")[2].split("/")
        mesh = parts[1].partition("@")[0] if len(parts) == 4 else ""
        for prefix in ("cds_egress_", "cds_ingress_"):
            start = f"{prefix}{mesh}_"
            found = _CLUSTER.fullmatch(self.cluster.removeprefix(start))
            if self.cluster.startswith(start) and found is not None:
                return found["name"]
        return ""


_ADAPTER = TypeAdapter(Request)


def request_json(request: Request) -> dict[str, Any]:
    """A record as a JSON object with camelCase names."""
    value: dict[str, Any] = _ADAPTER.dump_python(request, mode="json", by_alias=True)
    return value


def parse_request(text: str | bytes) -> Request:
    """The record in a JSON text; unknown fields of newer instances are skipped.

    Raises:
        ValueError: it is not a record.
    """
    return _ADAPTER.validate_json(text)


def masked(target: str) -> str:
    """A path with its query, all values in it masked: which of them are keys is not known here."""
    path, mark, query = target.partition("?")
    path = _PARAMETER.sub(f";{MASK}", path)
    if not mark:
        return path
    parts = [part if "=" in part else MASK if part else "" for part in query.split("&")]
    return f"{path}?{_VALUE.sub(f'={MASK}', '&'.join(parts))}"


def size(request: Request) -> int:
    """About how many bytes of memory a record takes."""
    return _OVERHEAD_BYTES + sum(_length(getattr(request, name)) for name in _texts())


@cache
def _texts() -> tuple[str, ...]:
    assert is_dataclass(Request)
    return tuple(item.name for item in fields(Request) if item.name != "phases")


def _length(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    return sum(map(_length, value)) if isinstance(value, tuple) else 0
