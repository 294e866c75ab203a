"""Expressions of the Common Expression Language, as far as to tell whether a text is one.

Envoy parses and evaluates them; what it cannot parse costs the whole route table it stands in. So
syntax, names and functions are looked at before (CEL's language definition, "Syntax"). Types are
not: `request.headers['a'] > 3` is found out by requests, for which it has no value.
"""

import re
from dataclasses import dataclass, field
from typing import Final

ROOTS: Final = ("request", "source", "destination", "connection", "metadata", "filter_state", "xds")
"""Envoy's attributes before a response is there (manual, "Attributes")."""
FUNCTIONS: Final = frozenset(
    [
        "size",
        "contains",
        "startsWith",
        "endsWith",
        "matches",
        "int",
        "uint",
        "double",
        "string",
        "bytes",
        "bool",
        "duration",
        "timestamp",
        "type",
        "dyn",
        "getFullYear",
        "getMonth",
        "getDate",
        "getDayOfMonth",
        "getDayOfWeek",
        "getDayOfYear",
        "getHours",
        "getMinutes",
        "getSeconds",
        "getMilliseconds",
    ]
)
_MACROS: Final = frozenset({"all", "exists", "exists_one", "map", "filter"})
_WORDS: Final = frozenset({"true", "false", "null"})
_RESERVED: Final = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
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
    ["&&", "||", "<", "<=", ">=", ">", "==", "!=", "in", "+", "-", "*", "/", "%"]
)
_DEEPEST: Final = 32


class _FaultError(Exception):
    """What is wrong."""


@dataclass(slots=True)
class _Reader:
    tokens: list[tuple[str, str]]
    place: int = 0
    depth: int = 0
    bound: list[str] = field(default_factory=list)

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
    _operand(reader)
    while reader.kind != "string" and reader.text in _BINARY:
        reader.take()
        _operand(reader)
    if reader.accept("?"):
        _expression(reader)
        reader.want(":")
        _expression(reader)
    reader.depth -= 1


def _operand(reader: _Reader) -> None:
    while reader.accept("!") or reader.accept("-"):
        pass
    _primary(reader)
    while True:
        if reader.accept("."):
            name = reader.name()
            if reader.accept("("):
                _call(reader, name)
        elif reader.accept("["):
            _expression(reader)
            reader.want("]")
        else:
            return


def _primary(reader: _Reader) -> None:
    if reader.kind in ("string", "number"):
        reader.take()
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


def _named(reader: _Reader) -> None:
    name = reader.take()
    if name in _RESERVED or name == "in":
        raise _FaultError(f"`{name}` is a reserved word")
    if reader.accept("("):
        _call(reader, name)
    elif name not in _WORDS and name not in ROOTS and name not in reader.bound:
        raise _FaultError(f"`{name}` is unknown: attributes begin with {', '.join(ROOTS)}")


def _call(reader: _Reader, name: str) -> None:
    if name in _MACROS:
        reader.bound.append(reader.name())
        reader.want(",")
        _list(reader, ")")
        reader.bound.pop()
    elif name == "has" or name in FUNCTIONS:
        _list(reader, ")")
    else:
        raise _FaultError(f"there is no function `{name}`")


def _list(reader: _Reader, end: str) -> None:
    while not reader.accept(end):
        _expression(reader)
        if not reader.accept(","):
            reader.want(end)
            return


def _map(reader: _Reader) -> None:
    while not reader.accept("}"):
        _expression(reader)
        reader.want(":")
        _expression(reader)
        if not reader.accept(","):
            reader.want("}")
            return
