"""What a caller is told that is turned away: how to prove who one is, and a body to be parsed.

A row of the route table has its policy's challenge in its metadata, where it costs nothing. Should
a filter turn the request away, the connection manager copies it into `WWW-Authenticate` (RFC 9110,
section 11.6.1) and writes the body (RFC 9457). Answers of backends pass as they are, and so do
those of servers that decide.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pointsman.envoy.filters.limit_replies import limit_mapper
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.methods import (
    KeyMethod,
    LoginMethod,
    Method,
    OpaqueMethod,
    PasswordMethod,
    TokenMethod,
)

METADATA: Final = "pointsman.challenge"
_TEXT: Final = "text"
_TYPES: Final = "https://pointsman.dev/problems/"
_TITLES: Final = {
    401: ("not-authenticated", "Not authenticated"),
    403: ("not-allowed", "Not allowed"),
}
_DECIDED: Final = ("UAEX",)
"""Response flag of what a server that decides has answered."""


def challenge_of_row(methods: Iterable[Method]) -> Fields:
    """What the metadata of a row has of it (`filter_metadata`); nothing where nobody is asked."""
    text = ", ".join(dict.fromkeys(filter(None, map(_challenge, methods))))
    return {METADATA: {"fields": {_TEXT: {"string_value": text}}}} if text else {}


def _challenge(method: Method) -> str:
    """`auth-scheme realm="…"`; only Basic and Bearer are registered with IANA."""
    match method:
        case PasswordMethod():
            realm = method.realm.replace("\\", r"\\").replace('"', r"\"")
            return f'Basic realm="{realm}", charset="UTF-8"'
        case KeyMethod():
            return 'ApiKey realm="pointsman"'
        case TokenMethod() | OpaqueMethod():
            return 'Bearer realm="pointsman"'
        case LoginMethod():
            return 'Session realm="pointsman"'
    return ""


def local_replies(*, limited: bool, asked: bool) -> Fields:
    """`envoy.extensions.filters.network.http_connection_manager.v3.LocalReplyConfig`.

    Args:
        limited: whether rows have limits.
        asked: whether rows ask who calls.
    """
    decided = {
        "filter": {"response_flag_filter": {"flags": list(_DECIDED)}},
        "headers_to_add": [],
    }
    limits = [limit_mapper()] if limited else []
    return {"mappers": [decided, *limits, *_mappers()] if asked else limits}


def _mappers() -> Iterator[Fields]:
    for status, (name, title) in _TITLES.items():
        body = {
            "type": f"{_TYPES}{name}",
            "title": title,
            "status": status,
            "detail": "%LOCAL_REPLY_BODY%",
            "requestId": "%REQ(X-REQUEST-ID)%",
        }
        mapper: Fields = {
            "filter": {"and_filter": {"filters": [_status(status), _NOT_GRPC]}},
            "body_format_override": {
                "json_format": body,
                "content_type": "application/problem+json",
            },
        }
        if status == 401:
            value = f"%METADATA(ROUTE:{METADATA}:{_TEXT})%"
            header = {"key": "www-authenticate", "value": value}
            mapper["headers_to_add"] = [{"header": header, "append_action": "ADD_IF_ABSENT"}]
        yield mapper


def _status(status: int) -> dict[str, Any]:
    value = {"default_value": status, "runtime_key": f"pointsman.status_{status}"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


_NOT_GRPC: Final[dict[str, Any]] = {
    "header_filter": {
        "header": {
            "name": "content-type",
            "string_match": {"prefix": "application/grpc"},
            "invert_match": True,
            "treat_missing_header_as_empty": True,
        }
    }
}
"""Clients of gRPC read `grpc-status` and `grpc-message`, and no bodies."""
