"""Guards in Envoy's words: a row of the route table becomes one for each way in.

A policy with several methods is any of them: the first one whose credential a request carries
decides. Envoy's filters know no "or" between them, but its route table does. A row is repeated
with a condition for each place a credential may be in, and each of these rows switches on just
the filters that its requests need. What carries no credential meets the last row, which turns
it away with the first method's challenge.

Filters stand in the chain switched off; what they do is said by rows only.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pointsman.envoy import names, pb
from pointsman.envoy.filters import credentials, identity, limits, rules, tokens
from pointsman.envoy.filters.limit_replies import RESERVED
from pointsman.envoy.filters.limited import Counter
from pointsman.envoy.matchers import Fields, header_matcher
from pointsman.graph.model.access import (
    Access,
    CertificateMethod,
    KeyMethod,
    Method,
    PasswordMethod,
    Places,
    TokenMethod,
)
from pointsman.graph.model.guards import NO_GUARDS, Guards
from pointsman.graph.model.limits import Limits
from pointsman.graph.model.match import HeaderCondition, HeaderTest

Use = str | TokenMethod | Counter
"""A filter that rows need: its name, a token whose provider it has to know, or what it counts."""

_ON = pb.pack(pb.FilterConfig(config={}))
_BASIC = "Basic "
_BEARER = "Bearer "


@dataclass(frozen=True, slots=True)
class Entry:
    """One way in.

    Attributes:
        headers: conditions on headers that tell its requests.
        queries: conditions on the query.
        filters: what filters do for them.
        token: the token they have, if any.
    """

    headers: tuple[Fields, ...] = ()
    queries: tuple[Fields, ...] = ()
    filters: dict[str, pb.Message] = field(default_factory=dict)
    token: TokenMethod | None = None


def guarded(row: Fields, guards: Guards) -> Iterator[Fields]:
    """A row with its guards: as it is without any, else a row for each way in.

    Args:
        row: fields of `envoy.config.route.v3.Route`.
        guards: what stands before it.
    """
    if guards is NO_GUARDS:
        yield row
        return
    if guards.limits is not None:
        row = _limited(row, guards.limits)
    if guards.access is None:
        yield row
        return
    access = guards.access
    owned = _claim_headers(access)
    for entry in _entries(access):
        yield _row(row, access, entry, owned)


def uses(guards: Guards) -> Iterator[Use]:
    """Filters that rows with these guards need."""
    if guards.limits is not None:
        yield from limits.limit_uses(guards.limits)
    if guards.access is None:
        return
    for entry in _entries(guards.access):
        yield from entry.filters
        yield from rules.rules_of_row(guards.access, entry.token)
        if entry.token is not None:
            yield entry.token


def _limited(row: Fields, found: Limits) -> Fields:
    """A row with its limits; what backends say of limits of their own would be taken for these."""
    configs = {**row.get("typed_per_filter_config", {}), **limits.limits_of_row(found)}
    removed = sorted({*row.get("response_headers_to_remove", ()), *RESERVED})
    fields = {**row, "typed_per_filter_config": configs, "response_headers_to_remove": removed}
    facts = limits.limit_facts(found)
    if facts:
        gone = {*row.get("request_headers_to_remove", ()), *facts}
        fields["request_headers_to_remove"] = sorted(gone)
    return fields


def _row(row: Fields, access: Access, entry: Entry, owned: frozenset[str]) -> Fields:
    match = dict(row["match"])
    if entry.headers:
        match["headers"] = [*match.get("headers", ()), *entry.headers]
    if entry.queries:
        match["query_parameters"] = [*match.get("query_parameters", ()), *entry.queries]
    found = {**entry.filters, **rules.rules_of_row(access, entry.token)}
    fields = {**row, "match": match}
    if found:
        fields["typed_per_filter_config"] = {**row.get("typed_per_filter_config", {}), **found}
    forged = owned - _headers_of(entry.token)
    if forged:
        removed = row.get("request_headers_to_remove", ())
        fields["request_headers_to_remove"] = sorted({*removed, *forged})
    return fields


def _claim_headers(access: Access) -> frozenset[str]:
    """Headers that claims become, which nobody else may write."""
    return frozenset(header for method in access.methods for header in _headers_of(method))


def _headers_of(method: Method | None) -> frozenset[str]:
    if not isinstance(method, TokenMethod):
        return frozenset()
    return frozenset(header for _, header in method.claim_headers)


def _entries(access: Access) -> Iterator[Entry]:
    last: Entry | None = None
    for method in access.methods:
        for entry in _of_method(method):
            yield entry
            last = last or entry
    if last is None or access.anonymous:
        yield Entry()
    else:
        yield Entry(filters=last.filters, token=last.token)


def _of_method(method: Method) -> Iterator[Entry]:
    match method:
        case KeyMethod():
            for headers, queries, source in _places(method.places):
                yield Entry(headers, queries, _table(credentials.KEYS, source, not method.keep))
        case PasswordMethod():
            source = {"header": "authorization"}
            table = _table(credentials.PASSWORDS, source, not method.keep)
            yield Entry((_begins("authorization", _BASIC),), (), table)
        case CertificateMethod():
            for name in (names.URI_HEADER, names.DNS_HEADER):
                subject = credentials.certificate_subject(f"%REQ({name})%")
                yield Entry((_present(name),), (), _subject(subject))
        case TokenMethod():
            for headers, queries, _ in _places(method.places):
                yield Entry(headers, queries, _token(method), method)


def _token(method: TokenMethod) -> dict[str, pb.Message]:
    found = {tokens.NAME: pb.pack(tokens.token_of_row(method))}
    if method.consumer_claim is not None:
        issuer = method.issuer.replace("%", "%%")
        value = credentials.token_subject(issuer, f"%REQ({names.SUBJECT_HEADER})%")
        found.update(_subject(value))
    return found


def _table(name: str, source: Fields, hide: bool) -> dict[str, pb.Message]:
    row = credentials.table_of_row(source, hide=hide)
    return {name: pb.pack(row), identity.SPLIT: _ON, identity.HEADERS: _ON}


def _subject(value: str) -> dict[str, pb.Message]:
    source = {"header": names.SUBJECT_HEADER}
    found = _table(credentials.SUBJECTS, source, hide=True)
    return {identity.SUBJECT: pb.pack(identity.subject_of_row(value)), **found}


def _places(places: Places) -> Iterator[tuple[tuple[Fields, ...], tuple[Fields, ...], Fields]]:
    """Conditions on headers and on the query, and the place as a table's filter names it."""
    for name in places.headers:
        bearer = name == "authorization"
        yield (_begins(name, _BEARER) if bearer else _present(name),), (), {"header": name}
    for name in places.query:
        yield (), ({"name": name, "present_match": True},), {"query": name}
    for name in places.cookies:
        pattern = rf"(?:.*;\s*)?{_quoted(name)}=.*"
        yield (_matches("cookie", pattern),), (), {"cookie": name}


def _quoted(text: str) -> str:
    return "".join(c if c.isalnum() or c in "_-" else f"\\{c}" for c in text)


def _present(name: str) -> Fields:
    return header_matcher(HeaderCondition(name, HeaderTest.PRESENT))


def _begins(name: str, value: str) -> Fields:
    return header_matcher(HeaderCondition(name, HeaderTest.PREFIX, value))


def _matches(name: str, regex: str) -> Fields:
    return header_matcher(HeaderCondition(name, HeaderTest.REGEX, regex))
