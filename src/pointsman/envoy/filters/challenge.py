"""What a caller is told that is turned away: how to prove who one is, and a body to be parsed.

A row of the route table notes its policy's challenge in a header of the proxy's own, first of
all. Should a filter behind it turn the request away, the connection manager copies the note into
`WWW-Authenticate` (RFC 9110, section 11.6.1) and writes the body (RFC 9457). Answers of backends
pass as they are, and so do those of servers that decide.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pointsman.envoy import pb
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.methods import (
    KeyMethod,
    LoginMethod,
    Method,
    OpaqueMethod,
    PasswordMethod,
    TokenMethod,
)

NAME: Final = "pointsman.challenge"
HEADER: Final = "x-pointsman-challenge"
_TYPES: Final = "https://pointsman.dev/problems/"
_TITLES: Final = {
    401: ("not-authenticated", "Not authenticated"),
    403: ("not-allowed", "Not allowed"),
    429: ("too-many-requests", "Too many requests"),
}
_DECIDED: Final = ("UAEX",)
"""Response flag of what a server that decides has answered."""


def challenge_filter() -> Fields:
    """The filter, which rows of the route table switch on."""
    return {"name": NAME, "disabled": True, "typed_config": pb.pack(pb.HeaderMutation())}


def challenge_of_row(methods: Iterable[Method], taken: Iterable[str]) -> pb.Message:
    """What a row notes, and headers it takes from callers because others will write them."""
    changes: list[Fields] = [{"remove": name} for name in taken]
    text = ", ".join(dict.fromkeys(filter(None, map(_challenge, methods))))
    if text:
        header = {"key": HEADER, "value": text.replace("%", "%%")}
        changes.append({"append": {"header": header, "append_action": _OVERWRITE}})
    return pb.HeaderMutationPerRoute(mutations={"request_mutations": changes})


_OVERWRITE: Final = "OVERWRITE_IF_EXISTS_OR_ADD"


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


def local_replies() -> Fields:
    """`envoy.extensions.filters.network.http_connection_manager.v3.LocalReplyConfig`."""
    decided = {
        "filter": {"response_flag_filter": {"flags": list(_DECIDED)}},
        "headers_to_add": [],
    }
    return {"mappers": [decided, *_mappers()]}


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
            header = {"key": "www-authenticate", "value": f"%REQ({HEADER})%"}
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
