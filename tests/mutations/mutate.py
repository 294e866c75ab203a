"""Deterministic damage to manifests: to their text, and to the values they hold."""

import copy
import pickle
import random
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml

_PIECES = (
    *("\x00", "\t", "\n", ":", "{", "}", "[", "]", "-", "#", "&a ", "*a ", "!!binary ", "é", "%"),
    *('"', "'", "|", ">", "---\n", "...\n", "<<: *a", "${X}", "\ud800", "\u2028", "0", "/", "*"),
)
_NUMBERS = (-1, 0, 1, 2, 99, 100, 101, 1000, 65535, 65536, 2**31 - 1, 2**31, 2**32, 2**32 + 1)
_HUGE = (2**53, 2**63 - 1, 2**63, 2**64, -(2**63), -(2**63) - 1, 10**30, 1.5, 1e300, float("inf"))
_WORDS = (
    *("", " ", "a", "A", "é", "x\ny", "x\x00y", "a" * 50, "a" * 255, "a" * 256, "a" * 5000),
    *("/", "//", "/a//b", "/a/../b", "/%2e%2e/", "/a?b", "/a#b", "/é", "/ ", "/%00", "a/b", "/."),
    *(
        "*",
        "*.",
        "*.a.test",
        ".a.test",
        "a.test.",
        "A.Test",
        "a..test",
        "-a",
        "a:80",
        "[::1]",
        "::1",
    ),
    *("::1", "localhost", "127.0.0.1", "256.1.1.1", "1.2.3", "1", "0x7f.1", "a_b", "http://a"),
    *("items.example.com", "ITEMS.example.com", ".example.com", "example.com", "SHOP.EXAMPLE.COM"),
    *("(", "[", "a{1001}", "a{1000}", "(?=a)", "(a)\\1", ".*" * 100, "(?i)a", "\\C", "[[:x:]]"),
    *("\\pN", "(?P<n>a)", "((((a{30}){30}){3}))", "^$", "\\Qa", "(?s:.)", "a**", "x{2,1}", "\\"),
    *("%FOO%", "%REQ(", "%REQ()%", "%", "%%", "%START_TIME(%)%", "%REQ(a?b?c)%", "%RESP(:x)%:9"),
    *("%START_TIME(%E9S)%", "%PROTOCOL:99999999999%", "%CEL(1)%", "%ENVIRONMENT(PATH)%"),
    *(":path", ":method", ":status", ":authority", "host", "Host", "te", "x y", "x-é", "cookie"),
    *("x-envoy-retry-on", "x-pointsman-second-pass", "connection", "transfer-encoding", "X-A"),
    *("http", "http2", "grpc", "tcp", "GET", "get", "CONNECT", "yes", "null", "~", "true", "1e3"),
    *("ns", "other", "cart", "cart.other", "front", "old", "Mesh", "logs/other.log", "s", "ms"),
)
_ODD: tuple[Any, ...] = (None, True, False, [], {}, [[]], [{}], {"a": 1}, [None], {"name": "cart"})


def mutated(text: str, number: int) -> tuple[str, str]:
    """A little damage, the same for the same number: to the text, or to one to three values.

    Returns:
        What was done, and the text.
    """
    dice = random.Random(number)
    if number % 5 == 0:
        return _damaged_text(text, dice)
    return _damaged_tree(text, dice)


def _damaged_text(text: str, dice: random.Random) -> tuple[str, str]:
    lines = text.split("\n")
    at = dice.randrange(len(lines))
    line = lines[at]
    column = dice.randrange(len(line) + 1)
    match dice.randrange(8):
        case 0:
            del lines[at]
            done = "line deleted"
        case 1:
            lines.insert(at, line)
            done = "line doubled"
        case 2:
            other = dice.randrange(len(lines))
            lines[at], lines[other] = lines[other], line
            done = f"line swapped with {other}"
        case 3:
            lines[at] = " " * dice.randrange(1, 4) + line
            done = "line indented"
        case 4:
            lines[at] = line[:column] + line[column + 1 :]
            done = f"character {column} deleted"
        case 5:
            lines[at] = line.removeprefix("  ")
            done = "line outdented"
        case 6:
            del lines[at + dice.randrange(40) :]
            done = "text cut off"
        case _:
            piece = dice.choice(_PIECES)
            lines[at] = line[:column] + piece + line[column:]
            done = f"{piece!r} put at {column}"
    return f"line {at + 1} {line!r}: {done}", "\n".join(lines)


def _damaged_tree(text: str, dice: random.Random) -> tuple[str, str]:
    documents = pickle.loads(_pickled(text))
    done = []
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        places = [p for p in _places(documents) if len(p) > 2 and p[1] in ("metadata", "spec")]
        place = dice.choice(places)
        done.append(f"{place}: {_damage(documents, place, places, dice)}")
    # Documents that are as they were keep their text, as in an editor.
    parts = [
        original if before == after else _written(after)
        for original, before, after in zip(
            text.split("\n---\n"), pickle.loads(_pickled(text)), documents, strict=True
        )
    ]
    return "; ".join(done), "\n---\n".join(parts)


@lru_cache(32)
def _pickled(text: str) -> bytes:
    """Its documents; copies are made fastest from this."""
    return pickle.dumps(list(yaml.load_all(text, yaml.CSafeLoader)))


def _written(document: Any) -> str:
    text: str = yaml.dump(
        document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=10**6
    )
    return text


def _damage(documents: Any, place: tuple[Any, ...], places: Any, dice: random.Random) -> str:
    *path, last = place
    parent = _at(documents, path)
    value = parent[last]
    if isinstance(value, (str, int)) and dice.random() < 0.75:
        # What keeps its type passes the schema, and meets the rules behind it.
        parent[last] = _like(value, [_at(documents, other) for other in places], dice)
        return f"set to {str(parent[last])[:80]!r}"
    match dice.randrange(6):
        case 0:
            del parent[last]
            return "deleted"
        case 1:
            source = dice.choice(places)
            parent[last] = copy.deepcopy(_at(documents, source))
            return f"copied from {source}"
        case 2 if isinstance(parent, dict):
            name = dice.choice([str(p[-1]) for p in places])
            parent[name] = parent.pop(last)
            return f"renamed {name}"
        case 2 | 3 if isinstance(parent, list):
            parent.insert(dice.randrange(len(parent) + 1), copy.deepcopy(value))
            return "doubled"
        case 4:
            parent[last] = dice.choice((*_NUMBERS, *_HUGE, *_WORDS))
        case _:
            parent[last] = copy.deepcopy(dice.choice(_ODD))
    return f"set to {str(parent[last])[:80]!r}"


def _like(value: Any, others: list[Any], dice: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        near = (value - 1, value + 1, value * 10, value * 1000, -value)
        return dice.choice((*near, *_NUMBERS))
    bent = (value.upper(), value + ".", value * 30, value + " ", "x" + value, value[:-1], value[1:])
    match dice.randrange(4):
        case 0:
            return dice.choice([other for other in others if isinstance(other, str)])
        case 1:
            return dice.choice(bent)
        case _:
            return dice.choice(_WORDS)


def _places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items: Any = ()
    if isinstance(tree, dict):
        items = tree.items()
    elif isinstance(tree, list):
        items = enumerate(tree)
    for name, value in items:
        yield (*path, name)
        yield from _places(value, (*path, name))


def _at(tree: Any, path: Any) -> Any:
    for name in path:
        tree = tree[name]
    return tree
