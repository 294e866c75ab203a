"""What the strings below the fields of the schema say.

Pydantic would read them, too, but of every class when it is defined: a fifth of what it takes to
start anything here, and they are wanted only where something is wrong, or documented.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any


def texts_below(schema: type[Any]) -> Mapping[str, str]:
    """The text below each field of a schema class, by the field's name in Python; one line each."""
    return {name: text for part in reversed(schema.__mro__[:-1]) for name, text in _texts(part)}


def _texts(schema: type[Any]) -> Iterator[tuple[str, str]]:
    (made,) = ast.parse(textwrap.dedent(inspect.getsource(schema))).body
    assert isinstance(made, ast.ClassDef)
    for field, below in pairwise(made.body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            yield field.target.id, " ".join(str(below.value.value).split())
