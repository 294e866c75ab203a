"""Rules of AccessPolicy."""

import ipaddress
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.access_policy import (
    AccessMethod,
    AccessPolicySpec,
    AccessRule,
    ApiKey,
    Jwks,
    Jwt,
    PathRule,
)
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules import matching
from pointsman.resources.rules.common import SPEC, one_of, unique
from pointsman.resources.rules.headers import changed_header, header_name
from pointsman.resources.rules.targets import check_targets
from pointsman.resources.words import shown

OWN_HEADERS = "x-pointsman-"
"""How headers begin that proxies write themselves and take from callers."""


def check(resource: Resource[AccessPolicySpec]) -> Iterator[Problem]:
    """Targets, ways to prove who one is, addresses and rules."""
    key, spec = resource.key, resource.spec
    yield from check_targets(resource)
    if not spec.methods and not spec.rules and spec.sources is None and spec.default is None:
        message = "spec needs methods, rules, sources or default: it says nothing so far"
        yield Problem(codes.ONE_OF, message, "", key, SPEC)
    for index, method in enumerate(spec.methods):
        yield from _method(key, (*SPEC, "methods", index), method)
    if spec.anonymous and not spec.methods:
        message = "spec.anonymous goes with methods: without any, nobody proves anything"
        yield Problem(codes.DEPENDENT_FIELD, message, "remove it", key, (*SPEC, "anonymous"))
    for field in ("allow", "deny"):
        for index, name in enumerate(getattr(spec.sources, field, ())):
            yield from _range(key, (*SPEC, "sources", field, index), name)
    for index, rule in enumerate(spec.rules):
        yield from _rule(key, (*SPEC, "rules", index), rule)
    yield from unique(key, (*SPEC, "rules"), ("name",), (r.name for r in spec.rules), "name")


def _method(key: Key, path: FieldPath, method: AccessMethod) -> Iterator[Problem]:
    ways = {
        "apiKey": method.api_key,
        "jwt": method.jwt,
        "basic": method.basic,
        "certificate": method.certificate,
    }
    yield from one_of(key, path, ways)
    if method.api_key is not None:
        yield from _places(key, (*path, "apiKey"), method.api_key)
    if method.jwt is not None:
        yield from _jwt(key, (*path, "jwt"), method.jwt)


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
        yield Problem(codes.BAD_HEADER, message, "choose another name", key, path)


def _jwt(key: Key, path: FieldPath, jwt: Jwt) -> Iterator[Problem]:
    yield from _places(key, path, jwt)
    yield from _jwks(key, (*path, "jwks"), jwt.jwks)
    for index, item in enumerate(jwt.claim_headers):
        yield from _carrier(key, (*path, "claimHeaders", index, "header"), item.header)
    headers = (item.header.lower() for item in jwt.claim_headers)
    yield from unique(key, (*path, "claimHeaders"), ("header",), headers, "header")


def _jwks(key: Key, path: FieldPath, jwks: Jwks) -> Iterator[Problem]:
    yield from one_of(key, path, {"url": jwks.url, "file": jwks.file, "inline": jwks.inline})
    if jwks.url is not None:
        yield from url(key, (*path, "url"), jwks.url)
    if jwks.inline is not None and not _is_key_set(jwks.inline):
        where: FieldPath = (*path, "inline")
        message = f"{show_path(where)} is not a key set: a JSON object with a list of `keys`"
        yield Problem(codes.BAD_FORMAT, message, "", key, where)


def _is_key_set(text: str) -> bool:
    try:
        tree = json.loads(text)
    except ValueError:
        return False
    return isinstance(tree, dict) and isinstance(tree.get("keys"), list) and bool(tree["keys"])


def url(key: Key, path: FieldPath, text: str) -> Iterator[Problem]:
    """An http or https address with a host, without user, query and fragment."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        extra = parts.username is not None or bool(parts.fragment)
    except ValueError:
        good, extra = False, False
    if not good or extra:
        message = f"{show_path(path)} is {shown(text)}, not an http or https address"
        hint = "leave user and fragment out" if extra else ""
        yield Problem(codes.BAD_FORMAT, message, hint, key, path)


def _range(key: Key, path: FieldPath, name: str) -> Iterator[Problem]:
    try:
        ipaddress.ip_network(name)
    except ValueError as error:
        message = f"{show_path(path)} is {shown(name)}, not an address or a range: {error}"
        hint = "for example 10.0.0.0/8 or 2001:db8::/32"
        yield Problem(codes.BAD_FORMAT, message, hint, key, path)


def _rule(key: Key, path: FieldPath, rule: AccessRule) -> Iterator[Problem]:
    for index, item in enumerate(rule.paths):
        yield from path_rule(key, (*path, "paths", index), item)
    for index, method in enumerate(rule.methods):
        yield from matching.method(key, (*path, "methods", index), method)
    yield from matching.headers(key, (*path, "headers"), rule.headers)


def path_rule(key: Key, path: FieldPath, rule: PathRule) -> Iterator[Problem]:
    """Exactly one way to compare a path, and one that can match."""
    ways = {"exact": rule.exact, "prefix": rule.prefix, "regex": rule.regex}
    yield from one_of(key, path, ways)
    yield from matching.literal_path(key, (*path, "exact"), rule.exact)
    yield from matching.literal_path(key, (*path, "prefix"), rule.prefix)
    yield from matching.regex(key, (*path, "regex"), rule.regex)
