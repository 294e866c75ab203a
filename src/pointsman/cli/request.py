"""The request of `pointsman explain`, written as curl's users would write it."""

import re
from dataclasses import dataclass, replace
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
        request: what arrives, but for its scheme: that depends on the listener.
        port: the URL's port; None for a bare path.
        scheme: the URL's, http or https; None for a bare path.
    """

    request: Request
    port: int | None
    scheme: str | None = None

    def at(self, listener: Listener) -> Request:
        """The request as it arrives at a listener: Envoy derives the scheme from the connection.

        A plaintext listener may stand behind something that ends TLS, so it is asked for https
        URLs too.

        Raises:
            UsageError: the URL is http, and the listener takes TLS only.
        """
        tls = listener.tls
        if tls is None:
            return self.request
        if tls.mode == "STRICT" and self.scheme == "http":
            raise UsageError(
                f"the listener on port {listener.port} takes TLS only", hint="ask for https://..."
            )
        assumed = "https" if tls.mode == "STRICT" else "http"
        return replace(self.request, scheme=self.scheme or assumed)


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
    authority, target, port, scheme = _split(url)
    fields = parse_headers(headers)
    hosts = [value for name, value in fields if name == "host"]
    rest = tuple(field for field in fields if field[0] != "host")
    return Asked(Request(method.upper(), (hosts or [authority])[-1], target, rest), port, scheme)


def _split(url: str) -> tuple[str, str, int | None, str | None]:
    """Authority, target, port and scheme of a URL."""
    if url.startswith("/"):
        return "localhost", url.partition("#")[0], None, None
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
    return authority, target, default if port is None else port, parts.scheme


def choose_listener(gateway: Gateway, port: int | None, asked: Asked) -> Listener:
    """The listener a request knocks at: the one named, the URL's, or the only one it may mean.

    Args:
        gateway: whose listeners they are.
        port: port of the listener that was named, if one was.
        asked: the request; an https URL means a listener with TLS where there is one.

    Raises:
        UsageError: there is none of that port, or it cannot be told which.
    """
    by_port = {listener.port: listener for listener in gateway.listeners}
    shown = ", ".join(map(str, by_port)) or "none"
    if port is not None:
        if port not in by_port:
            raise UsageError(
                f"virtual gateway {gateway.key.path} has no listener on port {port}",
                hint=f"its ports: {shown}",
            )
        return by_port[port]
    if asked.port in by_port:
        return by_port[asked.port]
    fitting = [item for item in gateway.listeners if _takes(item, asked.scheme)]
    for candidates in (gateway.listeners, fitting):
        if len(candidates) == 1:
            return candidates[0]
    raise UsageError(
        f"which listener of virtual gateway {gateway.key.path}?",
        hint=f"name one with --port; its ports: {shown}",
    )


def _takes(listener: Listener, scheme: str | None) -> bool:
    """Whether a URL with this scheme may mean a listener."""
    if scheme is None:
        return True
    mode = "DISABLED" if listener.tls is None else listener.tls.mode
    return mode != ("STRICT" if scheme == "http" else "DISABLED")
