"""Parts of listeners that VirtualGateway and VirtualNode have in common."""

from typing import Annotated

from pydantic import Field, Strict

from pointsman.resources.kinds.base import Port, Protocol, Text, schema

Positive = Annotated[int, Strict(), Field(ge=1, le=2**31 - 1)]


@schema
class HealthCheck:
    """Active health check of an application."""

    healthy_threshold: Annotated[int, Strict(), Field(ge=2, le=10)]
    """Successes in a row after which an endpoint is healthy."""
    unhealthy_threshold: Annotated[int, Strict(), Field(ge=2, le=10)]
    """Failures in a row after which an endpoint is unhealthy."""
    interval_millis: Annotated[int, Strict(), Field(ge=5000, le=300_000)]
    """Milliseconds between checks."""
    timeout_millis: Annotated[int, Strict(), Field(ge=2000, le=60_000)]
    """Milliseconds to wait for an answer."""
    protocol: Protocol
    """Protocol of the check."""
    path: Text | None = None
    """Path requested by http and http2 checks."""
    port: Port | None = None
    """Port checked; must be the listener's own."""


@schema
class TcpConnectionPool:
    """Limits of a TCP listener."""

    max_connections: Positive
    """Connections at once."""


@schema
class HttpConnectionPool:
    """Limits of an HTTP/1.1 listener."""

    max_connections: Positive
    """Connections at once."""
    max_pending_requests: Positive | None = None
    """Requests that may wait for a connection; unlimited by default."""


@schema
class RequestPool:
    """Limits of an HTTP/2 or gRPC listener."""

    max_requests: Positive
    """Requests at once."""


@schema
class JsonField:
    """One field of a JSON access log."""

    key: Annotated[str, Strict(), Field(max_length=100)]
    """Name of the field."""
    value: Annotated[str, Strict(), Field(max_length=100)]
    """Envoy format string."""


@schema
class LogFormat:
    """Format of an access log; exactly one of the two."""

    json: tuple[JsonField, ...] | None = None
    """One JSON object a line, with these fields."""
    text: Annotated[str, Strict(), Field(max_length=1000)] | None = None
    """Envoy format string; brings its own line end."""


@schema
class FileAccessLog:
    """An access log written to a file."""

    path: Annotated[str, Strict(), Field(min_length=1, max_length=255)]
    """File, usually /dev/stdout."""
    format: LogFormat | None = None
    """One JSON object a request when absent."""


@schema
class AccessLog:
    """Where the access log goes."""

    file: FileAccessLog | None = None
    """A file."""


@schema
class Logging:
    """Logging of a gateway or node."""

    access_log: AccessLog | None = None
    """One line a request."""
