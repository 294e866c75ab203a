"""Plain values to a typed spec, or everything that is wrong with them.

pydantic finds the mistakes; this module says them as people would. The good case is one call
of a compiled validator, so nothing here may cost time before a mistake was found.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from pointsman.resources import unknown
from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.shape import describe, fields_at
from pointsman.resources.words import listed, nearest, shown

T = TypeVar("T")

_UNKNOWN: Final = "unexpected_keyword_argument"
_ROUNDS: Final = 20
"""Rounds of dropping unknown fields; one is enough unless a renamed field holds more of them."""

_WANTED: Final[Mapping[str, str]] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "dataclass_type": "a mapping of fields",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
_YES_NO: Final = {"yes": "true", "on": "true", "no": "false", "off": "false"}


_ADAPTERS: Final[dict[type[Any], TypeAdapter[Any]]] = {}
"""Validators are compiled when a kind is met first; that takes milliseconds."""


def validate(schema: type[T], tree: Any, key: Key | None) -> tuple[T | None, list[Problem]]:
    """A spec of the schema, or None, and the problems found; paths begin with `spec`."""
    try:
        return _read(schema, tree), []
    except ValidationError as error:
        return _mend(schema, _copy(tree), error, key)


def _read(schema: type[T], tree: Any) -> T:
    adapter = _ADAPTERS.get(schema)
    if adapter is None:
        adapter = _ADAPTERS[schema] = TypeAdapter(schema)
    spec: T = adapter.validate_python(tree, by_alias=True, by_name=False)
    return spec


def _mend(
    schema: type[T], tree: Any, error: ValidationError, key: Key | None
) -> tuple[T | None, list[Problem]]:
    """Drops unknown fields until only real errors, or none, are left."""
    warnings: list[Problem] = []
    for _ in range(_ROUNDS):
        found = error.errors(include_url=False)
        extra = [tuple(e["loc"]) for e in found if e["type"] == _UNKNOWN]
        resolved = [unknown.resolve(tree, path, schema, key) for path in extra]
        warnings += filter(None, resolved)
        if not any(resolved):
            break
        try:
            spec = _read(schema, tree)
        except ValidationError as next_error:
            error = next_error
        else:
            return spec, warnings
    errors = filter(_counts, error.errors(include_url=False))
    return None, warnings + [_problem(e, schema, key) for e in errors]


def _counts(error: ErrorDetails) -> bool:
    """Whether an error is more than the echo of another.

    A list whose entries are invalid is also called too short, as if they were not there.
    """
    return error["type"] != "too_short" or len(error["input"]) < error["ctx"]["min_length"]


def _copy(tree: Any) -> Any:
    """A copy in which nothing is shared, whatever aliases the document had."""
    if isinstance(tree, dict):
        return {name: _copy(value) for name, value in tree.items()}
    return [_copy(item) for item in tree] if isinstance(tree, list) else tree


def _problem(error: ErrorDetails, schema: type[Any], key: Key | None) -> Problem:
    path: FieldPath = ("spec", *error["loc"])
    kind = error["type"]
    if kind in _WANTED:
        return _wrong_type(error, path, schema, key)
    say = _SAYINGS.get(kind)
    if say is None:
        message = f"{show_path(path)} is {shown(error['input'])}: {error['msg']}"
        return Problem(codes.BAD_FORMAT, message, "", key, path)
    return say(error, path, schema, key)


def _wrong_type(
    error: ErrorDetails, path: FieldPath, schema: type[Any], key: Key | None
) -> Problem:
    value, wanted = error["input"], _WANTED[error["type"]]
    message = f"{show_path(path)} must be {wanted}, not {shown(value)}"
    return Problem(codes.WRONG_TYPE, message, _type_hint(value, wanted, path, schema), key, path)


def _type_hint(value: Any, wanted: str, path: FieldPath, schema: type[Any]) -> str:
    if isinstance(value, str):
        return _text_hint(value, wanted)
    if wanted == "text" and isinstance(value, (bool, int, float)):
        return f'quote it: "{shown(value)}"'
    if wanted == "a list" and isinstance(value, dict):
        return "begin each entry with `- `"
    if wanted.startswith("a mapping") and isinstance(value, list):
        return "remove the `- ` in front of its fields"
    known = fields_at(schema, path[1:]) if wanted == "a mapping of fields" else {}
    return f"its fields are {listed(known, 'and')}" if known else ""


def _text_hint(value: str, wanted: str) -> str:
    if wanted == "a whole number" and value.isdecimal() and len(value) < 20:
        return f"remove the quotes: {value}"
    if wanted == "true or false":
        right = _YES_NO.get(value.lower(), value.lower())
        return f"write {right}" if right in ("true", "false") else ""
    return ""


def _missing(error: ErrorDetails, path: FieldPath, schema: type[Any], key: Key | None) -> Problem:
    del error
    meaning = describe(schema, path[1:])
    hint = f"{path[-1]}: {meaning}".rstrip(".") if meaning else ""
    return Problem(codes.MISSING_FIELD, f"{show_path(path)} is missing", hint, key, path)


def _not_allowed(
    error: ErrorDetails, path: FieldPath, schema: type[Any], key: Key | None
) -> Problem:
    del schema
    # pydantic gives the values only as a sentence: 'a', 'b' or 'c'.
    allowed = error.get("ctx", {})["expected"].split("'")[1::2]
    value = error["input"]
    message = f"{show_path(path)} is {shown(value)}; it must be {listed(allowed)}"
    near = nearest(value, allowed) if isinstance(value, str) else None
    return Problem(codes.NOT_ALLOWED, message, f"did you mean {near}?" if near else "", key, path)


def _out_of_range(
    error: ErrorDetails, path: FieldPath, schema: type[Any], key: Key | None
) -> Problem:
    del schema
    context = error.get("ctx", {})
    limit = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
    limit = limit.removesuffix(".0")
    message = f"{show_path(path)} is {shown(error['input'])}; it must be {limit}"
    return Problem(codes.OUT_OF_RANGE, message, "", key, path)


def _wrong_length(
    error: ErrorDetails, path: FieldPath, schema: type[Any], key: Key | None
) -> Problem:
    del schema
    context, value = error.get("ctx", {}), error["input"]
    unit = "characters" if isinstance(value, str) else "entries"
    at_least = "min_length" in context
    limit = context["min_length"] if at_least else context["max_length"]
    if at_least and not value:
        message = f"{show_path(path)} is empty"
    else:
        bound = "at least" if at_least else "at most"
        message = f"{show_path(path)} has {len(value)} {unit}; it may have {bound} {limit}"
    return Problem(codes.WRONG_LENGTH, message, "", key, path)


def _pattern(error: ErrorDetails, path: FieldPath, schema: type[Any], key: Key | None) -> Problem:
    meaning = describe(schema, path[1:]).rstrip(".")
    message = f"{show_path(path)} is {shown(error['input'])}, which is not in the expected form"
    hint = f"it must match {error.get('ctx', {})['pattern']}"
    return Problem(codes.BAD_FORMAT, message, f"{hint} ({meaning})" if meaning else hint, key, path)


_Saying = Callable[[ErrorDetails, FieldPath, type[Any], Key | None], Problem]
_SAYINGS: Final[Mapping[str, _Saying]] = {
    "missing": _missing,
    "literal_error": _not_allowed,
    "greater_than_equal": _out_of_range,
    "less_than_equal": _out_of_range,
    "string_too_short": _wrong_length,
    "string_too_long": _wrong_length,
    "too_short": _wrong_length,
    "too_long": _wrong_length,
    "string_pattern_mismatch": _pattern,
}
