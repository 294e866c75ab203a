"""Conditions on requests, in App Mesh's terms."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

NO_PRIORITY: Final = 1000
"""What counts for routes that name no priority (App Mesh user guide, "gateway routes")."""


class PathKind(StrEnum):
    """How a path is compared."""

    EXACT = "exact"
    REGEX = "regex"
    PREFIX = "prefix"


class HeaderTest(StrEnum):
    """How a header's value is compared."""

    EXACT = "exact"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    REGEX = "regex"
    RANGE = "range"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class PathCondition:
    """A condition on the path without its query; a regex matches the whole path (RE2)."""

    kind: PathKind
    value: str


ANY_PATH = PathCondition(PathKind.PREFIX, "/")


@dataclass(frozen=True, slots=True)
class HeaderCondition:
    """A condition on a header.

    Attributes:
        name: lower-case name.
        test: how the value is compared.
        value: what it is compared with; "" for RANGE and PRESENT.
        start: first integer of a RANGE.
        end: first integer behind a RANGE.
        invert: the condition holds when the test fails. An inverted test of a value still needs
            the header to be there, as in Envoy; only an inverted PRESENT matches its absence.
        or_absent: an EXACT condition holds for an absent or empty header as well.
    """

    name: str
    test: HeaderTest
    value: str = ""
    start: int = 0
    end: int = 0
    invert: bool = False
    or_absent: bool = False


@dataclass(frozen=True, slots=True)
class QueryCondition:
    """A condition on a query parameter: its exact value, or its presence when None."""

    name: str
    exact: str | None = None


@dataclass(frozen=True, slots=True)
class RequestMatch:
    """All conditions of a route; every one must hold."""

    path: PathCondition = ANY_PATH
    method: str | None = None
    scheme: str | None = None
    headers: tuple[HeaderCondition, ...] = ()
    queries: tuple[QueryCondition, ...] = ()

    @property
    def condition_count(self) -> int:
        """Conditions besides the path: more of them go first when all else is equal."""
        return (
            len(self.headers)
            + len(self.queries)
            + (self.method is not None)
            + (self.scheme is not None)
        )


_PATH_RANK = {PathKind.EXACT: 0, PathKind.REGEX: 1, PathKind.PREFIX: 2}


def precedence(priority: int | None, match: RequestMatch, name: str) -> tuple[object, ...]:
    """Sort key of routes: what sorts first is tried first.

    Priority ascending with absent as 1000, exact before regex before prefix, the longer path
    first, more conditions first, and the name so that the order never depends on the input's
    (App Mesh user guide, "gateway routes"; the ties below the prefix length are Pointsman's).
    """
    return (
        NO_PRIORITY if priority is None else priority,
        _PATH_RANK[match.path.kind],
        -len(match.path.value),
        -match.condition_count,
        name,
    )
