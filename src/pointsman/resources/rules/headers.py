"""Rules of header names and values that a policy writes, as far as Envoy takes them."""

import re
from collections.abc import Iterator
from typing import Final

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.words import shown

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_FIXED: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade"})


def header_name(key: Key, path: FieldPath, name: str) -> Iterator[Problem]:
    """A name that HTTP allows; pseudo headers are none."""
    if not _TOKEN.match(name):
        message = f"{show_path(path)} is {shown(name)}, not a header name"
        yield Problem(codes.BAD_HEADER, message, "", key, path)


def changed_header(key: Key, path: FieldPath, name: str) -> Iterator[Problem]:
    """A header that may be changed: not one that says whom or how to talk to."""
    yield from header_name(key, path, name)
    if name.lower() in _FIXED:
        message = f"{show_path(path)} is {shown(name)}, which belongs to the connection"
        hint = "a gateway route changes the host by rewrite" if name.lower() == "host" else ""
        yield Problem(codes.BAD_HEADER, message, hint, key, path)
