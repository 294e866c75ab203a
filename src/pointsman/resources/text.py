"""Reads one YAML document into plain values, keeping no positions.

PyYAML's C parser composes the nodes; the values are built here, because its own constructors
follow YAML 1.1 (where `on` is true and `1:20` is 80), accept a key twice and cost three times
as much. The subset is YAML 1.2's core schema, which is JSON with comments and aliases.
`position.py` composes a document again when a problem needs a line.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from yaml import MappingNode, Node, ScalarNode, SequenceNode
from yaml._yaml import CParser
from yaml.error import MarkedYAMLError, YAMLError

from pointsman.resources.codes import reading
from pointsman.resources.problem import Code

MAX_DEPTH: Final = 100
"""Deepest nesting accepted; the C parser recurses and would overflow its stack."""
MAX_NODES: Final = 200_000
"""Most values a document may hold once its aliases are expanded."""

_PLAIN: Final = "plain"
_TEXT: Final = "text"
_COLLECTION: Final = "collection"
_TAG: Final = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_NUMBER_START: Final = frozenset("0123456789+-.")
_MAX_DIGITS: Final = 64
_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a document, or a part of it, cannot be read; line and column from 1."""

    code: Code
    message: str
    hint: str
    line: int
    column: int


class UnreadableError(Exception):
    """The text is no YAML document at all."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Tree:
    """A document as values.

    Attributes:
        value: dict, list, str, int, float, bool or None; mappings hold no None.
        clean: whether no text in it has a character that cannot be printed.
        faults: what is wrong with it; the value is of no use when there are any.
    """

    value: Any
    clean: bool
    faults: tuple[Fault, ...] = ()


def read(text: str) -> Tree:
    """Reads a document.

    Raises:
        UnreadableError: the text is not YAML.
    """
    root = compose(text)
    if root is None:
        return Tree(None, clean=True)
    if "&" in text and (fault := _oversized(root)):
        return Tree(None, clean=True, faults=(fault,))
    builder = _Builder()
    value = builder.build(root)
    return Tree(value, builder.clean, tuple(builder.faults))


def compose(text: str) -> Node | None:
    """The nodes of a document, with their marks; None when it is empty.

    Raises:
        UnreadableError: the text is not YAML.
    """
    try:
        node: Node | None = _Composer(text).get_single_node()
    except _TooDeepError as error:
        raise UnreadableError(_nesting_fault(error)) from None
    except (YAMLError, UnicodeError) as error:
        raise UnreadableError(_syntax_fault(text, error)) from None
    return node


class _TooDeepError(Exception):
    def __init__(self, parent: Node) -> None:
        super().__init__()
        self.mark = parent.start_mark


class _Composer(CParser):
    """The C parser with the few hooks it calls back; resolving is left to the builder."""

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        self._depth = 0

    def resolve(self, kind: type[Node], _value: object, implicit: tuple[bool, bool]) -> str:
        if kind is ScalarNode:
            return _PLAIN if implicit[0] else _TEXT
        return _COLLECTION

    def descend_resolver(self, parent: Node | None, _index: object) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH and parent is not None:
            raise _TooDeepError(parent)

    def ascend_resolver(self) -> None:
        self._depth -= 1


class _Builder:
    """Turns nodes into values and collects what is wrong with them."""

    def __init__(self) -> None:
        self.clean = True
        self.faults: list[Fault] = []

    def build(self, node: Node) -> Any:
        kind = type(node)
        if kind is ScalarNode:
            return self._scalar(node)
        if kind is MappingNode:
            self._expect(node, "map")
            return self._mapping(node)
        self._expect(node, "seq")
        return [self.build(item) for item in node.value]

    def _scalar(self, node: Node) -> Any:
        value: str = node.value
        tag = node.tag
        if tag is _PLAIN:
            if value in _CONSTANTS:
                return _CONSTANTS[value]
            if value[0] in _NUMBER_START:
                return _number(value)
        elif tag is not _TEXT:
            return self._tagged(node)
        if not value.isprintable():
            self.clean = False
        return value

    def _tagged(self, node: Node) -> Any:
        value: str = node.value
        name = node.tag.removeprefix(_TAG)
        found: Any = _CONSTANTS.get(value, _number(value)) if value else None
        if name == "str":
            self.clean = self.clean and value.isprintable()
            return value
        if name in _SCALAR_TAGS and isinstance(found, _SCALAR_TAGS[name]):
            return found
        self._refuse_tag(node)
        return None

    def _expect(self, node: Node, name: str) -> None:
        if node.tag is not _COLLECTION and node.tag != _TAG + name:
            self._refuse_tag(node)

    def _refuse_tag(self, node: Node) -> None:
        tag = node.tag.replace(_TAG, "!!")
        self._fault(
            reading.UNSUPPORTED_YAML,
            node,
            f"the tag {tag} is not supported here",
            "write the value without a tag",
        )

    def _mapping(self, node: Node) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merges: list[Node] = []
        empty = False
        for key_node, value_node in node.value:
            key = key_node.value
            if type(key_node) is not ScalarNode:
                self._fault(
                    reading.UNSUPPORTED_YAML,
                    key_node,
                    "a key must be text, not a list or a mapping",
                    "quote text that begins with `[` or `{`",
                )
                continue
            if key == "<<" and key_node.tag is _PLAIN:
                merges.append(value_node)
                continue
            if key in result:
                self._duplicate(node, key_node)
            value = self.build(value_node)
            empty = empty or value is None
            result[key] = value
        for merge in merges:
            self._merge(result, merge)
        return {k: v for k, v in result.items() if v is not None} if empty else result

    def _merge(self, into: dict[str, Any], node: Node) -> None:
        parts = node.value if type(node) is SequenceNode else [node]
        for part in parts:
            if type(part) is not MappingNode:
                self._fault(
                    reading.UNSUPPORTED_YAML,
                    part,
                    "`<<` merges mappings only",
                    "let `<<` name an anchored mapping, or a list of them",
                )
                continue
            for key, value in self._mapping(part).items():
                into.setdefault(key, value)

    def _duplicate(self, node: Node, key_node: Node) -> None:
        key = key_node.value
        first = next(k for k, _ in node.value if type(k) is ScalarNode and k.value == key)
        above = key_node.start_mark.line - first.start_mark.line
        where = "in the same line" if not above else f"{above} line{'s' * (above > 1)} above"
        self._fault(
            reading.DUPLICATE_KEY,
            key_node,
            f"{key} is written twice: first {where}",
            "keep one of the two; a line with `---` separates two objects",
        )

    def _fault(self, code: Code, node: Node, message: str, hint: str) -> None:
        mark = node.start_mark
        self.faults.append(Fault(code, message, hint, mark.line + 1, mark.column + 1))


_SCALAR_TAGS: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "null": (type(None),),
}


def _number(value: str) -> int | float | str:
    if len(value) > _MAX_DIGITS:
        return value
    if _INT.match(value):
        base = {"0o": 8, "0x": 16}.get(value[:2], 10)
        return int(value, base)
    if _FLOAT.match(value):
        return float(value)
    return float(value.replace(".", "")) if _SPECIAL.match(value) else value


def _oversized(root: Node) -> Fault | None:
    """Whether aliases make a document infinite or huge; sizes are counted without expanding."""
    sizes: dict[int, int] = {}
    active: set[int] = set()

    def size(node: Node) -> int:
        if type(node) is ScalarNode:
            return 1
        identity = id(node)
        if identity in active:
            return MAX_NODES + 1
        if identity not in sizes:
            active.add(identity)
            children = node.value
            if type(node) is MappingNode:
                children = [child for pair in children for child in pair]
            sizes[identity] = 1 + sum(map(size, children))
            active.remove(identity)
        return sizes[identity]

    if size(root) <= MAX_NODES:
        return None
    mark = root.start_mark
    return Fault(
        reading.UNSUPPORTED_YAML,
        "aliases make this document contain itself, or grow beyond reason",
        "write the values out",
        mark.line + 1,
        mark.column + 1,
    )


def _nesting_fault(error: _TooDeepError) -> Fault:
    return Fault(
        reading.UNSUPPORTED_YAML,
        f"values are nested more than {MAX_DEPTH} levels deep",
        "no manifest needs that",
        error.mark.line + 1,
        error.mark.column + 1,
    )


def _syntax_fault(text: str, error: Exception) -> Fault:
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        if error.problem and "unexpected end of stream" in error.problem:
            mark = error.context_mark or mark
        message = error.problem or error.context or "this is not YAML"
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Fault(
            reading.YAML_SYNTAX, f"not YAML: {message}", _hint(text, message, line), line, column
        )
    unreadable = _UNREADABLE.search(text)
    start = unreadable.start() if unreadable else 0
    line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
    character = ord(text[start]) if text else 0
    if 0xDC80 <= character <= 0xDCFF:
        return Fault(
            reading.NOT_UTF8,
            f"byte 0x{character - 0xDC00:02X} is not UTF-8",
            "save the file as UTF-8",
            line,
            column,
        )
    return Fault(
        reading.YAML_SYNTAX,
        f"the character U+{character:04X} may not stand in YAML",
        "remove it, or write it as an escape between double quotes",
        line,
        column,
    )


_HINTS: Final = (
    ("mapping values are not allowed", "quote a value that contains `: `, or mend the indentation"),
    ("cannot start any token", "quote a value that begins with `@`, a backquote or `%`"),
    ("unexpected end of stream", "a quote that begins here is never closed"),
    ("undefined alias", "quote a value that begins with `*`"),
    ("expected <block end>", "check the indentation of this line and the one above"),
)
"""What the parser says, in part, and what to do about it."""


def _hint(text: str, message: str, line: int) -> str:
    lines = text.split("\n")
    if "cannot start any token" in message and "\t" in lines[min(line, len(lines)) - 1]:
        return "indent with spaces; YAML does not allow tabs"
    return next((hint for part, hint in _HINTS if part in message), "")
