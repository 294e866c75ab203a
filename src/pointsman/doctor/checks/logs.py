"""C03: credentials that access logs write down."""

import re
from collections.abc import Iterator
from typing import Final

from pointsman.doctor.catalogue.configuration import GIVEN_AWAY
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, fact, found
from pointsman.graph.model.guards import Guards
from pointsman.graph.model.methods import KeyMethod, OpaqueMethod, TokenMethod
from pointsman.resources.key import Key
from pointsman.resources.kinds.listeners import LogFormat
from pointsman.resources.origin import FieldPath
from pointsman.resources.rules.log_format import HEADERS

_ALWAYS_SECRET: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"}
)
_COMMAND: Final = re.compile(r"%(?:([A-Z0-9_]+)(?:\(([^)]*)\))?(?::([0-9]+))?)?%")
"""A command, or the two percent signs that stand for one."""
_LONGEST_HARMLESS = 8
"""Characters of a credential that tell no more than its kind, such as `Bearer `."""


def logged_secrets(evidence: Evidence) -> Iterator[Finding]:
    """Formats of access logs with headers that hold credentials."""
    secret = _secret_headers(evidence)
    for kind in ("VirtualGateway", "VirtualNode"):
        for key, resource in evidence.resources.of(kind).items():
            log = resource.spec.logging.access_log if resource.spec.logging else None
            if log is not None and log.file is not None and log.file.format is not None:
                yield from _in_format(key, log.file.format, secret)


def _secret_headers(evidence: Evidence) -> dict[str, Key | None]:
    """Lower-case names of headers that hold credentials, with the policy that says so, if any."""
    found_headers: dict[str, Key | None] = dict.fromkeys(_ALWAYS_SECRET)
    for guards in _guards(evidence):
        for method in guards.access.methods if guards.access is not None else ():
            headers: tuple[str, ...] = ()
            if isinstance(method, KeyMethod | TokenMethod):
                headers = method.places.headers
            elif isinstance(method, OpaqueMethod):
                headers = method.headers
            for name in headers:
                found_headers.setdefault(name, guards.access.policy if guards.access else None)
    return found_headers


def _guards(evidence: Evidence) -> Iterator[Guards]:
    for _, listener, _ in evidence.hosts:
        yield listener.guards
    yield from (rule.guards for rule in evidence.rules)
    yield from (route.guards for route in evidence.routes)
    yield from (listener.guards for listener in evidence.ingress.values())


def _in_format(key: Key, form: LogFormat, secret: dict[str, Key | None]) -> Iterator[Finding]:
    path: FieldPath = ("spec", "logging", "accessLog", "file", "format")
    if form.text is not None:
        yield from _in_text(key, (*path, "text"), form.text, secret)
    for index, item in enumerate(form.json or ()):
        yield from _in_text(key, (*path, "json", index, "value"), item.value, secret)


def _in_text(
    key: Key, path: FieldPath, text: str, secret: dict[str, Key | None]
) -> Iterator[Finding]:
    for command, parameters, length in _COMMAND.findall(text):
        if command not in HEADERS or (length and int(length) <= _LONGEST_HARMLESS):
            continue
        for name in filter(secret.__contains__, parameters.lower().split("?")):
            policy = secret[name]
            facts = (fact(f"{policy} takes credentials from {name}", policy),) if policy else ()
            message = f"the log has header {name} of every request, which holds credentials"
            advice = "leave it out; the default format tells the consumer instead"
            yield found(GIVEN_AWAY, key, path, message, *facts, advice=advice)
