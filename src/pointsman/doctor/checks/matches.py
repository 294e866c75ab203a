"""R11 and R12: conditions that no request can meet.

Only what follows from HTTP and from what proxies do to requests is told. That a client will never
send a value is for people to know.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import re2

from pointsman.doctor.catalogue.routes import GREEDY_REGEX, IMPOSSIBLE
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, fact, found
from pointsman.doctor.implied import exclude_each_other
from pointsman.doctor.places import route_field, rule_field
from pointsman.graph.model.match import (
    HeaderCondition,
    HeaderTest,
    PathKind,
    RequestMatch,
)
from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath

_NEVER_ARRIVES = frozenset({"keep-alive", "proxy-connection", "transfer-encoding"})
"""Of one connection only (RFC 9110, section 7.6.1); Envoy takes them away before it routes."""
_BLANKS = " \t"


@dataclass(frozen=True, slots=True)
class _Place:
    """A match and where it stands."""

    key: Key
    path: FieldPath
    match: RequestMatch


def impossible_matches(evidence: Evidence) -> Iterator[Finding]:
    """Conditions of gateway routes and of routes that no request can meet."""
    for rule in evidence.rules:
        place = _Place(rule.key, rule_field(evidence, rule, "match"), rule.match)
        yield from _path(place)
        yield from _headers(place)
    for route in evidence.routes:
        place = _Place(route.key, route_field(evidence, route, "match"), route.match)
        yield from _path(place)
        yield from _headers(place)


def _path(place: _Place) -> Iterator[Finding]:
    path = place.match.path
    if path.kind is not PathKind.REGEX or _may_begin_with_slash(path.value):
        return
    message = f"the expression {path.value} matches no path: none of its matches begins with /"
    advice = f"write /{path.value.removeprefix('^')}; the expression has to match the whole path"
    yield found(GREEDY_REGEX, place.key, (*place.path, "path"), message, advice=advice)


def _may_begin_with_slash(pattern: str) -> bool:
    """Whether a match of the expression can begin with a slash, as far as RE2 can tell."""
    try:
        low, high = re2.compile(f"^(?:{pattern})$").possiblematchrange(8)
    except re2.error:
        return True
    return bool(low < b"0" and high >= b"/")


def _headers(place: _Place) -> Iterator[Finding]:
    for index, condition in enumerate(place.match.headers):
        why = _never(condition)
        if why:
            yield _finding(place, index, f"no request has header {_shown(condition)}: {why}")
    for (_, one), (index, other) in combinations(enumerate(place.match.headers), 2):
        if exclude_each_other(one, other):
            message = f"no request has both header {_shown(one)} and header {_shown(other)}"
            yield _finding(place, index, message)


def _finding(place: _Place, index: int, message: str) -> Finding:
    field = "metadata" if "grpcRoute" in place.path else "headers"
    where = (*place.path, field, index)
    return found(
        IMPOSSIBLE,
        place.key,
        where,
        message,
        fact("all conditions of a match have to hold", place.key, place.path),
        advice="correct or remove the condition; as it is the route gets no request",
    )


def _never(condition: HeaderCondition) -> str:
    """Why a header never satisfies a condition; "" when it may."""
    if condition.invert:
        return ""
    if condition.name in _NEVER_ARRIVES:
        return "proxies take it away before routes are compared"
    if condition.test not in (HeaderTest.EXACT, HeaderTest.PREFIX, HeaderTest.SUFFIX):
        return ""
    if _has_outer_blank(condition):
        return "values arrive without blanks around them"
    return _never_pseudo(condition)


def _has_outer_blank(condition: HeaderCondition) -> bool:
    begins = condition.value[:1] in _BLANKS and condition.test is not HeaderTest.SUFFIX
    ends = condition.value[-1:] in _BLANKS and condition.test is not HeaderTest.PREFIX
    return bool(condition.value) and (begins or ends)


def _never_pseudo(condition: HeaderCondition) -> str:
    value = condition.value
    match condition.name:
        case ":method" if value != value.upper():
            return "methods are compared as they are, and are in capitals"
        case ":scheme" if value != value.lower():
            return "schemes are in lower case"
        case ":path" if condition.test is not HeaderTest.SUFFIX and value[0] not in "/*":
            return "paths begin with /"
    return ""


def _shown(condition: HeaderCondition) -> str:
    words = {
        HeaderTest.PRESENT: "present",
        HeaderTest.RANGE: f"in {condition.start}..{condition.end - 1}",
    }
    how = words.get(condition.test, f"{condition.test.value} {condition.value!r}")
    return f"{condition.name} ({'not ' if condition.invert else ''}{how})"
