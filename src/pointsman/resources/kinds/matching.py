"""Match blocks of routes, shared by GatewayRoute and VirtualRouter."""

from typing import Annotated

from pydantic import Field, Strict

from pointsman.resources.kinds.base import Flag, Text, schema

MatchText = Annotated[str, Strict(), Field(min_length=1, max_length=255)]
FieldName = Annotated[str, Strict(), Field(min_length=1, max_length=50)]
Bound = Annotated[int, Strict(), Field(ge=-(2**63), le=2**63 - 1)]


@schema
class PathMatch:
    """A whole path; exactly one of the two."""

    exact: MatchText | None = None
    """The path itself."""
    regex: MatchText | None = None
    """RE2 expression for the whole path."""


@schema
class MatchRange:
    """Integers from start (included) to end (excluded)."""

    start: Bound
    """First value that matches."""
    end: Bound
    """First value that no longer matches."""


@schema
class ValueMatch:
    """How a header's value is compared; exactly one."""

    exact: MatchText | None = None
    """The value itself."""
    prefix: MatchText | None = None
    """How the value starts."""
    suffix: MatchText | None = None
    """How the value ends."""
    regex: MatchText | None = None
    """RE2 expression for the whole value."""
    range: MatchRange | None = None
    """The value is an integer in this range."""


@schema
class HeaderMatch:
    """A condition on a request header or gRPC metadata."""

    name: FieldName
    """Name of the header."""
    match: ValueMatch | None = None
    """How its value is compared; present is enough when absent."""
    invert: Flag = False
    """Matches when the condition does not hold."""


@schema
class QueryValueMatch:
    """How a query parameter's value is compared."""

    exact: Text | None = None
    """The value itself."""


@schema
class QueryParameterMatch:
    """A condition on a query parameter."""

    name: Annotated[str, Strict(), Field(min_length=1, max_length=255)]
    """Name of the parameter."""
    match: QueryValueMatch | None = None
    """How its value is compared; present is enough when absent."""


Headers = Annotated[tuple[HeaderMatch, ...], Field(max_length=10)]
QueryParameters = Annotated[tuple[QueryParameterMatch, ...], Field(max_length=10)]
