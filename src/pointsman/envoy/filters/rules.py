"""Rules of who may do what, and from where: instances of `rbac`.

Addresses are looked at before anybody proves anything, so that guessing from elsewhere is in
vain. Of the rules, those that deny come first: `rbac` has one action for all of its policies.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pointsman.envoy import names, pb
from pointsman.envoy.filters import tokens
from pointsman.envoy.filters.login import quoted
from pointsman.envoy.matchers import Fields, header_matcher
from pointsman.graph.model.access import Access, AccessRule
from pointsman.graph.model.match import PathCondition, PathKind
from pointsman.graph.model.methods import ClaimCondition, OpaqueMethod, TokenMethod

SOURCES: Final = "pointsman.sources"
DENIED: Final = "pointsman.denied"
ALLOWED: Final = "pointsman.allowed"
DEMANDED: Final = "pointsman.demanded"
"""What a token has to have beside its signature; audits do not touch it."""
WHEN: Final = "pointsman.when"
SIGNED: Final = tokens.METADATA
"""Namespace of the metadata that has the claims of signed tokens."""
_SCOPES: Final = (("scope",), ("scp",))


@dataclass(frozen=True, slots=True)
class _Look:
    """Where things are: the namespace of claims, and the header of the path as it came."""

    source: str
    path_header: str | None


def rules_filter(name: str) -> Fields:
    """One of them, which rows of the route table give something to do."""
    return {"name": name, "disabled": True, "typed_config": pb.pack(pb.Rbac())}


def rules_of_row(access: Access, source: str, path_header: str | None) -> dict[str, pb.Message]:
    """What a row says of them, each packed.

    Args:
        access: the policy.
        source: namespace of the metadata that has the claims.
        path_header: the header that has the path as it came; None where it is the path still.
    """
    found: dict[str, pb.Message] = {}
    look = _Look(source, path_header)
    if access.allow or access.deny:
        found[SOURCES] = _per_route(access, "ALLOW", {_named(access, "sources"): _sources(access)})
    expressions = [(_when(index), rule.when) for index, rule in _with_when(access)]
    if expressions:
        found[WHEN] = pb.pack(_evaluated(expressions))
    denied = dict(_policies(access, "deny", look))
    if denied:
        found[DENIED] = _per_route(access, "DENY", denied)
    if access.default == "deny":
        found[ALLOWED] = _per_route(access, "ALLOW", dict(_policies(access, "allow", look)))
    return found


def demands_of_row(
    access: Access, token: TokenMethod | OpaqueMethod | None, source: str
) -> dict[str, pb.Message]:
    """What a row demands of the token that its requests have.

    Args:
        access: the policy.
        token: the token, if any.
        source: namespace of the metadata that has the claims.
    """
    if token is None or not (token.scopes or token.claims):
        return {}
    demands = [_scope(scope, source) for scope in token.scopes]
    demands += [_claim(claim, source) for claim in token.claims]
    policy = {"permissions": [{"any": True}], "principals": [_all("and_ids", "ids", demands)]}
    rbac = {"rules": {"action": "ALLOW", "policies": {_named(access, "token"): policy}}}
    return {DEMANDED: pb.pack(pb.RbacPerRoute(rbac=rbac))}


def private_headers(access: Access) -> Iterator[str]:
    """Headers in which the proxy keeps what expressions came to."""
    return (_when(index) for index, _ in _with_when(access))


def when_filter() -> Fields:
    """Evaluates the expressions of rules, as rows of the route table say."""
    return {"name": WHEN, "disabled": True, "typed_config": pb.pack(pb.HeaderMutation())}


def _with_when(access: Access) -> Iterator[tuple[int, AccessRule]]:
    return ((index, rule) for index, rule in enumerate(access.rules) if rule.when is not None)


def _when(index: int) -> str:
    return f"x-pointsman-when-{index}"


def _evaluated(expressions: list[tuple[str, str | None]]) -> pb.Message:
    """Each expression as a header: `true`, `false`, or absent where it has no value."""
    changes = [
        {
            "append": {
                "header": {"key": header, "value": f"%CEL({text})%"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        }
        for header, text in expressions
    ]
    return pb.HeaderMutationPerRoute(mutations={"request_mutations": changes})


def _policies(access: Access, action: str, look: "_Look") -> Iterator[tuple[str, Fields]]:
    for index, rule in enumerate(access.rules):
        if rule.action == action:
            header = None if rule.when is None else _when(index)
            yield _named(access, rule.name), _policy(rule, look, header)


def _named(access: Access, rule: str) -> str:
    """`NAMESPACE/POLICY:RULE`, which response code details show."""
    return f"{access.policy.path}:{rule}"


def _per_route(access: Access, action: str, policies: dict[str, Fields]) -> pb.Message:
    field = "shadow_rules" if access.audit else "rules"
    return pb.pack(pb.RbacPerRoute(rbac={field: {"action": action, "policies": policies}}))


def _sources(access: Access) -> Fields:
    allowed = [_remote(item) for item in access.allow] or [{"any": True}]
    principals: Fields = {"or_ids": {"ids": allowed}}
    if access.deny:
        denied = {"not_id": {"or_ids": {"ids": [_remote(item) for item in access.deny]}}}
        principals = {"and_ids": {"ids": [principals, denied]}}
    return {"permissions": [{"any": True}], "principals": [principals]}


def _remote(name: str) -> Fields:
    prefix, _, length = name.partition("/")
    bits = int(length) if length else (128 if ":" in prefix else 32)
    return {"remote_ip": {"address_prefix": prefix, "prefix_len": {"value": bits}}}


def _policy(rule: AccessRule, look: "_Look", when: str | None) -> Fields:
    return {
        "permissions": [_all("and_rules", "rules", [*_requests(rule, look, when)])],
        "principals": [_all("and_ids", "ids", [*_callers(rule, look.source)])],
    }


def _all(every: str, items: str, found: list[Any]) -> Fields:
    if len(found) < 2:
        return found[0] if found else {"any": True}
    return {every: {items: found}}


def _requests(rule: AccessRule, look: "_Look", when: str | None) -> Iterator[Fields]:
    if rule.methods:
        yield _either([_exactly(":method", method) for method in rule.methods])
    if rule.paths:
        yield _either([_path(item, look.path_header) for item in rule.paths])
    for header in rule.headers:
        yield {"header": header_matcher(header)}
    if when is not None and rule.action == "allow":
        yield _exactly(when, "true")
    elif when is not None:
        # What has no value, such as one of a header that is not there, denies to be safe.
        yield {"not_rule": _exactly(when, "false")}


def _either(found: list[Fields]) -> Fields:
    return found[0] if len(found) == 1 else {"or_rules": {"rules": found}}


def _exactly(name: str, value: str) -> Fields:
    return {"header": {"name": name, "string_match": {"exact": value}}}


def _path(path: PathCondition, header: str | None) -> Fields:
    if header is not None:
        return {"header": {"name": header, "string_match": _text(path)}}
    return {"url_path": {"path": _match(path)}}


def _match(path: PathCondition) -> Fields:
    match path.kind:
        case PathKind.REGEX:
            return {"safe_regex": {"regex": path.value}}
        case PathKind.EXACT | PathKind.PREFIX:
            return {path.kind.value: path.value}


def _text(path: PathCondition) -> Fields:
    """The same for a path with its query."""
    match path.kind:
        case PathKind.REGEX:
            return {"safe_regex": {"regex": rf"(?:{path.value})(?:\?.*)?"}}
        case PathKind.EXACT:
            return {"safe_regex": {"regex": rf"{quoted(path.value)}(?:\?.*)?"}}
        case PathKind.PREFIX:
            return {"prefix": path.value}


def _callers(rule: AccessRule, source: str) -> Iterator[Fields]:
    if rule.consumers:
        yield _any([_exactly(names.CONSUMER_HEADER, key.path) for key in rule.consumers])
    if rule.groups:
        yield _any([_in_group(group) for group in rule.groups])
    yield from (_scope(scope, source) for scope in rule.scopes)
    yield from (_claim(claim, source) for claim in rule.claims)


def _any(found: list[Fields]) -> Fields:
    return found[0] if len(found) == 1 else {"or_ids": {"ids": found}}


def _in_group(group: str) -> Fields:
    match = {"contains": f",{group},"}
    return {"header": {"name": names.GROUPS_HEADER, "string_match": match}}


def _scope(scope: str, source: str) -> Fields:
    return _any([_metadata(path, (scope,), source) for path in _SCOPES])


def _claim(claim: ClaimCondition, source: str) -> Fields:
    return _metadata(claim.path, claim.values, source)


def _metadata(path: tuple[str, ...], values: tuple[str, ...], source: str) -> Fields:
    """A claim that has one of the values, or a list that has one."""
    keys = [{"key": name} for name in (tokens.PAYLOAD, *path)]
    texts: list[Fields] = [match for value in values for match in _value(value)]
    alone = texts[0] if len(texts) == 1 else {"or_match": {"value_matchers": texts}}
    within = {"list_match": {"one_of": alone}}
    value = {"or_match": {"value_matchers": [alone, within]}}
    return {"metadata": {"filter": source, "path": keys, "value": value}}


def _value(value: str) -> Iterator[Fields]:
    """A value as text, and as what JSON may have instead."""
    yield {"string_match": {"exact": value}}
    if value in ("true", "false"):
        yield {"bool_match": value == "true"}
    elif value.lstrip("-").isdigit():
        yield {"double_match": {"exact": float(value)}}
