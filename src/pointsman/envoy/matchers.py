"""Conditions as Envoy's RouteMatch says them."""

from typing import Any

import re2

from pointsman.graph.model.match import (
    HeaderCondition,
    HeaderTest,
    PathKind,
    QueryCondition,
    RequestMatch,
)

Fields = dict[str, Any]
"""Keyword arguments of a protobuf message."""


def route_match(match: RequestMatch) -> Fields:
    """`envoy.config.route.v3.RouteMatch`; methods and schemes are matched as pseudo headers."""
    fields: Fields = {}
    match match.path.kind:
        case PathKind.PREFIX:
            fields["prefix"] = match.path.value
        case PathKind.EXACT:
            fields["path"] = match.path.value
        case PathKind.REGEX:
            fields["safe_regex"] = {"regex": match.path.value}
    headers = [header_matcher(header) for header in match.headers]
    for name, value in ((":method", match.method), (":scheme", match.scheme)):
        if value is not None:
            headers.append(header_matcher(HeaderCondition(name, HeaderTest.EXACT, value)))
    if headers:
        fields["headers"] = headers
    if match.queries:
        fields["query_parameters"] = [_query_matcher(query) for query in match.queries]
    return fields


def header_matcher(header: HeaderCondition) -> Fields:
    """`envoy.config.route.v3.HeaderMatcher`."""
    fields: Fields = {"name": header.name}
    match header.test:
        case HeaderTest.PRESENT:
            fields["present_match"] = True
        case HeaderTest.RANGE:
            fields["range_match"] = {"start": header.start, "end": header.end}
        case HeaderTest.REGEX:
            fields["string_match"] = {"safe_regex": {"regex": header.value}}
        case HeaderTest.EXACT if header.or_absent:
            fields["string_match"] = {"safe_regex": {"regex": f"|{re2.escape(header.value)}"}}
            fields["treat_missing_header_as_empty"] = True
        case HeaderTest.EXACT | HeaderTest.PREFIX | HeaderTest.SUFFIX:
            fields["string_match"] = {header.test.value: header.value}
    if header.invert:
        fields["invert_match"] = True
    return fields


def _query_matcher(query: QueryCondition) -> Fields:
    if query.exact is None:
        return {"name": query.name, "present_match": True}
    return {"name": query.name, "string_match": {"exact": query.exact}}
