"""Rules of TLS blocks, shared by VirtualGateway and VirtualNode."""

from collections.abc import Iterator

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.tls import BackendDefaults, ClientPolicy, ListenerTls, Trust
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.rules.common import one_of


def listener(key: Key, path: FieldPath, tls: ListenerTls | None) -> Iterator[Problem]:
    """One certificate; clients are verified by file or sds."""
    if tls is None:
        return
    certificate = tls.certificate
    sources = {"acm": certificate.acm, "file": certificate.file, "sds": certificate.sds}
    yield from one_of(key, (*path, "certificate"), sources)
    if tls.validation is None:
        return
    trust = tls.validation.trust
    where: FieldPath = (*path, "validation", "trust")
    yield from _trust(key, where, trust)
    if trust.acm is not None:
        message = f"{show_path(where)}.acm: certificates of clients are verified by file or sds"
        yield Problem(codes.DEPENDENT_FIELD, message, "", key, (*where, "acm"))


def client(key: Key, path: FieldPath, policy: ClientPolicy | None) -> Iterator[Problem]:
    """One trust, at most one certificate of its own."""
    if policy is None or policy.tls is None:
        return
    where: FieldPath = (*path, "tls")
    certificate = policy.tls.certificate
    if certificate is not None:
        sources = {"file": certificate.file, "sds": certificate.sds}
        yield from one_of(key, (*where, "certificate"), sources)
    yield from _trust(key, (*where, "validation", "trust"), policy.tls.validation.trust)


def defaults(key: Key, path: FieldPath, backends: BackendDefaults | None) -> Iterator[Problem]:
    """The policy towards backends without one of their own."""
    if backends is not None:
        yield from client(key, (*path, "clientPolicy"), backends.client_policy)


def _trust(key: Key, path: FieldPath, trust: Trust) -> Iterator[Problem]:
    yield from one_of(key, path, {"acm": trust.acm, "file": trust.file, "sds": trust.sds})
