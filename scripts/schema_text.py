"""The manifest schema in words: its blocks, and the rows of a table of their fields."""

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.dataclasses import is_pydantic_dataclass
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pointsman.resources.kinds import base
from pointsman.resources.shape import fields, meanings

Block = type[Any]
"""A dataclass of `pointsman.resources.kinds`."""

_SCALARS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
}


def blocks_of(root: Block) -> list[Block]:
    """A block and all blocks below it, each once, in the order of their fields."""
    found: dict[Block, None] = {root: None}
    for info in fields(root).values():
        for block in _blocks_in(info.annotation):
            found.update(dict.fromkeys(item for item in blocks_of(block) if item not in found))
    return list(found)


def _blocks_in(annotation: Any) -> Iterator[Block]:
    annotation = _resolved(annotation)
    if isinstance(annotation, type) and is_pydantic_dataclass(annotation):
        yield annotation
    if get_origin(annotation) is not Literal:
        for argument in get_args(annotation):
            yield from _blocks_in(argument)


def rows_of(block: Block) -> Iterator[str]:
    """Rows `| field | type | default | meaning |` of a block."""
    for name, info in fields(block).items():
        kind = _type(info.annotation, info.metadata)
        cells = (f"`{name}`", kind, _default(info), meanings(block)[name])
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.default
    if value is PydanticUndefined or value in (None, ()):
        return ""
    return f"`{'true' if value is True else 'false' if value is False else value}`"


def _type(annotation: Any, metadata: list[Any]) -> str:
    annotation = _resolved(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0], [*arguments[1:], *metadata])
    if origin in (Union, types.UnionType):
        (inner,) = (item for item in arguments if item is not type(None))
        return _type(inner, metadata)
    return _plain(annotation, origin, arguments) + _limits(metadata)


def _resolved(annotation: Any) -> Any:
    """The class itself where a block refers to one further down in its module by name."""
    return getattr(base, annotation) if isinstance(annotation, str) else annotation


def _plain(annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> str:
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0], [])}"
    if origin is not None and issubclass(origin, Mapping):
        return f"mapping of text to {_type(arguments[1], [])}"
    if isinstance(annotation, type) and is_pydantic_dataclass(annotation):
        return f"[{annotation.__name__}](#{annotation.__name__})"
    return "anything" if annotation is Any else _SCALARS[annotation]


def _limits(metadata: list[Any]) -> str:
    """Bounds, as ` 1..255` for numbers and ` (1..255 long)` for texts and lists."""
    limits: dict[str, Any] = {}
    for item in metadata:
        for constraint in getattr(item, "metadata", [item]):
            for name in ("ge", "le", "min_length", "max_length", "pattern"):
                value = getattr(constraint, name, None)
                if value is not None:
                    limits.setdefault(name, value)
    text = _range(limits, "ge", "le", " {}")
    text += _range(limits, "min_length", "max_length", " ({} long)")
    return text + (f" like `{limits['pattern']}`" if "pattern" in limits else "")


def _range(limits: Mapping[str, Any], low: str, high: str, shown: str) -> str:
    if low not in limits and high not in limits:
        return ""
    return shown.format(f"{limits.get(low, 0)}..{limits.get(high, '')}")
