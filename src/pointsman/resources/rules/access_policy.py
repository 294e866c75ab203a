"""Rules of AccessPolicy."""

import ipaddress
from collections.abc import Iterator

from pointsman.resources.codes import fields as codes
from pointsman.resources.expression import fault
from pointsman.resources.key import Key
from pointsman.resources.kinds.access_policy import AccessPolicySpec, AccessRule, PathRule
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules import matching
from pointsman.resources.rules.access_methods import check_external, check_method
from pointsman.resources.rules.common import SPEC, one_of, unique
from pointsman.resources.rules.targets import check_targets
from pointsman.resources.words import shown


def check(resource: Resource[AccessPolicySpec]) -> Iterator[Problem]:
    """Targets, ways to prove who one is, addresses and rules."""
    key, spec = resource.key, resource.spec
    yield from check_targets(resource)
    said = (spec.methods, spec.rules, spec.sources, spec.external, spec.default)
    if not any(said):
        message = "spec needs methods, rules, sources, external or default: it says nothing so far"
        yield Problem(codes.ONE_OF, message, "", key, SPEC)
    for index, method in enumerate(spec.methods):
        yield from check_method(key, (*SPEC, "methods", index), method)
    if spec.anonymous and not spec.methods:
        message = "spec.anonymous goes with methods: without any, nobody proves anything"
        yield Problem(codes.DEPENDENT_FIELD, message, "remove it", key, (*SPEC, "anonymous"))
    yield from _logins(key, spec)
    yield from check_external(key, (*SPEC, "external"), spec.external)
    for field in ("allow", "deny"):
        for index, name in enumerate(getattr(spec.sources, field, ())):
            yield from _range(key, (*SPEC, "sources", field, index), name)
    for index, rule in enumerate(spec.rules):
        yield from _rule(key, (*SPEC, "rules", index), rule)
    yield from unique(key, (*SPEC, "rules"), ("name",), (r.name for r in spec.rules), "name")


def _logins(key: Key, spec: AccessPolicySpec) -> Iterator[Problem]:
    """A login takes all requests that got to it, so that nothing can come behind."""
    for index, method in enumerate(spec.methods):
        path: FieldPath = (*SPEC, "methods", index, "oidc")
        if method.oidc is not None and index + 1 < len(spec.methods):
            message = f"{show_path(path)} takes all requests, and methods follow it"
            yield Problem(codes.DEPENDENT_FIELD, message, "make it the last method", key, path)
        if method.oidc is not None and spec.anonymous:
            message = f"{show_path(path)} goes without anonymous: who has no session logs in"
            yield Problem(codes.DEPENDENT_FIELD, message, "remove anonymous", key, path)


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
    wrong = fault(rule.when) if rule.when is not None else None
    if wrong is not None:
        where: FieldPath = (*path, "when")
        message = f"{show_path(where)} is no expression: {wrong}"
        yield Problem(codes.BAD_FORMAT, message, "", key, where)


def path_rule(key: Key, path: FieldPath, rule: PathRule) -> Iterator[Problem]:
    """Exactly one way to compare a path, and one that can match."""
    ways = {"exact": rule.exact, "prefix": rule.prefix, "regex": rule.regex}
    yield from one_of(key, path, ways)
    yield from matching.literal_path(key, (*path, "exact"), rule.exact)
    yield from matching.literal_path(key, (*path, "prefix"), rule.prefix)
    yield from matching.regex(key, (*path, "regex"), rule.regex)
