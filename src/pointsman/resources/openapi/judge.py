"""Whether the body of a request is as an OpenAPI document says.

Pure: a request comes in, and why it is refused comes out. What callers sent is never repeated to
them, nor to anybody else: reasons have places and rules.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import jsonschema_rs

from pointsman.resources.openapi.document import Api, DocumentError, Operation, read_api
from pointsman.resources.openapi.refusal import Body, Reason, Refusal

MOST_REASONS: Final = 5
"""Reasons that are told at most."""
_MASK: Final = "the value"


class Judge:
    """Judges by a document; schemas are compiled once.

    Args:
        api: the document.
        refuses_unknown: whether what the document does not have is refused.

    Raises:
        DocumentError: a schema is none, or has an expression that takes more than linear time.
    """

    def __init__(self, api: Api, *, refuses_unknown: bool) -> None:
        self._refuses_unknown = refuses_unknown
        ordered = sorted(api.operations, key=lambda item: item.variables)
        self._operations = [(re.compile(item.pattern), item) for item in ordered]
        kind = jsonschema_rs.Draft202012Validator if api.modern else jsonschema_rs.Draft7Validator
        self._validators = {
            (item.name, media): _compiled(kind, schema, f"{item.name} {media}")
            for item in api.operations
            for media, schema in item.schemas.items()
        }

    def operation(self, method: str, path: str) -> Operation | None:
        """What the document has for a method of a path."""
        found = self._at(path.partition("?")[0])
        return next((item for item in found if item.method == method), None)

    def judge(self, body: Body) -> Refusal | None:
        """Why it is refused; None when it passes."""
        path = body.path.partition("?")[0]
        operation = self.operation(body.method, path)
        if operation is None:
            return self._unknown(path)
        if not operation.schemas and not operation.others:
            return None
        if not body.content:
            return Refusal(400, "there has to be a body") if operation.required else None
        return self._compared(operation, body)

    def _compared(self, operation: Operation, body: Body) -> Refusal | None:
        if body.headers.get("content-encoding", "identity").lower() != "identity":
            return Refusal(415, "the body is encoded, so that it cannot be compared")
        media, _, parameters = body.headers.get("content-type", "").lower().partition(";")
        media = media.strip()
        if media in operation.others:
            return None
        known = _media(media, operation)
        if known is None or not _is_utf8(parameters):
            types = ", ".join(sorted((*operation.schemas, *operation.others)))
            return Refusal(415, f"bodies here are {types}, in UTF-8")
        return _compare(self._validators[operation.name, known], body.content)

    def _at(self, path: str) -> Iterator[Operation]:
        return (item for pattern, item in self._operations if pattern.fullmatch(path))

    def _unknown(self, path: str) -> Refusal | None:
        if not self._refuses_unknown:
            return None
        if any(self._at(path)):
            return Refusal(405, "the path does not have this method")
        return Refusal(404, "there is no such path")


@lru_cache(maxsize=32)
def judge_by(text: str, refuses_unknown: bool) -> Judge:
    """A judge by the text of a document.

    Raises:
        DocumentError: it cannot be used.
    """
    return Judge(read_api(text), refuses_unknown=refuses_unknown)


def _compiled(kind: Any, schema: Any, where: str) -> Any:
    try:
        # Expressions of linear time only: a document must not make its own gateway slow.
        options = jsonschema_rs.RegexOptions()
        return kind(schema, mask=_MASK, pattern_options=options, offline=True)
    except jsonschema_rs.ValidationError as error:
        place = "".join(f"[{step}]" for step in error.instance_path)
        raise DocumentError(f"{where}: {error.message} at {place or 'the top'}") from None
    except ValueError as error:
        raise DocumentError(f"{where}: {error}") from None


def _media(media: str, operation: Operation) -> str | None:
    """The media type of the document that a request's one falls under."""
    for name in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if name in operation.schemas and (name == media or _is_json(media)):
            return name
    return None


def _is_json(media: str) -> bool:
    return media == "application/json" or media.endswith("+json")


def _is_utf8(parameters: str) -> bool:
    """Whether nothing is said of characters, or that they are what JSON has (RFC 8259, 8.1)."""
    found = re.search(r"charset\s*=\s*\"?([^\s\";]+)", parameters)
    return found is None or found[1] in ("utf-8", "utf8", "us-ascii")


def _compare(validator: Any, content: bytes) -> Refusal | None:
    try:
        value = json.loads(
            content.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_number
        )
        if validator.is_valid(value):
            return None
        errors = list(islice(validator.iter_errors(value), MOST_REASONS))
    except (ValueError, RecursionError):
        # Servers that are less strict might read another value than was compared.
        return Refusal(400, "the body is no JSON, or not the same to everybody who reads it")
    reasons = tuple(Reason(_pointer(item.instance_path), item.message) for item in errors)
    return Refusal(400, "the body is not as the API says", reasons)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _pointer(path: list[str | int]) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
