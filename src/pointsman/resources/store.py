"""All that was written, by source, and the last good version of what broke since.

A source is one file, or anything else with a name and a text. The store does no I/O: `sources`
tells it what changed and asks nothing. It is not safe for threads.

What stays in force when a source breaks: an object that has errors now, and, while a document
of the source tells no name at all (because it is not YAML, say), every object that has vanished
from that source since it was last readable. Removing a source removes its objects at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from pointsman.resources.codes import reading
from pointsman.resources.decode import Decoded, decode
from pointsman.resources.documents import split
from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath, Origin
from pointsman.resources.position import position
from pointsman.resources.problem import Problem, Severity
from pointsman.resources.resource import Resource
from pointsman.resources.resource_set import ResourceSet

_NO_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(slots=True)
class _Entry:
    """A document of a source, as it stands there now."""

    text: str
    line: int
    decoded: Decoded


@dataclass(slots=True)
class _Source:
    """A source: its documents, and what is kept from before they broke."""

    entries: list[_Entry] = field(default_factory=list)
    kept: dict[Key, Resource[Any]] = field(default_factory=dict)
    kept_namespaces: dict[str, Mapping[str, str]] = field(default_factory=dict)
    kept_problems: list[Problem] = field(default_factory=list)

    def resources(self) -> Iterator[Resource[Any]]:
        for entry in self.entries:
            yield from entry.decoded.resources

    def namespaces(self) -> dict[str, Mapping[str, str]]:
        found: dict[str, Mapping[str, str]] = {}
        for entry in self.entries:
            for name, labels in entry.decoded.namespaces.items():
                found.setdefault(name, labels)
        return found


@dataclass(frozen=True, slots=True)
class _View:
    """What is in force, put together from all sources."""

    resources: ResourceSet
    duplicates: tuple[Problem, ...]
    origins: Mapping[Key, Origin]


class Store:
    """The resources of all sources."""

    def __init__(self, variables: Mapping[str, str] = _NO_VARIABLES) -> None:
        self._variables = dict(variables)
        self._sources: dict[str, _Source] = {}
        self._view: _View | None = None

    def replace(self, source: str, text: str | None) -> None:
        """Sets the text of a source, or removes the source.

        Only documents that are new or different are decoded; one that merely moved keeps its spec,
        as the same object.
        """
        self._view = None
        before = self._sources.pop(source, None)
        if text is None:
            return
        before = before or _Source()
        after = _Source(list(self._entries(source, text, before)))
        _keep(before, after)
        self._sources[source] = after

    def resources(self) -> ResourceSet:
        """What is in force. Of objects with one key, the first by source and line."""
        return self._current().resources

    def origin(self, key: Key) -> Origin | None:
        """Where the object in force with that key was written."""
        return self._current().origins.get(key)

    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, by source and document; not located yet."""
        problems = list(self._current().duplicates)
        for source in self._sources.values():
            problems += source.kept_problems
            for entry in source.entries:
                problems += entry.decoded.problems
        return tuple(sorted(problems, key=_place))

    def locate(self, problem: Problem) -> Problem:
        """The problem with its origin, line and column, as far as they can be told."""
        origin = problem.origin or (self.origin(problem.key) if problem.key else None)
        if origin is None:
            return problem
        at = problem.at or position(origin, problem.path)
        return replace(problem, origin=origin, at=at)

    def place(self, key: Key, path: FieldPath = ()) -> str:
        """Where a field of an object was written, as `file:line:column`; "" when nobody knows."""
        origin = self.origin(key)
        if origin is None:
            return ""
        return ":".join((origin.source, *map(str, position(origin, path))))

    def _entries(self, source: str, text: str, before: _Source) -> Iterator[_Entry]:
        known: dict[str, list[_Entry]] = {}
        for entry in reversed(before.entries):
            known.setdefault(entry.text, []).append(entry)
        for document in split(text):
            same = known.get(document.text)
            if not same:
                decoded = decode(
                    document.text, source=source, line=document.line, variables=self._variables
                )
                yield _Entry(document.text, document.line, decoded)
                continue
            entry = same.pop()
            if entry.line != document.line:
                moved = entry.decoded.moved(document.line - entry.line)
                entry = _Entry(document.text, document.line, moved)
            yield entry

    def _current(self) -> _View:
        if self._view is None:
            self._view = self._compile()
        return self._view

    def _compile(self) -> _View:
        by_kind: dict[str, dict[Key, Resource[Any]]] = {}
        namespaces: dict[str, Mapping[str, str]] = {}
        duplicates: list[Problem] = []
        ordered = [source for _, source in sorted(self._sources.items())]
        for source in ordered:
            for resource in source.resources():
                first = by_kind.setdefault(resource.key.kind, {}).setdefault(resource.key, resource)
                if first is not resource:
                    duplicates.append(_duplicate(first, resource))
            for name, labels in source.namespaces().items():
                namespaces.setdefault(name, labels)
        for source in ordered:
            for key, resource in source.kept.items():
                by_kind.setdefault(key.kind, {}).setdefault(key, resource)
            for name, labels in source.kept_namespaces.items():
                namespaces.setdefault(name, labels)
        origins = {key: r.origin for objects in by_kind.values() for key, r in objects.items()}
        written = (key for source in ordered for e in source.entries for key in e.decoded.broken)
        broken = frozenset(key for key in written if key not in origins)
        return _View(ResourceSet(by_kind, namespaces, broken), tuple(duplicates), origins)


def _keep(before: _Source, after: _Source) -> None:
    """Carries the last good version of what broke from one state of a source to the next."""
    broken: dict[Key, Origin] = {}
    unnamed: Origin | None = None
    for entry in after.entries:
        origin = _broken_origin(entry.decoded)
        if origin is not None:
            broken.update(dict.fromkeys(entry.decoded.broken, origin))
            unnamed = unnamed or (origin if entry.decoded.unnamed else None)
    if not broken and unnamed is None:
        return
    good = {resource.key for resource in after.resources()}
    previous = before.kept | {resource.key: resource for resource in before.resources()}
    for key, resource in previous.items():
        origin = broken.get(key) or unnamed
        if key not in good and origin is not None:
            after.kept[key] = resource
            after.kept_problems.append(_kept(key, origin))
    if unnamed is not None:
        earlier = before.kept_namespaces | before.namespaces()
        now = after.namespaces()
        after.kept_namespaces = {n: labels for n, labels in earlier.items() if n not in now}


def _broken_origin(decoded: Decoded) -> Origin | None:
    if not decoded.broken and not decoded.unnamed:
        return None
    errors: Iterable[Problem] = decoded.problems
    return next((p.origin for p in errors if p.code.severity is Severity.ERROR), None)


def _kept(key: Key, origin: Origin) -> Problem:
    message = f"the previous version of {key} stays in force"
    hint = "mend the errors of this document, or remove it"
    return Problem(reading.PREVIOUS_KEPT, message, hint, key, (), origin)


def _duplicate(first: Resource[Any], second: Resource[Any]) -> Problem:
    there = f"{first.origin.source}:{first.origin.line}"
    message = f"{second.key} is already defined at {there}; this one is not used"
    hint = "rename or remove one of them"
    return Problem(reading.DUPLICATE_OBJECT, message, hint, second.key, (), second.origin)


def _place(problem: Problem) -> tuple[str, int]:
    origin = problem.origin
    return (origin.source, origin.line) if origin else ("", 0)
