"""Rules of AuthorizationServer."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.authorization_server import (
    AuthorizationServerSpec,
    Lifetimes,
    OAuthClient,
)
from pointsman.resources.kinds.base import Duration
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.common import SPEC, unique
from pointsman.resources.rules.targets import check_targets
from pointsman.resources.words import listed, shown

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_MOST_S: Final = {
    "access_token": 86_400,
    "refresh_token": 366 * 86_400,
    "refresh_token_idle": 366 * 86_400,
    "code": 600,
    "session": 7 * 86_400,
}
_LEAST_ROTATION_S: Final = 3_600
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*\Z")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+\Z")
_URI = re.compile(r"[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+\Z")
"""Characters of a URI but for the fragment's (RFC 3986, section 2)."""
_OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+\Z")
"""A scheme of a native application is a domain name backwards (RFC 8252, section 7.1)."""


def check(resource: Resource[AuthorizationServerSpec]) -> Iterator[Problem]:
    """Targets, issuer, lifetimes, names, and what clients may have together."""
    key, spec = resource.key, resource.spec
    yield from check_targets(resource)
    yield from _issuer(key, spec.issuer)
    yield from _lifetimes(key, spec.lifetimes or Lifetimes())
    rotation = spec.signing.rotate_every if spec.signing else None
    path: FieldPath = (*SPEC, "signing", "rotateEvery")
    yield from _length(key, path, rotation, _LEAST_ROTATION_S, 3660 * 86_400)
    for index, name in enumerate(spec.audiences):
        yield from _audience(key, (*SPEC, "audiences", index), name)
    names = [scope.name for scope in spec.scopes]
    for index, name in enumerate(names):
        if not _SCOPE.match(name):
            where: FieldPath = (*SPEC, "scopes", index, "name")
            message = f"{show_path(where)} is {shown(name)}, not the name of a scope"
            hint = 'printable ASCII without spaces, `"` and a backslash'
            yield Problem(codes.BAD_NAME, message, hint, key, where)
    yield from unique(key, (*SPEC, "scopes"), ("name",), names, "name")
    for index, client in enumerate(spec.clients):
        yield from _client(key, (*SPEC, "clients", index), client, spec)
    consumers = (
        f"{client.consumer.namespace or key.namespace}/{client.consumer.name}"
        for client in spec.clients
    )
    yield from unique(key, (*SPEC, "clients"), ("consumer",), consumers, "consumer")


def _issuer(key: Key, text: str) -> Iterator[Problem]:
    """RFC 8414, section 2; http is for one's own machine."""
    path: FieldPath = (*SPEC, "issuer")
    parts = _parts(text)
    hint = "for example https://login.example.com"
    if parts is None or not parts.hostname or parts.scheme not in ("http", "https"):
        message = f"{show_path(path)} is {shown(text)}, not an https address"
        yield Problem(codes.BAD_FORMAT, message, hint, key, path)
        return
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        message = f"{show_path(path)} is {shown(text)}; tokens would pass in plaintext"
        yield Problem(codes.BAD_FORMAT, message, "write https", key, path)
    if parts.username is not None or "?" in text or "#" in text:
        message = f"{show_path(path)} is {shown(text)}; it has no user, query or fragment"
        yield Problem(codes.BAD_FORMAT, message, "remove them", key, path)
    elif not _PATH.match(parts.path):
        message = f"{show_path(path)} is {shown(text)}; its path has plain names and no last slash"
        yield Problem(codes.BAD_FORMAT, message, hint, key, path)
    elif (origin := text.removesuffix(parts.path)) != origin.lower():
        message = f"{show_path(path)} is {shown(text)}; scheme and host are in lower case"
        yield Problem(codes.BAD_FORMAT, message, "", key, path)


def _lifetimes(key: Key, spec: Lifetimes) -> Iterator[Problem]:
    names = {
        "access_token": "accessToken",
        "refresh_token": "refreshToken",
        "refresh_token_idle": "refreshTokenIdle",
        "code": "code",
        "session": "session",
    }
    for field, name in names.items():
        path: FieldPath = (*SPEC, "lifetimes", name)
        yield from _length(key, path, getattr(spec, field), 1, _MOST_S[field])


