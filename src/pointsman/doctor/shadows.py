"""Routes that another one of their table takes every request from.

Comparing each with each would take minutes for ten thousand routes. So each route is kept under
where its paths begin and under one thing its requests must have (the hook), and is compared only
with routes that have both.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from operator import itemgetter

import re2

from pointsman.doctor.implied import conditions_cover, path_covers, plain_start, simplest
from pointsman.graph.model.match import (
    HeaderCondition,
    HeaderTest,
    PathCondition,
    PathKind,
    RequestMatch,
)
from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath

Hook = tuple[str, ...]
_NO_HOOK: Hook = ()
_EXPRESSION = "expression"
"""First word of the hook of a header that an expression is for."""
_START = "start"
"""The same, of a header whose value begins with something."""
_Together = tuple[re2.Set, list[str]]
"""Expressions that are tried in one go, and in which order they were put together."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A route as its table has it.

    Attributes:
        key: the object.
        path: where its match stands.
        name: what people call it.
        match: which requests.
        priority: as written; None counts as 1000.
    """

    key: Key
    path: FieldPath
    name: str
    match: RequestMatch
    priority: int | None


@dataclass(frozen=True, slots=True)
class Shadow:
    """A route that never gets a request, and one that takes all of them before it."""

    by: Entry
    hidden: Entry


_Placed = tuple[int, Entry]
"""An entry and its place in the table."""


@dataclass(slots=True)
class _Index:
    """A whole table; what is found in it is in the order of the table."""

    literal: dict[tuple[PathKind, str, Hook], list[_Placed]] = field(default_factory=dict)
    patterns: dict[Hook, dict[str, list[_Placed]]] = field(default_factory=dict)
    values: dict[str, set[str]] = field(default_factory=dict)
    lengths: dict[str, set[int]] = field(default_factory=dict)
    compiled: dict[Hook, _Together] = field(default_factory=dict)

    def add(self, place: int, entry: Entry) -> None:
        """Puts an entry where `near` finds it."""
        path, hook = simplest(entry.match.path), _hook(entry.match)
        if hook[:1] == (_EXPRESSION,):
            self.values.setdefault(hook[1], set()).add(hook[2])
        elif hook[:1] == (_START,):
            self.lengths.setdefault(hook[1], set()).add(len(hook[2]))
        if path.kind is PathKind.REGEX:
            self.patterns.setdefault(hook, {}).setdefault(path.value, []).append((place, entry))
        else:
            self.literal.setdefault((path.kind, path.value, hook), []).append((place, entry))

    def near(self, match: RequestMatch) -> Iterator[list[_Placed]]:
        """Entries that may take all requests of a match, as far as paths and hooks tell."""
        path = simplest(match.path)
        start = path.value if path.kind is not PathKind.REGEX else plain_start(path.value) or "/"
        for hook in (*_hooks(match), *self._hooks_by_value(match)):
            for end in range(1, len(start) + 1):
                yield self.literal.get((PathKind.PREFIX, start[:end], hook), [])
            if path.kind is PathKind.EXACT:
                yield self.literal.get((PathKind.EXACT, path.value, hook), [])
                yield from self._matching(hook, path.value)
            elif path.kind is PathKind.REGEX:
                yield self.patterns.get(hook, {}).get(path.value, [])

    def _matching(self, hook: Hook, path: str) -> Iterator[list[_Placed]]:
        """Entries whose expression matches an exact path; all are tried in one go."""
        patterns = self.patterns.get(hook, {})
        if patterns:
            yield from (patterns[pattern] for pattern in self._matches(hook, patterns, path))

    def _hooks_by_value(self, match: RequestMatch) -> Iterator[Hook]:
        """Hooks of routes that are for the value, or for its start, that a header has to have."""
        for header in match.headers:
            if _is_exact(header) or _is_start(header):
                for length in self.lengths.get(header.name, ()):
                    yield (_START, header.name, header.value[:length])
        for header in filter(_is_exact, match.headers):
            known = self.values.get(header.name)
            for pattern in self._matches((header.name,), known, header.value) if known else ():
                yield (_EXPRESSION, header.name, pattern)

    def _matches(self, of: Hook, patterns: Collection[str], text: str) -> Iterator[str]:
        """Those of some expressions that match a text; the index is whole when it is asked."""
        if of not in self.compiled:
            self.compiled[of] = _compile(list(patterns))
        together, names = self.compiled[of]
        yield from (names[number] for number in together.Match(text) or ())


def _compile(patterns: list[str]) -> _Together:
    together = re2.Set.FullMatchSet()
    for pattern in patterns:
        together.Add(pattern)
    together.Compile()
    return together, patterns


def shadows(table: tuple[Entry, ...]) -> Iterator[Shadow]:
    """Each hidden route of a table with the first that hides it; those of equal match are left out.

    Args:
        table: routes in the order they are tried.
    """
    index, distinct = _Index(), {entry.match: entry for entry in reversed(table)}
    placed = [(place, entry) for place, entry in enumerate(table) if distinct[entry.match] is entry]
    for place, entry in placed:
        index.add(place, entry)
    for place, entry in placed:
        hiding = [_first(bucket, place, entry) for bucket in index.near(entry.match)]
        _, first = min(filter(None, hiding), key=itemgetter(0), default=(0, None))
        if first is not None:
            yield Shadow(first, entry)


def _first(bucket: list[_Placed], place: int, entry: Entry) -> _Placed | None:
    """The first of some entries that hides the one at a place of the table."""
    earlier = takewhile(lambda item: item[0] < place, bucket)
    return next((item for item in earlier if _hides(item[1], entry)), None)


def _hides(earlier: Entry, later: Entry) -> bool:
    return conditions_cover(earlier.match, later.match) and path_covers(
        earlier.match.path, later.match.path
    )


def _hook(match: RequestMatch) -> Hook:
    """One thing that requests of a match must have: the rarest, as far as one can tell."""
    exact = next((h for h in match.headers if _is_exact(h)), None)
    if exact is not None:
        return ("header", exact.name, exact.value)
    if match.queries:
        query = match.queries[0]
        return ("query", query.name) if query.exact is None else ("query", query.name, query.exact)
    for header in match.headers:
        if _is_expression(header) or _is_start(header):
            word = _EXPRESSION if _is_expression(header) else _START
            return (word, header.name, header.value)
    if match.headers:
        return ("header", match.headers[0].name)
    if match.method is not None:
        return ("method", match.method)
    return _NO_HOOK


def _hooks(match: RequestMatch) -> Iterator[Hook]:
    """Hooks of routes that may take all requests of a match, as far as the match alone tells."""
    yield _NO_HOOK
    if match.method is not None:
        yield ("method", match.method)
    for name in dict.fromkeys(header.name for header in match.headers):
        yield ("header", name)
    for header in match.headers:
        if _is_exact(header):
            yield ("header", header.name, header.value)
        elif _is_expression(header):
            yield (_EXPRESSION, header.name, header.value)
    for query in match.queries:
        yield ("query", query.name)
        if query.exact is not None:
            yield ("query", query.name, query.exact)


def _is_exact(header: HeaderCondition) -> bool:
    return header.test is HeaderTest.EXACT and not header.invert and not header.or_absent


def _is_expression(header: HeaderCondition) -> bool:
    return header.test is HeaderTest.REGEX and not header.invert


def _is_start(header: HeaderCondition) -> bool:
    return header.test is HeaderTest.PREFIX and not header.invert


def shown(path: PathCondition) -> str:
    """A condition on paths in words."""
    return f"{path.kind.value} {path.value}"
