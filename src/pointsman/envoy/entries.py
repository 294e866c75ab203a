"""Ways in: for each method of a policy, which requests it is for and what filters do for them.

The conditions of methods exclude each other only where they have to: the first method, in the
policy's order, whose credential a request carries decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pointsman.envoy import names, pb
from pointsman.envoy.filters import credentials, identity, issued, login, opaque, tokens
from pointsman.envoy.matchers import Fields, header_matcher
from pointsman.graph.model.access import Access
from pointsman.graph.model.match import HeaderCondition, HeaderTest
from pointsman.graph.model.methods import (
    CertificateMethod,
    KeyMethod,
    LoginMethod,
    Method,
    OpaqueMethod,
    PasswordMethod,
    Places,
    TokenMethod,
)

_ON = pb.pack(pb.FilterConfig(config={}))
_BASIC = "Basic "
_BEARER = "Bearer "
_SIGNED = r"[^.]*\.[^.]*\.[^.]*"
"""What a signed token looks like: three parts (RFC 7515, section 3.1)."""

Token = TokenMethod | OpaqueMethod


@dataclass(frozen=True, slots=True)
class Entry:
    """One way in.

    Attributes:
        headers: conditions on headers that tell its requests.
        queries: conditions on the query.
        filters: what filters do for them.
        token: the token they have, if any.
        login: the login that gave it, if any.
    """

    headers: tuple[Fields, ...] = ()
    queries: tuple[Fields, ...] = ()
    filters: dict[str, pb.Message] = field(default_factory=dict)
    token: Token | None = None
    login: LoginMethod | None = None


def entries(access: Access) -> Iterator[Entry]:
    """All ways in, in the order in which they are tried; the last one is for the rest."""
    last: Entry | None = None
    both = any(isinstance(method, OpaqueMethod) for method in access.methods)
    for method in access.methods:
        for entry in _of_method(method, both):
            if entry.login is not None:
                yield entry
                return
            yield entry
            last = last or entry
    if last is None or access.anonymous:
        yield Entry()
    else:
        yield Entry(filters=last.filters, token=last.token)


def _of_method(method: Method, both: bool) -> Iterator[Entry]:
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
        case _:
            yield from _of_token(method, both)


def _of_token(method: TokenMethod | OpaqueMethod | LoginMethod, both: bool) -> Iterator[Entry]:
    match method:
        case TokenMethod():
            for headers, queries, _ in _places(method.places, signed=both):
                yield Entry(headers, queries, _signed(method), method)
        case OpaqueMethod():
            for name in method.headers:
                yield Entry((*_opaque_in(name),), (), _opaque(method, name), method)
        case LoginMethod():
            found = {login.name(method): _ON, **_signed(method.token)}
            yield Entry(filters=found, token=method.token, login=method)


def _signed(method: TokenMethod) -> dict[str, pb.Message]:
    name = issued.NAME if issued.is_issued(method) else tokens.NAME
    found = {name: pb.pack(tokens.token_of_row(method))}
    return {**found, **_speaks(method.consumer_claim, method.issuer)}


def _opaque(method: OpaqueMethod, header: str) -> dict[str, pb.Message]:
    found = {opaque.NAME: pb.pack(opaque.check_of_row(method, header))}
    return {**found, **_speaks(method.consumer_claim, method.issuer)}


def _speaks(claim: str | None, issuer: str) -> dict[str, pb.Message]:
    """The look-up of the consumer a token speaks for."""
    if claim is None:
        return {}
    text = issuer.replace("%", "%%")
    return _subject(credentials.token_subject(text, f"%REQ({names.SUBJECT_HEADER})%"))


def _table(name: str, source: Fields, hide: bool) -> dict[str, pb.Message]:
    row = credentials.table_of_row(source, hide=hide)
    return {name: pb.pack(row), identity.SPLIT: _ON, identity.HEADERS: _ON}


def _subject(value: str) -> dict[str, pb.Message]:
    source = {"header": names.SUBJECT_HEADER}
    found = _table(credentials.SUBJECTS, source, hide=True)
    return {identity.SUBJECT: pb.pack(identity.subject_of_row(value)), **found}


def _places(
    places: Places, *, signed: bool = False
) -> Iterator[tuple[tuple[Fields, ...], tuple[Fields, ...], Fields]]:
    """Conditions on headers and on the query, and the place as a table's filter names it.

    Args:
        places: where a credential may be.
        signed: whether headers are to have signed tokens only.
    """
    for name in places.headers:
        bearer = _BEARER if name == "authorization" else ""
        if signed:
            condition = _matches(name, bearer + _SIGNED)
        else:
            condition = _begins(name, bearer) if bearer else _present(name)
        yield (condition,), (), {"header": name}
    for name in places.query:
        yield (), ({"name": name, "present_match": True},), {"query": name}
    for name in places.cookies:
        pattern = rf"(?:.*;\s*)?{login.quoted(name)}=.*"
        yield (_matches("cookie", pattern),), (), {"cookie": name}


def _opaque_in(name: str) -> Iterator[Fields]:
    """A header with a token that is not a signed one."""
    bearer = _BEARER if name == "authorization" else ""
    yield _begins(name, bearer) if bearer else _present(name)
    yield {**_matches(name, bearer + _SIGNED), "invert_match": True}


def _present(name: str) -> Fields:
    return header_matcher(HeaderCondition(name, HeaderTest.PRESENT))


def _begins(name: str, value: str) -> Fields:
    return header_matcher(HeaderCondition(name, HeaderTest.PREFIX, value))


def _matches(name: str, regex: str) -> Fields:
    return header_matcher(HeaderCondition(name, HeaderTest.REGEX, regex))
