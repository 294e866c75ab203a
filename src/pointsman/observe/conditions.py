"""Conditions in words: why a route matched."""

from pointsman.graph.model.gateway import ANY_HOST, Domain
from pointsman.graph.model.match import (
    ANY_PATH,
    HeaderCondition,
    HeaderTest,
    PathKind,
    QueryCondition,
    RequestMatch,
)

_PATH_WORDS = {PathKind.EXACT: "path", PathKind.PREFIX: "prefix", PathKind.REGEX: "path like"}


def describe_match(match: RequestMatch, domain: Domain = ANY_HOST) -> str:
    """All conditions of a route, as `prefix /paths, method GET, header x is "1"`."""
    words: list[str] = []
    if domain != ANY_HOST:
        words.append(f"host {domain}")
    if match.path != ANY_PATH:
        words.append(f"{_PATH_WORDS[match.path.kind]} {match.path.value}")
    if match.method is not None:
        words.append(f"method {match.method}")
    if match.scheme is not None:
        words.append(f"scheme {match.scheme}")
    words.extend(_header(header) for header in match.headers)
    words.extend(_query(query) for query in match.queries)
    return ", ".join(words) or "any request"


def _header(header: HeaderCondition) -> str:
    if header.test is HeaderTest.PRESENT:
        return f"header {header.name} is {'absent' if header.invert else 'present'}"
    verb = {
        HeaderTest.EXACT: ("is", "is not"),
        HeaderTest.PREFIX: ("starts with", "does not start with"),
        HeaderTest.SUFFIX: ("ends with", "does not end with"),
        HeaderTest.REGEX: ("matches", "does not match"),
        HeaderTest.RANGE: ("is in", "is not in"),
    }[header.test][header.invert]
    if header.test is HeaderTest.RANGE:
        return f"header {header.name} {verb} {header.start}..{header.end - 1}"
    absent = ", or absent" if header.or_absent else ""
    return f'header {header.name} {verb} "{header.value}"{absent}'


def _query(query: QueryCondition) -> str:
    if query.exact is None:
        return f"query parameter {query.name} is present"
    return f'query parameter {query.name} is "{query.exact}"'
