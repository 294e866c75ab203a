"""Answers questions about the schema: which fields stand where, and what they are for.

Asked only when something is wrong with a manifest, to name the field its author meant.
"""

import types
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.dataclasses import is_pydantic_dataclass
from pydantic.fields import FieldInfo

from pointsman.resources.kinds.base import manifest_name
from pointsman.resources.meaning import texts_below
from pointsman.resources.origin import FieldPath


@lru_cache(maxsize=256)
def fields(schema: type[Any]) -> Mapping[str, FieldInfo]:
    """The fields of a schema class by their names in manifests."""
    infos: Mapping[str, FieldInfo] = schema.__pydantic_fields__
    return {_written(name, info): info for name, info in infos.items()}


@lru_cache(maxsize=256)
def meanings(schema: type[Any]) -> Mapping[str, str]:
    """What the manifest reference says about the fields of a schema class, by the same names."""
    texts = texts_below(schema)
    infos: Mapping[str, FieldInfo] = schema.__pydantic_fields__
    return {_written(name, info): texts.get(name, "") for name, info in infos.items()}


def _written(name: str, info: FieldInfo) -> str:
    alias = info.validation_alias
    return alias if isinstance(alias, str) else manifest_name(name)


def fields_at(schema: type[Any], path: FieldPath) -> Mapping[str, FieldInfo]:
    """The fields known at a path below a schema class; none where no mapping with fields stands."""
    found = _at(schema, path)
    return fields(found) if _is_schema(found) else {}


def describe(schema: type[Any], path: FieldPath) -> str:
    """What the manifest reference says about a field, or ""."""
    if not path or isinstance(path[-1], int):
        return ""
    found = _at(schema, path[:-1])
    return meanings(found).get(path[-1], "") if _is_schema(found) else ""


def _at(current: Any, path: FieldPath) -> Any:
    for step in path:
        current = _below(current, step)
    return current


def _below(current: Any, step: str | int) -> Any:
    if isinstance(step, int):
        arguments = get_args(current)
        return _plain(arguments[0]) if get_origin(current) is tuple and arguments else None
    info = fields(current).get(step) if _is_schema(current) else None
    return _plain(info.annotation) if info else None


def _plain(annotation: Any) -> Any:
    """The annotation without Annotated and without None."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _plain(next(a for a in get_args(annotation) if a is not type(None)))
    return annotation


def _is_schema(candidate: Any) -> bool:
    return isinstance(candidate, type) and is_pydantic_dataclass(candidate)
