"""Expressions of the Common Expression Language, as far as to tell whether a text is one.

Envoy parses and evaluates them; what it cannot parse costs the whole route table it stands in. So
syntax, names and functions are looked at before (CEL's language definition, "Syntax"), as far as
Envoy has them: macros over lists, such as `all`, it has not. Types are left to requests:
`request.headers['a'] > 3` is accepted, and has no value.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import re2

ROOTS: Final = ("request", "source", "destination", "connection", "metadata", "filter_state", "xds")
"""Envoy's attributes before a response is there (manual, "Attributes")."""
FUNCTIONS: Final = (
    *("size", "int", "uint", "double", "bytes", "bool"),
    *("duration", "timestamp", "type", "dyn"),
)
"""Functions that Envoy knows; each takes one value."""
METHODS: Final[Mapping[str, tuple[int, ...]]] = {
    "size": (0,),
    **dict.fromkeys(("contains", "startsWith", "endsWith", "matches"), (1,)),
    **{
        f"get{part}": (0, 1)
        for part in (
            *("FullYear", "Month", "Date", "DayOfMonth", "DayOfWeek", "DayOfYear"),
            *("Hours", "Minutes", "Seconds", "Milliseconds"),
        )
    },
}
"""What is called behind a dot, with how many values it takes."""
_WORDS: Final = frozenset({"true", "false", "null"})
_RESERVED: Final = frozenset(
    (
        *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "in"),
        *("let", "loop", "package", "namespace", "return", "var", "void", "while"),
    )
)
_TOKEN: Final = re.compile(
    r"""\s+
    |(?P<string>[bB]?[rR]?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?[uU]?)
    |(?P<name>[A-Za-z_]\w*)
    |(?P<sign>&&|\|\||[<>=!]=|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE | re.ASCII,
)
_BINARY: Final = frozenset(
    ("&&", "||", "<", "<=", ">=", ">", "==", "!=", "in", "+", "-", "*", "/", "%")
)
_ESCAPE: Final = re.compile(
    r"""\\(?:[abfnrtv\\'"`?]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U000[0-9a-fA-F]{5}|[0-3][0-7]{2})"""
)
_INTEGER: Final = 2**63
_DEEPEST: Final = 32


class _FaultError(Exception):
    """What is wrong."""


@dataclass(slots=True)
class _Reader:
    tokens: list[tuple[str, str]]
    place: int = 0
    depth: int = 0

    @property
    def text(self) -> str:
        return self.tokens[self.place][1]

    @property
    def kind(self) -> str:
        return self.tokens[self.place][0]

    def take(self) -> str:
        text = self.text
        self.place += 1
        return text

    def want(self, text: str) -> None:
        if self.kind == "string" or self.text != text:
            raise _FaultError(f"`{text}` is missing before {self.shown()}")
        self.place += 1

    def shown(self) -> str:
        return f"`{self.text}`" if self.text else "the end"

    def accept(self, text: str) -> bool:
        if self.kind == "string" or self.text != text:
            return False
        self.place += 1
        return True

    def name(self) -> str:
        if self.kind != "name":
            raise _FaultError(f"a name is missing before {self.shown()}")
        return self.take()


def fault(text: str) -> str | None:
    """What is wrong with an expression; None when nothing is found.

    Args:
        text: the expression.
    """
    if ")%" in text:
        return "`)%` would end it early: put a space before `%`"
    if not text.isprintable():
        return "it has a line break or another character that cannot be printed"
    try:
        reader = _Reader(_tokens(text))
        _expression(reader)
        if reader.text:
            raise _FaultError(f"it goes on with {reader.shown()}")
    except _FaultError as error:
        return str(error)
    return None


def _tokens(text: str) -> list[tuple[str, str]]:
    found = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _FaultError(f"`{text[place]}` at character {place + 1} has no meaning")
        if match.lastgroup is not None:
            found.append((match.lastgroup, match[0]))
        place = match.end()
    return [*found, ("end", "")]


def _expression(reader: _Reader) -> None:
    reader.depth += 1
    if reader.depth > _DEEPEST:
        raise _FaultError(f"it is nested deeper than {_DEEPEST} levels")
    _operands(reader)
    if reader.accept("?"):
        _operands(reader)
        reader.want(":")
        _expression(reader)
    reader.depth -= 1


def _operands(reader: _Reader) -> None:
    _operand(reader)
    while reader.kind != "string" and reader.text in _BINARY:
        reader.take()
        _operand(reader)


def _operand(reader: _Reader) -> None:
    while reader.accept("!") or reader.accept("-"):
        pass
    _primary(reader)
    while True:
        if reader.accept("."):
            _member(reader)
        elif reader.accept("["):
            _expression(reader)
            reader.want("]")
        else:
            return


def _member(reader: _Reader) -> None:
    name = reader.name()
    if not reader.accept("("):
        return
    if name not in METHODS:
        raise _FaultError(f"there is no function `{name}` of a value")
    if name == "matches":
        _pattern(reader)
    count = _list(reader, ")")
    if count not in METHODS[name]:
        raise _FaultError(f"`{name}` takes {METHODS[name][-1]} values, not {count}")


def _pattern(reader: _Reader) -> None:
    """Envoy compiles a pattern that is written down, before any request."""
    (kind, text), (_, end) = reader.tokens[reader.place : reader.place + 2]
    if kind != "string" or end != ")":
        return
    try:
        re2.compile(ast.literal_eval(text))
    except (re2.error, SyntaxError, ValueError) as error:
        raise _FaultError(f"{text} is no pattern of RE2") from error


def _primary(reader: _Reader) -> None:
    if reader.kind == "string":
        _string(reader.take())
    elif reader.kind == "number":
        _number(reader.take())
    elif reader.kind == "name":
        _named(reader)
    elif reader.accept("("):
        _expression(reader)
        reader.want(")")
    elif reader.accept("["):
        _list(reader, "]")
    elif reader.accept("{"):
        _map(reader)
    else:
        raise _FaultError(f"a value is missing before {reader.shown()}")


def _string(text: str) -> None:
    prefix = text[: text.index(text[-1])].lower()
    if "r" not in prefix and "\\" in _ESCAPE.sub("", text):
        raise _FaultError(f"{text} has an escape that means nothing")


def _number(text: str) -> None:
    if not text.rstrip("uU").isdigit():
        return
    limit = 2 * _INTEGER if text[-1] in "uU" else _INTEGER
    if int(text.rstrip("uU")) >= limit:
        raise _FaultError(f"{text} is too large")


def _named(reader: _Reader) -> None:
    name = reader.take()
    if name in _RESERVED:
        raise _FaultError(f"`{name}` is a reserved word")
    if reader.accept("("):
        _call(reader, name)
    elif name not in _WORDS and name not in ROOTS:
        raise _FaultError(f"`{name}` is unknown: attributes begin with {', '.join(ROOTS)}")


def _call(reader: _Reader, name: str) -> None:
    if name != "has" and name not in FUNCTIONS:
        raise _FaultError(f"there is no function `{name}`")
    count = _list(reader, ")")
    if count != 1:
        raise _FaultError(f"`{name}` takes 1 value, not {count}")
    if name == "has" and reader.tokens[reader.place - 3][1] != ".":
        raise _FaultError("`has` takes a field, such as `request.headers.a`")


def _list(reader: _Reader, end: str) -> int:
    """Values up to an end; how many."""
    count = 0
    while not reader.accept(end):
        _expression(reader)
        count += 1
        if not reader.accept(","):
            reader.want(end)
            break
    return count


def _map(reader: _Reader) -> None:
    while not reader.accept("}"):
        _expression(reader)
        reader.want(":")
        _expression(reader)
        if not reader.accept(","):
            reader.want("}")
            return
