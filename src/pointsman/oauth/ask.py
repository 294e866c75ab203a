"""Requests and answers of authorization servers, as values.

How they get here and back is not known in this room but by `check`.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from pointsman.errors import PointsmanError

NO_STORE: Final = (("cache-control", "no-store"), ("pragma", "no-cache"))
_FORM: Final = "application/x-www-form-urlencoded"
_PLAIN: Final = re.compile(r"[\x20-\x7e]*\Z")
"""What values of the protocol are made of (RFC 6749, appendix A)."""
_TYPES: Final = ("response_type", "grant_type")
_TYPE: Final = re.compile(r"[A-Za-z0-9 _:/.-]*\Z")
"""What types are made of, some of which errors repeat."""
_REPEATED: Final = ("resource",)
"""Parameters that may be there more than once (RFC 8707, section 2)."""
_MOST: Final = 64


class AskError(PointsmanError):
    """A request that is none, whatever it asks for."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request.

    Attributes:
        method: HTTP method.
        path: its path.
        query: what stands behind the question mark, as it came.
        headers: by lower-case names.
        body: the body.
        address: the client's, as the proxy sees it.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    address: str = ""

    def form(self) -> dict[str, str]:
        """The fields of a form.

        Raises:
            AskError: the body is no form.
        """
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != _FORM:
            raise AskError(f"the body has to be {_FORM}")
        return dict(_pairs(self.body.decode("utf-8", "replace")))

    def cookie(self, name: str) -> str | None:
        """A cookie."""
        for item in self.headers.get("cookie", "").split(";"):
            key, equals, value = item.strip().partition("=")
            if equals and key == name:
                return value
        return None


@dataclass(slots=True)
class Answer:
    """An answer.

    Attributes:
        status: HTTP status.
        headers: names in lower case, and values.
        body: the body.
    """

    status: int
    headers: list[tuple[str, str]]
    body: str = ""

    @property
    def location(self) -> str | None:
        """Where a redirect leads; Authlib changes it."""
        return next((value for name, value in self.headers if name == "location"), None)

    @location.setter
    def location(self, value: str) -> None:
        rest = [item for item in self.headers if item[0] != "location"]
        self.headers = [*rest, ("location", value)]


def json_answer(status: int, body: Any, headers: Iterable[tuple[str, str]] = NO_STORE) -> Answer:
    """An answer in JSON; by default one that nobody keeps."""
    return Answer(status, [("content-type", "application/json"), *headers], json.dumps(body))


def error_answer(status: int, error: str, description: str) -> Answer:
    """An error as RFC 6749, section 5.2, has it."""
    return json_answer(status, {"error": error, "error_description": description})


def parameters(text: str) -> dict[str, list[str]]:
    """Parameters of the protocol; those without a value count as left out (RFC 6749, section 3.1).

    Raises:
        AskError: one is there twice, or has characters that no value has.
    """
    found: dict[str, list[str]] = {}
    for name, value in _pairs(text):
        if not value:
            continue
        if not (_TYPE if name in _TYPES else _PLAIN).match(value) or not _PLAIN.match(name):
            raise AskError("a parameter has characters that none has")
        if name in found and name not in _REPEATED:
            raise AskError("a parameter is there twice")
        found.setdefault(name, []).append(value)
    return found


def _pairs(text: str) -> Sequence[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST)
    except ValueError:
        raise AskError("there are too many parameters") from None
