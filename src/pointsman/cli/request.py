"""The request of `pointsman explain`, written as curl's users would write it."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from pointsman.cli.options import parse_headers
from pointsman.errors import UsageError
from pointsman.graph.model.gateway import Gateway, Listener
from pointsman.graph.request import Request

_METHOD = re.compile(r"[A-Z]+\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and where it knocks.

    Attributes:
        request: what arrives. Its scheme is http, whatever the URL says: a gateway's listeners
            speak plaintext, and Envoy derives the scheme from that.
        port: the URL's port; None for a bare path.
    """

    request: Request
    port: int | None


def parse_request(method: str, url: str, headers: list[str]) -> Asked:
    """A request from the command line.

    Args:
        method: in any case.
        url: absolute, or a bare path for host `localhost`.
        headers: `name: value` entries; `host` replaces the URL's host, as in curl.

    Raises:
        UsageError: one of them is not what it should be.
    """
    if not _METHOD.match(method.upper()):
        raise UsageError(f"{method} is not a method", hint="pointsman explain PATH... METHOD URL")
    authority, target, port = _split(url)
    fields = parse_headers(headers)
    hosts = [value for name, value in fields if name == "host"]
    rest = tuple(field for field in fields if field[0] != "host")
    return Asked(Request(method.upper(), (hosts or [authority])[-1], target, rest), port)


def _split(url: str) -> tuple[str, str, int | None]:
    """Authority, target and port of a URL."""
    if url.startswith("/"):
        return "localhost", url.partition("#")[0], None
    hint = "for example http://localhost:8080/path, or /path alone"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{url} is not a URL: {error}", hint=hint) from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise UsageError(f"{url} is not an HTTP URL", hint=hint)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = _DEFAULT_PORTS[parts.scheme]
    authority = host if port in (None, default) else f"{host}:{port}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return authority, target, default if port is None else port


def choose_listener(gateway: Gateway, asked: int | None, in_url: int | None) -> Listener:
    """The listener a request knocks at: the one asked for, the URL's, or the only one.

    Raises:
        UsageError: there is none of that port, or it cannot be told which.
    """
    by_port = {listener.port: listener for listener in gateway.listeners}
    shown = ", ".join(map(str, by_port)) or "none"
    if asked is not None:
        if asked not in by_port:
            raise UsageError(
                f"virtual gateway {gateway.key.path} has no listener on port {asked}",
                hint=f"its ports: {shown}",
            )
        return by_port[asked]
    if in_url in by_port:
        return by_port[in_url]
    if len(by_port) == 1:
        return next(iter(by_port.values()))
    raise UsageError(
        f"which listener of virtual gateway {gateway.key.path}?",
        hint=f"name one with --port; its ports: {shown}",
    )
