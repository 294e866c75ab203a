"""Whether every request that one match takes is taken by another one, too.

Only what is certain counts: `covers` may say no where the answer is yes, and never the other way
round. What two regular expressions have in common is certain only where they are the same text,
or where one of them says no more than a prefix does.
"""

import re
from functools import lru_cache

import re2

from pointsman.graph.model.match import (
    HeaderCondition,
    HeaderTest,
    PathCondition,
    PathKind,
    QueryCondition,
    RequestMatch,
)
from pointsman.graph.request import JOINED, header_holds

_EVERY_PATH = frozenset(
    {".*", ".+", "/.*", "/+.*", "/?.*", "[/].*", "/.*?", ".*?", "(.*)", "/(.*)"}
)
_ENDS = re.compile(r"(?s)\A\^?(.*?)\$?\Z")
_PLAIN_THEN_ANYTHING = re.compile(
    r"((?:[A-Za-z0-9/_~ !@%&=:;,'\"<>-]|\\[./+*?()\[\]{}|^$-])*)(\.\*)?\Z"
)
_ONE_VALUE = JOINED | {":method", ":path", ":scheme", ":authority", "host"}
"""Headers that have one value, however often a client sends them."""


def takes_every_path(path: PathCondition) -> bool:
    """Whether a condition holds for every path; they all begin with `/`."""
    return simplest(path) == PathCondition(PathKind.PREFIX, "/")


@lru_cache(maxsize=65_536)
def simplest(path: PathCondition) -> PathCondition:
    """The same condition as a prefix or an exact path, where a regular expression says no more."""
    if path.kind is not PathKind.REGEX:
        return path
    matched = _ENDS.match(path.value)
    body = matched[1] if matched else path.value
    if body in _EVERY_PATH:
        return PathCondition(PathKind.PREFIX, "/")
    plain = _PLAIN_THEN_ANYTHING.match(body)
    if plain is None or not plain[1].startswith("/"):
        return path
    literal = re.sub(r"\\(.)", r"\1", plain[1])
    return PathCondition(PathKind.PREFIX if plain[2] else PathKind.EXACT, literal)


def covers(wide: RequestMatch, narrow: RequestMatch) -> bool:
    """Whether whatever `narrow` takes is taken by `wide`, too."""
    return path_covers(wide.path, narrow.path) and conditions_cover(wide, narrow)


def path_covers(wide: PathCondition, narrow: PathCondition) -> bool:
    """The same, of paths alone."""
    if wide == narrow:
        return True
    wide, narrow = simplest(wide), simplest(narrow)
    match wide.kind:
        case PathKind.EXACT:
            return wide == narrow
        case PathKind.PREFIX:
            return begins_with(narrow, wide.value)
        case PathKind.REGEX:
            exact = narrow.kind is PathKind.EXACT
            return exact and re2.fullmatch(wide.value, narrow.value) is not None


def begins_with(path: PathCondition, prefix: str) -> bool:
    """Whether every path a condition holds for begins with a text."""
    if path.kind is PathKind.REGEX:
        return prefix == "/" or plain_start(path.value).startswith(prefix)
    return path.value.startswith(prefix)


@lru_cache(maxsize=65_536)
def plain_start(pattern: str) -> str:
    """Text that every match of an expression begins with; "" where that is not certain."""
    if "|" in pattern:
        return ""
    body = pattern.removeprefix("^")
    start = re.match(r"[A-Za-z0-9/_-]*", body)
    literal = start[0] if start else ""
    # What is repeated, perhaps no times, belongs to its last character.
    repeated = body[len(literal) : len(literal) + 1] in ("*", "?", "{", "+")
    return literal[:-1] if repeated else literal


def conditions_cover(wide: RequestMatch, narrow: RequestMatch) -> bool:
    """The same, of everything but paths."""
    return (
        wide.method in (None, narrow.method)
        and wide.scheme in (None, narrow.scheme)
        and all(
            any(header_implies(mine, other) for mine in narrow.headers) for other in wide.headers
        )
        and all(
            any(_query_implies(mine, other) for mine in narrow.queries) for other in wide.queries
        )
    )


def header_implies(given: HeaderCondition, then: HeaderCondition) -> bool:
    """Whether a header for which one condition holds always satisfies the other."""
    if given == then:
        return True
    if given.name != then.name:
        return False
    there = not (given.test is HeaderTest.PRESENT and given.invert) and not given.or_absent
    if then.test is HeaderTest.PRESENT:
        return there and not then.invert
    if given.invert or not there or given.test is HeaderTest.PRESENT:
        return False
    if then.invert:
        # A repeated header may have other values beside the one that is known.
        return given.test is HeaderTest.EXACT and given.name in _ONE_VALUE and _holds(then, given)
    return _value_implies(given, then)


def _value_implies(given: HeaderCondition, then: HeaderCondition) -> bool:
    if given.test is HeaderTest.EXACT:
        return _holds(then, given)
    if given.test is not then.test:
        return False
    match given.test:
        case HeaderTest.PREFIX:
            return given.value.startswith(then.value)
        case HeaderTest.SUFFIX:
            return given.value.endswith(then.value)
        case HeaderTest.RANGE:
            return then.start <= given.start and given.end <= then.end
    return False


def _holds(then: HeaderCondition, given: HeaderCondition) -> bool:
    return header_holds(then, (given.value,))


def _query_implies(given: QueryCondition, then: QueryCondition) -> bool:
    return given.name == then.name and then.exact in (None, given.exact)


def exclude_each_other(one: HeaderCondition, other: HeaderCondition) -> bool:
    """Whether no request can satisfy both conditions."""
    if one.name != other.name:
        return False
    absent = [c for c in (one, other) if c.test is HeaderTest.PRESENT and c.invert]
    if one.or_absent or other.or_absent:
        return False
    if len(absent) == 1:
        return True
    exact = one if one.test is HeaderTest.EXACT and not one.invert else other
    tested = other if exact is one else one
    return (
        one.name in _ONE_VALUE
        and exact.test is HeaderTest.EXACT
        and not exact.invert
        and not header_holds(tested, (exact.value,))
    )
