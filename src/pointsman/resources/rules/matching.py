"""Rules of match blocks, shared by GatewayRoute and VirtualRouter."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import re2

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.matching import (
    HeaderMatch,
    PathMatch,
    QueryParameterMatch,
)
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.rules.common import one_of
from pointsman.resources.words import shown

MAX_PROGRAM: Final = 1000
"""App Mesh's limit on compiled expressions; bootstraps give it to Envoy (re2.max_program_size)."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_PSEUDO: Final = frozenset({":authority", ":method", ":path", ":scheme"})
_RESERVED: Final = ("/aws-appmesh", "/aws-app-mesh")
_RESERVED_SERVICES: Final = ("aws.appmesh", "aws.app-mesh")
_GRPC_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")


def literal_path(key: Key, path: FieldPath, value: str | None) -> Iterator[Problem]:
    """A path or prefix that requests are compared with."""
    if value is None:
        return
    if not value.startswith("/"):
        message = f"{show_path(path)} is {shown(value)}; it must begin with /"
        yield Problem(codes.BAD_PATH, message, f"write /{value}", key, path)
    for character, what in (("?", "query"), ("#", "fragment")):
        if character in value:
            message = f"{show_path(path)} is {shown(value)}; paths have no {character}"
            hint = f"the {what} is not part of the path"
            if character == "?":
                hint += "; compare it with queryParameters"
            yield Problem(codes.BAD_PATH, message, hint, key, path)
    if value.startswith(_RESERVED):
        message = f"{show_path(path)} is {shown(value)}, which App Mesh reserves"
        yield Problem(codes.BAD_PATH, message, "choose another path", key, path)


def path_match(key: Key, path: FieldPath, match: PathMatch | None) -> Iterator[Problem]:
    """One of exact and regex, valid."""
    if match is None:
        return
    yield from one_of(key, path, {"exact": match.exact, "regex": match.regex})
    yield from literal_path(key, (*path, "exact"), match.exact)
    yield from regex(key, (*path, "regex"), match.regex)


def headers(key: Key, path: FieldPath, matches: tuple[HeaderMatch, ...]) -> Iterator[Problem]:
    """Valid names, one matcher each, ranges that hold something."""
    for index, match in enumerate(matches):
        where: FieldPath = (*path, index)
        if not _TOKEN.match(match.name) and match.name not in _PSEUDO:
            message = f"{show_path(where)}.name is {shown(match.name)}, not a header name"
            yield Problem(codes.BAD_HEADER, message, "", key, (*where, "name"))
        if match.match is not None:
            yield from _header_value(key, where, match)


def _header_value(key: Key, path: FieldPath, header: HeaderMatch) -> Iterator[Problem]:
    value = header.match
    if value is None:
        return
    where: FieldPath = (*path, "match")
    alternatives = {
        "exact": value.exact,
        "prefix": value.prefix,
        "suffix": value.suffix,
        "regex": value.regex,
        "range": value.range,
    }
    yield from one_of(key, where, alternatives)
    yield from regex(key, (*where, "regex"), value.regex)
    if value.range is not None and value.range.start >= value.range.end:
        message = f"{show_path(where)}.range holds no number: it stops before its end"
        yield Problem(
            codes.EMPTY_RANGE, message, "make start less than end", key, (*where, "range")
        )


def method(key: Key, path: FieldPath, name: str | None) -> Iterator[Problem]:
    """A method that requests with a path may have."""
    if name == "CONNECT":
        message = f"{show_path(path)} is CONNECT; such requests have no path and are answered 404"
        yield Problem(codes.TUNNEL_METHOD, message, "", key, path)


def query_parameters(
    key: Key, path: FieldPath, matches: tuple[QueryParameterMatch, ...]
) -> Iterator[Problem]:
    """Names that can appear in a query."""
    for index, match in enumerate(matches):
        if any(character in match.name for character in "&=#"):
            where: FieldPath = (*path, index, "name")
            message = f"{show_path(where)} is {shown(match.name)}; no parameter has such a name"
            yield Problem(codes.BAD_HEADER, message, "", key, where)


def grpc_name(key: Key, path: FieldPath, name: str | None) -> Iterator[Problem]:
    """The name of a gRPC service or method, which becomes a segment of the path."""
    if name is None:
        return
    if not _GRPC_NAME.match(name):
        message = f"{show_path(path)} is {shown(name)}, not the name of a gRPC service or method"
        hint = "write package.Service, without slashes; the method has its own field"
        yield Problem(codes.BAD_PATH, message, hint, key, path)
    elif name.startswith(_RESERVED_SERVICES):
        message = f"{show_path(path)} is {shown(name)}, which App Mesh reserves"
        yield Problem(codes.BAD_PATH, message, "", key, path)


def regex(key: Key, path: FieldPath, pattern: str | None) -> Iterator[Problem]:
    """An expression that Envoy compiles."""
    complaint = _complaint(pattern) if pattern is not None else ""
    if complaint:
        message = f"{show_path(path)} is {shown(pattern)}: {complaint}"
        hint = "Envoy uses RE2, without look-around and back-references"
        yield Problem(codes.BAD_REGEX, message, hint, key, path)


@lru_cache(maxsize=4096)
def _complaint(pattern: str) -> str:
    """What is wrong with an expression, or ""."""
    options = re2.Options()
    options.log_errors = False
    try:
        size = re2.compile(pattern, options).programsize
    except re2.error as error:
        reason = error.args[0] if error.args else "cannot be compiled"
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    if size > MAX_PROGRAM:
        return f"it compiles to {size} instructions, Envoy allows {MAX_PROGRAM}"
    return ""
