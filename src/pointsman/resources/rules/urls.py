"""Rules of addresses of pages and servers that somebody else runs."""

import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pointsman.resources.codes import fields
from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.words import shown

UrlRule = Callable[[Key, FieldPath, str], Iterator[Problem]]
"""A rule of an address: what is wrong with a text at a field of an object."""
_CHARACTERS: Final = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
"""What an address is written with (RFC 3986, section 2); all else has to be percent-encoded."""

_USER: Final = re.compile(r"//[^/?#]*@")
"""User and password, which are never quoted."""


def url(key: Key, path: FieldPath, text: str) -> Iterator[Problem]:
    """An http or https address with a host, without user and fragment."""
    parts = _split(text)
    extra = parts is not None and (parts.username is not None or bool(parts.fragment))
    if parts is None or extra:
        told = shown(_USER.sub("//…@", text))
        message = f"{show_path(path)} is {told}, not an http or https address"
        hint = "leave user and fragment out" if extra else ""
        yield Problem(fields.BAD_FORMAT, message, hint, key, path)


def called(key: Key, path: FieldPath, text: str) -> Iterator[Problem]:
    """An address that the control plane calls itself: a user and a password may stand in it."""
    yield from url(key, path, _USER.sub("//", text, count=1) if _split(text) else text)


def server(key: Key, path: FieldPath, text: str) -> Iterator[Problem]:
    """An address of which scheme, host and port are all that counts, as gRPC has it."""
    found = [*url(key, path, text)]
    yield from found
    parts = _split(text)
    if not found and parts is not None and (parts.path not in ("", "/") or parts.query):
        message = f"{show_path(path)} is {shown(text)}, but no path is asked for"
        hint = f"write {parts.scheme}://{parts.netloc}"
        yield Problem(fields.BAD_FORMAT, message, hint, key, path)


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if good and _CHARACTERS.fullmatch(text) else None
