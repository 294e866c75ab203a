"""The request of `pointsman explain`, written as curl's users would write it."""

import re
from urllib.parse import urlsplit

from pointsman.app.asked import Asked
from pointsman.cli.options import parse_headers
from pointsman.errors import UsageError
from pointsman.graph.request import Request

_METHOD = re.compile(r"[A-Z]+\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443}


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
