"""Guards in Envoy's words: a row of the route table becomes one for each way in.

A policy with several methods is any of them: the first one whose credential a request carries
decides. Envoy's filters know no "or" between them, but its route table does. A row is repeated
with a condition for each place a credential may be in, and each of these rows switches on just
the filters that its requests need. What carries no credential meets the last row, which turns
it away with the policy's challenge, or sends it to log in.

Filters stand in the chain switched off; what they do is said by rows only.
"""

from collections.abc import Iterable, Iterator

from pointsman.envoy import pb
from pointsman.envoy.entries import Entry, Token, entries
from pointsman.envoy.filters import (
    challenge,
    external,
    limits,
    login,
    login_back,
    opaque,
    rules,
)
from pointsman.envoy.filters.hygiene import BodyLimit
from pointsman.envoy.filters.limit_replies import RESERVED
from pointsman.envoy.filters.limited import Counter
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.access import Access
from pointsman.graph.model.guards import NO_GUARDS, Guards
from pointsman.graph.model.hygiene import BodySchemas, Hygiene
from pointsman.graph.model.limits import Limits
from pointsman.graph.model.methods import (
    External,
    LoginMethod,
    Method,
    OpaqueMethod,
    TokenMethod,
)

Use = (
    str
    | TokenMethod
    | OpaqueMethod
    | LoginMethod
    | External
    | Counter
    | BodyLimit
    | BodySchemas
    | Hygiene
)
"""A filter that rows need: its name, or what it has to know of."""


def guarded(row: Fields, guards: Guards, path_header: str | None = None) -> Iterator[Fields]:
    """A row with its guards: as it is without any, else a row for each way in.

    Args:
        row: fields of `envoy.config.route.v3.Route`.
        guards: what stands before it.
        path_header: the header that has the path as it came; None where it is the path still.
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
    for entry in entries(access):
        yield _row(row, access, entry, owned, path_header)


def uses(guards: Guards) -> Iterator[Use]:
    """Filters that rows with these guards need."""
    if guards.limits is not None:
        yield from limits.limit_uses(guards.limits)
    access = guards.access
    if access is None:
        return
    for entry in entries(access):
        yield from _filters(access, entry, None)
        if entry.token is not None:
            yield entry.token
        if entry.login is not None:
            yield from (login_back.NAME, login.NAME, login.SESSION, login.COOKIES, entry.login)
    if access.external is not None:
        yield from (external.NAME, access.external)


def login_rows(guards: Iterable[Guards]) -> Iterator[Fields]:
    """Rows for the paths at which logins end and sessions are left, each policy once.

    They come first, so that a login works for whatever routes its policy guards. The filter
    answers them; what a filter leaves is not there.
    """
    logins = {
        method: item.access
        for item in guards
        if item.access is not None
        for method in item.access.methods
        if isinstance(method, LoginMethod)
    }
    for method, access in logins.items():
        (entry,) = (item for item in entries(access) if item.login is method)
        for path in (method.redirect_path, method.logout_path):
            row: Fields = {
                "name": method.token.name,
                "match": {"path": path},
                "direct_response": {"status": 404},
            }
            made = _row(row, access, entry, frozenset(), None)
            if path == method.redirect_path:
                configs = made.get("typed_per_filter_config", {})
                back = {login_back.NAME: login_back.back_of_row(method)}
                made = {**made, "typed_per_filter_config": {**configs, **back}}
            yield made


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


def _filters(access: Access, entry: Entry, path_header: str | None) -> dict[str, pb.Message]:
    """What filters do for the requests of a way in."""
    found = {**entry.filters, **rules.rules_of_row(access, _source(entry.token), path_header)}
    found.update(rules.demands_of_row(access, entry.token, _source(entry.token)))
    if access.external is not None:
        found[external.name(access.external)] = external.ON
        if access.external.take_over:
            found[external.TAKEN] = external.taken_of_row(access.external.take_over)
    return found


def _source(token: Token | None) -> str:
    """The namespace of metadata that has the claims."""
    return opaque.METADATA if isinstance(token, OpaqueMethod) else rules.SIGNED


def _row(
    row: Fields, access: Access, entry: Entry, owned: frozenset[str], path_header: str | None
) -> Fields:
    match = dict(row["match"])
    if entry.headers:
        match["headers"] = [*match.get("headers", ()), *entry.headers]
    if entry.queries:
        match["query_parameters"] = [*match.get("query_parameters", ()), *entry.queries]
    found = _filters(access, entry, path_header)
    fields = {**row, "match": match}
    if found:
        fields["typed_per_filter_config"] = {**row.get("typed_per_filter_config", {}), **found}
    removed = {*(owned - _headers_of(entry.token)), *rules.private_headers(access)}
    challenged = challenge.challenge_of_row(access.methods)
    if challenged:
        fields["metadata"] = {"filter_metadata": challenged}
    if removed:
        already = row.get("request_headers_to_remove", ())
        fields["request_headers_to_remove"] = sorted({*already, *removed})
    return fields


def _claim_headers(access: Access) -> frozenset[str]:
    """Headers that claims become, which nobody else may write."""
    return frozenset(header for method in access.methods for header in _headers_of(method))


def _headers_of(method: Method | None) -> frozenset[str]:
    if isinstance(method, LoginMethod):
        return _headers_of(method.token)
    if not isinstance(method, TokenMethod):
        return frozenset()
    return frozenset(header for _, header in method.claim_headers)
