"""R01, R11, R16, R18: routes that another one takes every request from.

One look at the tables finds them all; they differ in what has to be mended, and so each pair is
told as one of them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from pointsman.doctor.catalogue.routes import (
    CATCH_ALL_FIRST,
    GREEDY_REGEX,
    HIDDEN,
    SPECIAL_LAST,
)
from pointsman.doctor.check import Check
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Fact, Finding, Operation, Patch, fact, found
from pointsman.doctor.implied import takes_every_path
from pointsman.doctor.shadows import Entry, Shadow, shadows, shown
from pointsman.doctor.tables import Table, tables
from pointsman.graph.links.gateway_routes import body_of
from pointsman.graph.model.match import NO_PRIORITY, PathKind, RequestMatch
from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath
from pointsman.resources.words import counted

_Identity = tuple[Key, FieldPath]
"""A route, whichever tables it is in."""
_EXAMPLES = 3
"""Hidden routes that are named where one mistake hides many."""


def hidden_routes(evidence: Evidence) -> Iterator[Finding]:
    """Every hidden route, told where it has to be mended."""
    greedy: dict[_Identity, tuple[Shadow, list[Entry]]] = {}
    for shadow in _everywhere(tables(evidence)):
        check = _kind(shadow)
        if check in (GREEDY_REGEX, CATCH_ALL_FIRST):
            greedy.setdefault(_identity(shadow.by), (shadow, []))[1].append(shadow.hidden)
        else:
            yield _hidden(shadow, check)
    for shadow, hidden in greedy.values():
        yield _greedy(evidence, shadow.by, _kind(shadow), hidden)


def _everywhere(found_tables: Iterable[Table]) -> Iterator[Shadow]:
    """Routes that are hidden in every table they are in: a router has one for each of its ports."""
    tables_of = Counter[_Identity]()
    shadows_of: dict[_Identity, list[Shadow]] = {}
    for table in found_tables:
        tables_of.update(map(_identity, table))
        for shadow in shadows(table):
            shadows_of.setdefault(_identity(shadow.hidden), []).append(shadow)
    for identity, same in shadows_of.items():
        if len(same) == tables_of[identity]:
            yield same[0]


def _identity(entry: Entry) -> _Identity:
    return entry.key, entry.path


def _kind(shadow: Shadow) -> Check:
    by, hidden = shadow.by, shadow.hidden
    goes_by_priority = _number(by) < _number(hidden)
    if by.match.path == hidden.match.path and goes_by_priority:
        return SPECIAL_LAST
    if by.match.condition_count or not takes_every_path(by.match.path):
        return HIDDEN
    if by.match.path.kind is PathKind.REGEX:
        return GREEDY_REGEX
    return CATCH_ALL_FIRST


def _number(entry: Entry) -> int:
    return NO_PRIORITY if entry.priority is None else entry.priority


def _hidden(shadow: Shadow, check: Check) -> Finding:
    by, hidden = shadow.by, shadow.hidden
    message = f"{hidden.name} never gets a request: {by.name} takes all of them before it"
    first = f"give it a priority below {_number(by)}"
    if _number(by) == 0:
        first = f"raise the priority of {by.name}"
    advice = f"{first}, narrow {by.name}, or remove {hidden.name}"
    return found(
        check, hidden.key, hidden.path, message, _matches(hidden), _matches(by), advice=advice
    )


def _greedy(evidence: Evidence, entry: Entry, check: Check, hidden: list[Entry]) -> Finding:
    message = f"{entry.name} takes every request before {counted(len(hidden), 'route')} behind it"
    facts = (_matches(entry), *map(_matches, hidden[:_EXAMPLES]))
    if check is CATCH_ALL_FIRST:
        advice = "leave its priority out, so that it is tried last"
        patch = _without_priority(entry, hidden)
    else:
        advice = "write `prefix: /`, which is tried last"
        patch = _as_prefix(evidence, entry, hidden)
    return found(check, entry.key, entry.path, message, *facts, advice=advice, patch=patch)


def _as_prefix(evidence: Evidence, entry: Entry, hidden: list[Entry]) -> Patch:
    """A prefix in place of an expression, where priorities and the rewrite allow it."""
    tried_last = all(_number(item) <= _number(entry) for item in hidden)
    if not tried_last or _rewrites_path(evidence, entry):
        return ()
    prefix = Operation("add", (*entry.path, "prefix"), "/")
    return (Operation("remove", (*entry.path, "path")), prefix)


def _rewrites_path(evidence: Evidence, entry: Entry) -> bool:
    """Whether a gateway route has a rewrite that goes with `path` alone."""
    resource = evidence.resources.get(entry.key)
    if resource is None or entry.key.kind != "GatewayRoute":
        return False
    rewrite = body_of(resource.spec)[1].action.rewrite
    return getattr(rewrite, "path", None) is not None


def _without_priority(entry: Entry, hidden: list[Entry]) -> Patch:
    if any(_number(item) > NO_PRIORITY for item in hidden):
        return ()
    return (Operation("remove", (*entry.path[:-2], "priority")),)


def _matches(entry: Entry) -> Fact:
    text = f"{entry.name} matches {_words(entry.match)}"
    if entry.priority is not None:
        text += f", priority {entry.priority}"
    return fact(text, entry.key, entry.path)


def _words(match: RequestMatch) -> str:
    more = match.condition_count
    return shown(match.path) + (f" and {counted(more, 'more condition')}" if more else "")