def _length(
    key: Key, path: FieldPath, length: Duration | None, least_s: int, most_s: int
) -> Iterator[Problem]:
    if length is None:
        return
    if length.ms % 1000 or not least_s <= length.ms // 1000 <= most_s:
        message = f"{show_path(path)} is no number of whole seconds from {least_s} to {most_s}"
        yield Problem(codes.OUT_OF_RANGE, message, "", key, path)


def _audience(key: Key, path: FieldPath, text: str) -> Iterator[Problem]:
    """RFC 8707, section 2: an absolute URI without fragment."""
    parts = _parts(text)
    if parts is None or not parts.scheme or not (parts.netloc or parts.path):
        message = f"{show_path(path)} is {shown(text)}, not an absolute URI without fragment"
        hint = "for example https://api.example.com, or urn:example:orders"
        yield Problem(codes.BAD_FORMAT, message, hint, key, path)


def _client(
    key: Key, path: FieldPath, client: OAuthClient, spec: AuthorizationServerSpec
) -> Iterator[Problem]:
    yield from unique(key, (*path, "grants"), (), client.grants, "grant")
    if not client.grants and not client.introspect:
        message = f"{show_path(path)} needs grants or introspect"
        yield Problem(codes.ONE_OF, message, "", key, path)
    yield from _together(key, path, client, spec)
    for index, text in enumerate(client.redirect_uris):
        yield from _redirect(key, (*path, "redirectUris", index), text)
    for field, known in (
        ("scopes", tuple(scope.name for scope in spec.scopes)),
        ("audiences", spec.audiences or (spec.issuer,)),
    ):
        for index, name in enumerate(getattr(client, field)):
            if name not in known:
                where: FieldPath = (*path, field, index)
                message = f"{show_path(where)} is {shown(name)}, which spec.{field} has not"
                hint = f"there: {listed(known, 'and')}" if known else ""
                yield Problem(codes.NOT_ALLOWED, message, hint, key, where)


def _together(
    key: Key, path: FieldPath, client: OAuthClient, spec: AuthorizationServerSpec
) -> Iterator[Problem]:
    """What goes with what."""
    codes_wanted = "authorizationCode" in client.grants
    wrong = {
        "clientCredentials": client.public and "clientCredentials" in client.grants,
        "introspect": client.public and client.introspect,
    }
    for name, found in wrong.items():
        if found:
            message = f"{show_path(path)} is public, and {name} needs a secret"
            yield Problem(codes.DEPENDENT_FIELD, message, "remove one of them", key, path)
    if codes_wanted and not client.redirect_uris:
        message = f"{show_path(path)}: authorizationCode needs redirectUris"
        yield Problem(codes.DEPENDENT_FIELD, message, "", key, path)
    if codes_wanted and spec.login is None:
        message = f"{show_path(path)}: authorizationCode needs spec.login"
        yield Problem(codes.DEPENDENT_FIELD, message, "write login: password", key, path)
    if client.redirect_uris and not codes_wanted:
        where: FieldPath = (*path, "redirectUris")
        message = f"{show_path(where)} goes with the grant authorizationCode"
        yield Problem(codes.DEPENDENT_FIELD, message, "", key, where)
    if "refreshToken" in client.grants and not codes_wanted:
        where = (*path, "grants")
        message = f"{show_path(where)}: refreshToken goes with authorizationCode"
        hint = "who has client credentials asks for another token"
        yield Problem(codes.DEPENDENT_FIELD, message, hint, key, where)


def _redirect(key: Key, path: FieldPath, text: str) -> Iterator[Problem]:
    """RFC 6749, section 3.1.2; RFC 8252, section 7."""
    parts = _parts(text)
    good = parts is not None and (
        (parts.scheme == "https" and bool(parts.hostname))
        or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        or bool(_OWN_SCHEME.match(parts.scheme))
    )
    if not good or (parts is not None and parts.username is not None):
        message = f"{show_path(path)} is {shown(text)}, where no browser should be sent"
        hint = "https, http on loopback, or a scheme such as com.example.app; no fragment, no user"
        yield Problem(codes.BAD_FORMAT, message, hint, key, path)


def _parts(text: str) -> SplitResult | None:
    """The parts of a URI without fragment; None when it is none."""
    if not _URI.match(text):
        return None
    try:
        parts = urlsplit(text)
        return parts if parts.port != 0 else None
    except ValueError:
        return None
