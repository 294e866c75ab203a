"""A request, and whether conditions hold for it."""

from dataclasses import dataclass

import re2

from pointsman.graph.model.match import (
    HeaderCondition,
    HeaderTest,
    PathCondition,
    PathKind,
    QueryCondition,
    RequestMatch,
)
from pointsman.graph.paths import split_query

JOINED = frozenset(
    (
        "accept",
        "accept-encoding",
        "access-control-request-headers",
        "access-control-request-method",
        "access-control-request-private-network",
        "authorization",
        "cache-control",
        "cdn-loop",
        "content-encoding",
        "content-type",
        "expect",
        "grpc-accept-encoding",
        "grpc-timeout",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "origin",
        "pragma",
        "proxy-status",
        "referer",
        "user-agent",
        "via",
        "x-client-trace-id",
        "x-forwarded-host",
        "x-forwarded-port",
    )
)
"""Headers whose repetitions Envoy joins by a comma before it looks at them."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrives, or as it is after a rewrite.

    Attributes:
        method: upper-case method.
        authority: host, with or without port.
        target: path with query.
        headers: (lower-case name, value) in their order.
        scheme: http or https.
        forwarded_proto: x-forwarded-proto, where the proxy believes it; None where it writes it.
    """

    method: str
    authority: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    scheme: str = "http"
    forwarded_proto: str | None = None

    @property
    def host(self) -> str:
        """The authority without its port, in lower case."""
        host = self.authority.lower()
        if host.startswith("["):
            return host.partition("]")[0] + "]"
        name, colon, port = host.rpartition(":")
        return name if colon and port.isdigit() else host

    @property
    def is_pathless(self) -> bool:
        """Whether it asks for a tunnel or for the server itself, which no route can match."""
        return self.method == "CONNECT" or (self.method == "OPTIONS" and self.target == "*")

    @property
    def path(self) -> str:
        """The target without its query."""
        return split_query(self.target)[0]

    @property
    def is_grpc(self) -> bool:
        """Whether the content type says gRPC."""
        kind = self.header("content-type") or ""
        return kind == "application/grpc" or kind.startswith(("application/grpc+",))

    def header(self, name: str) -> str | None:
        """The value of a header, repeated ones joined by a comma, or None when it is absent."""
        values = self.values(name)
        return ",".join(values) if values else None

    def values(self, name: str) -> tuple[str, ...]:
        """The values Envoy compares one by one; most repeated headers have several.

        Those it keeps in fixed places (`JOINED`) have been joined to one.
        """
        special = {
            ":method": self.method,
            ":path": self.target,
            ":scheme": self.scheme,
            ":authority": self.authority,
            "host": self.authority,
            # Where it is not believed the proxy writes it anew, whatever the client said.
            "x-forwarded-proto": self.forwarded_proto or self.scheme,
        }
        if name in special:
            return (special[name],)
        if name.startswith("x-envoy-") or name == "x-forwarded-client-cert":
            return ()  # taken from clients before anything is matched
        values = tuple(value for header, value in self.headers if header == name)
        return (",".join(values),) if values and name in JOINED else values

    def query(self, name: str) -> str | None:
        """The first value of a query parameter, "" when it has none; not decoded."""
        for part in split_query(self.target)[1].removeprefix("?").split("&"):
            key, _, value = part.partition("=")
            if part and key == name:
                return value
        return None


def first_failure(match: RequestMatch, request: Request) -> str | None:
    """The first condition that does not hold, in words, or None when all do."""
    if not path_holds(match.path, request.path):
        return f"path {request.path} {_PATH_WORDS[match.path.kind]} {match.path.value}"
    if match.method is not None and match.method != request.method:
        return f"method {request.method} is not {match.method}"
    if match.scheme is not None and match.scheme != request.scheme:
        return f"scheme {request.scheme} is not {match.scheme}"
    for header in match.headers:
        if not header_holds(header, request.values(header.name)):
            return _header_failure(header, request.header(header.name))
    for query in match.queries:
        if not query_holds(query, request.query(query.name)):
            return _query_failure(query, request.query(query.name))
    return None


_PATH_WORDS = {
    PathKind.EXACT: "is not",
    PathKind.PREFIX: "does not start with",
    PathKind.REGEX: "does not match",
}


def path_holds(condition: PathCondition, path: str) -> bool:
    """Whether a path satisfies a condition."""
    match condition.kind:
        case PathKind.EXACT:
            return path == condition.value
        case PathKind.PREFIX:
            return path.startswith(condition.value)
        case PathKind.REGEX:
            return re2.fullmatch(condition.value, path) is not None


def header_holds(condition: HeaderCondition, values: tuple[str, ...]) -> bool:
    """Whether a header satisfies a condition, with Envoy's rules for absent and repeated ones.

    A test holds when it holds for any value; inverted, when it holds for none.
    An inverted PRESENT holds for an absent header; any other test, inverted or not, needs the
    header to be there (`treat_missing_header_as_empty` is left unset, as App Mesh did).
    """
    if condition.test is HeaderTest.PRESENT:
        return bool(values) != condition.invert
    if not any(values) and condition.or_absent:
        return True
    if not values:
        return False
    return any(_test(condition, value) for value in values) != condition.invert


def _test(condition: HeaderCondition, value: str) -> bool:
    match condition.test:
        case HeaderTest.EXACT:
            return value == condition.value
        case HeaderTest.PREFIX:
            return value.startswith(condition.value)
        case HeaderTest.SUFFIX:
            return value.endswith(condition.value)
        case HeaderTest.REGEX:
            return re2.fullmatch(condition.value, value) is not None
        case HeaderTest.RANGE:
            number = _integer(value)
            return number is not None and condition.start <= number < condition.end
        case HeaderTest.PRESENT:
            return True


def _integer(value: str) -> int | None:
    text = value.strip()
    digits = text[1:] if text[:1] in ("-", "+") else text
    return int(text) if digits.isascii() and digits.isdigit() else None


def query_holds(condition: QueryCondition, value: str | None) -> bool:
    """Whether a query parameter satisfies a condition."""
    return value is not None if condition.exact is None else value == condition.exact


def _header_failure(condition: HeaderCondition, value: str | None) -> str:
    wanted = {
        HeaderTest.PRESENT: "is present",
        HeaderTest.RANGE: f"is in {condition.start}..{condition.end - 1}",
        HeaderTest.EXACT: f"is {condition.value}",
        HeaderTest.PREFIX: f"starts with {condition.value}",
        HeaderTest.SUFFIX: f"ends with {condition.value}",
        HeaderTest.REGEX: f"matches {condition.value}",
    }[condition.test]
    wanted = f"not ({wanted})" if condition.invert else wanted
    wanted = f"{wanted}, or absent" if condition.or_absent else wanted
    found = "is absent" if value is None else f"is {value!r}"
    return f"header {condition.name} {found}, wanted: {wanted}"


def _query_failure(condition: QueryCondition, value: str | None) -> str:
    wanted = "present" if condition.exact is None else repr(condition.exact)
    found = "is absent" if value is None else f"is {value!r}"
    return f"query parameter {condition.name} {found}, wanted: {wanted}"
