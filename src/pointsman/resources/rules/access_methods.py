"""Rules of the ways to prove who one is, and of servers that are asked."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from pointsman.resources.codes import access, fields
from pointsman.resources.key import Key
from pointsman.resources.kinds.access_methods import ApiKey, Basic, ClaimHeader, Jwks, Jwt
from pointsman.resources.kinds.access_policy import AccessMethod
from pointsman.resources.kinds.access_servers import External, Introspection, Oidc
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.rules import matching
from pointsman.resources.rules.common import one_of, unique
from pointsman.resources.rules.headers import changed_header, header_name
from pointsman.resources.rules.urls import UrlRule, server, url
from pointsman.resources.words import shown

OWN_HEADERS = "x-pointsman-"
"""How headers begin that proxies write themselves and take from callers."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_method(key: Key, path: FieldPath, method: AccessMethod) -> Iterator[Problem]:
    """One way, and what it says."""
    ways = {
        "apiKey": method.api_key,
        "jwt": method.jwt,
        "basic": method.basic,
        "certificate": method.certificate,
        "introspection": method.introspection,
        "oidc": method.oidc,
    }
    yield from one_of(key, path, ways)
    if method.api_key is not None:
        yield from _key(key, (*path, "apiKey"), method.api_key)
    if method.jwt is not None:
        yield from _jwt(key, (*path, "jwt"), method.jwt)
    if method.basic is not None:
        yield from _basic(key, (*path, "basic"), method.basic)
    if method.introspection is not None:
        yield from _introspection(key, (*path, "introspection"), method.introspection)
    if method.oidc is not None:
        yield from _oidc(key, (*path, "oidc"), method.oidc)


def check_external(key: Key, path: FieldPath, external: External | None) -> Iterator[Problem]:
    """One address, and headers that callers and servers may write."""
    if external is None:
        return
    yield from one_of(key, path, {"grpc": external.grpc, "http": external.http})
    if external.grpc is not None:
        yield from _plain(key, (*path, "grpc"), external.grpc, server)
    if external.http is not None:
        yield from _plain(key, (*path, "http"), external.http)
    for index, name in enumerate(external.headers):
        yield from header_name(key, (*path, "headers", index), name)
    for index, name in enumerate(external.take_over):
        yield from _carrier(key, (*path, "takeOver", index), name)


def _key(key: Key, path: FieldPath, spec: ApiKey) -> Iterator[Problem]:
    yield from _places(key, path, spec)
    if spec.query:
        message = f"{show_path((*path, 'query'))}: addresses end up in logs and histories"
        hint = "prefer a header"
        yield Problem(access.KEY_IN_QUERY, message, hint, key, (*path, "query"))


def _basic(key: Key, path: FieldPath, spec: Basic) -> Iterator[Problem]:
    if not (spec.realm.isascii() and spec.realm.isprintable()):
        where: FieldPath = (*path, "realm")
        message = f"{show_path(where)} is {shown(spec.realm)}, which no header can hold"
        yield Problem(fields.BAD_FORMAT, message, "use letters of ASCII", key, where)


def _plain(key: Key, path: FieldPath, text: str, rule: UrlRule = url) -> Iterator[Problem]:
    """An address; without TLS only on the machine itself."""
    found = [*rule(key, path, text)]
    yield from found
    if found:
        return
    parts = urlsplit(text)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        message = f"{show_path(path)}: whoever is on the way to {parts.hostname} can change answers"
        yield Problem(access.PLAIN_ADDRESS, message, "use https", key, path)


def _introspection(key: Key, path: FieldPath, spec: Introspection) -> Iterator[Problem]:
    yield from _plain(key, (*path, "url"), spec.url)
    for index, name in enumerate(spec.headers):
        yield from _carrier(key, (*path, "headers", index), name)


def _oidc(key: Key, path: FieldPath, spec: Oidc) -> Iterator[Problem]:
    yield from _jwks(key, (*path, "jwks"), spec.jwks)
    yield from _plain(key, (*path, "endpoints", "token"), spec.endpoints.token)
    yield from url(key, (*path, "endpoints", "authorization"), spec.endpoints.authorization)
    for field, text in (
        (("endpoints", "endSession"), spec.endpoints.end_session),
        (("origin",), spec.origin),
    ):
        if text is not None:
            yield from url(key, (*path, *field), text)
    yield from matching.literal_path(key, (*path, "redirectPath"), spec.redirect_path)
    yield from matching.literal_path(key, (*path, "logoutPath"), spec.logout_path)
    if spec.redirect_path is not None and spec.redirect_path == spec.logout_path:
        where: FieldPath = (*path, "logoutPath")
        message = f"{show_path(where)} is redirectPath, too"
        yield Problem(fields.DEPENDENT_FIELD, message, "choose another path", key, where)
    yield from _claim_headers(key, path, spec.claim_headers)


def _places(key: Key, path: FieldPath, places: ApiKey | Jwt) -> Iterator[Problem]:
    for index, name in enumerate(places.headers):
        yield from _carrier(key, (*path, "headers", index), name)
    for field in ("query", "cookies"):
        for index, name in enumerate(getattr(places, field)):
            yield from header_name(key, (*path, field, index), name)


def _carrier(key: Key, path: FieldPath, name: str) -> Iterator[Problem]:
    """A header that callers write."""
    yield from changed_header(key, path, name)
    if name.lower().startswith(OWN_HEADERS):
        message = f"{show_path(path)} is {shown(name)}, which is taken from all callers"
        yield Problem(fields.BAD_HEADER, message, "choose another name", key, path)


def _jwt(key: Key, path: FieldPath, jwt: Jwt) -> Iterator[Problem]:
    yield from _places(key, path, jwt)
    yield from one_of(
        key, path, {"issuer": jwt.issuer, "authorizationServer": jwt.authorization_server}
    )
    if jwt.jwks is not None:
        yield from _jwks(key, (*path, "jwks"), jwt.jwks)
    if (jwt.jwks is None) != (jwt.issuer is None):
        message = f"{show_path(path)}: issuer and jwks go together"
        yield Problem(fields.DEPENDENT_FIELD, message, "", key, path)
    yield from _claim_headers(key, path, jwt.claim_headers)


def _claim_headers(
    key: Key, path: FieldPath, claim_headers: tuple[ClaimHeader, ...]
) -> Iterator[Problem]:
    for index, item in enumerate(claim_headers):
        yield from _carrier(key, (*path, "claimHeaders", index, "header"), item.header)
    headers = (item.header.lower() for item in claim_headers)
    yield from unique(key, (*path, "claimHeaders"), ("header",), headers, "header")


def _jwks(key: Key, path: FieldPath, jwks: Jwks) -> Iterator[Problem]:
    yield from one_of(key, path, {"url": jwks.url, "file": jwks.file, "inline": jwks.inline})
    if jwks.url is not None:
        yield from _plain(key, (*path, "url"), jwks.url)
    if jwks.inline is not None and not _is_key_set(jwks.inline):
        where: FieldPath = (*path, "inline")
        message = f"{show_path(where)} is not a key set: a JSON object with a list of `keys`"
        yield Problem(fields.BAD_FORMAT, message, "", key, where)


def _is_key_set(text: str) -> bool:
    try:
        tree = json.loads(text)
    except ValueError:
        return False
    return isinstance(tree, dict) and isinstance(tree.get("keys"), list) and bool(tree["keys"])
