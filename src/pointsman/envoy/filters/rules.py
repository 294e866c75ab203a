"""Rules of who may do what, and from where: instances of `rbac`.

Addresses are looked at before anybody proves anything, so that guessing from elsewhere is in
vain. Of the rules, those that deny come first: `rbac` has one action for all of its policies.
"""

from collections.abc import Iterator
from typing import Any, Final

from pointsman.envoy import names, pb
from pointsman.envoy.filters import tokens
from pointsman.envoy.matchers import Fields, header_matcher
from pointsman.graph.model.access import Access, AccessRule, ClaimCondition, TokenMethod
from pointsman.graph.model.match import PathCondition, PathKind

SOURCES: Final = "pointsman.sources"
DENIED: Final = "pointsman.denied"
ALLOWED: Final = "pointsman.allowed"
DEMANDED: Final = "pointsman.demanded"
"""What a token has to have beside its signature; audits do not touch it."""
_SCOPES: Final = (("scope",), ("scp",))


def rules_filter(name: str) -> Fields:
    """One of them, which rows of the route table give something to do."""
    return {"name": name, "disabled": True, "typed_config": pb.pack(pb.Rbac())}


def rules_of_row(access: Access, token: TokenMethod | None) -> dict[str, pb.Message]:
    """What a row says of them, each packed.

    Args:
        access: the policy.
        token: the token that requests of the row have, if any.
    """
    found: dict[str, pb.Message] = {}
    if access.allow or access.deny:
        found[SOURCES] = _per_route(access, "ALLOW", {_named(access, "sources"): _sources(access)})
    denied = {_named(access, rule.name): _policy(rule) for rule in _of(access, "deny")}
    if denied:
        found[DENIED] = _per_route(access, "DENY", denied)
    if access.default == "deny":
        allowed = {_named(access, rule.name): _policy(rule) for rule in _of(access, "allow")}
        found[ALLOWED] = _per_route(access, "ALLOW", allowed)
    if token is not None and (token.scopes or token.claims):
        found[DEMANDED] = _demands(access, token)
    return found


def _demands(access: Access, token: TokenMethod) -> pb.Message:
    rules = [*map(_scope, token.scopes), *map(_claim, token.claims)]
    policy = {"permissions": [{"any": True}], "principals": [_all("and_ids", "ids", rules)]}
    rbac = {"rules": {"action": "ALLOW", "policies": {_named(access, "token"): policy}}}
    return pb.pack(pb.RbacPerRoute(rbac=rbac))


def _of(access: Access, action: str) -> Iterator[AccessRule]:
    return (rule for rule in access.rules if rule.action == action)


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


def _policy(rule: AccessRule) -> Fields:
    return {
        "permissions": [_all("and_rules", "rules", [*_requests(rule)])],
        "principals": [_all("and_ids", "ids", [*_callers(rule)])],
    }


def _all(every: str, items: str, found: list[Any]) -> Fields:
    if len(found) < 2:
        return found[0] if found else {"any": True}
    return {every: {items: found}}


def _requests(rule: AccessRule) -> Iterator[Fields]:
    if rule.methods:
        yield _either([_exactly(":method", method) for method in rule.methods])
    if rule.paths:
        yield _either([{"url_path": {"path": _path(item)}} for item in rule.paths])
    for header in rule.headers:
        yield {"header": header_matcher(header)}


def _either(found: list[Fields]) -> Fields:
    return found[0] if len(found) == 1 else {"or_rules": {"rules": found}}


def _exactly(name: str, value: str) -> Fields:
    return {"header": {"name": name, "string_match": {"exact": value}}}


def _path(path: PathCondition) -> Fields:
    match path.kind:
        case PathKind.REGEX:
            return {"safe_regex": {"regex": path.value}}
        case PathKind.EXACT | PathKind.PREFIX:
            return {path.kind.value: path.value}


def _callers(rule: AccessRule) -> Iterator[Fields]:
    if rule.consumers:
        yield _any([_exactly(names.CONSUMER_HEADER, key.path) for key in rule.consumers])
    if rule.groups:
        yield _any([_in_group(group) for group in rule.groups])
    yield from map(_scope, rule.scopes)
    yield from map(_claim, rule.claims)


def _any(found: list[Fields]) -> Fields:
    return found[0] if len(found) == 1 else {"or_ids": {"ids": found}}


def _in_group(group: str) -> Fields:
    match = {"contains": f",{group},"}
    return {"header": {"name": names.GROUPS_HEADER, "string_match": match}}


def _scope(scope: str) -> Fields:
    return _any([_metadata(path, (scope,)) for path in _SCOPES])


def _claim(claim: ClaimCondition) -> Fields:
    return _metadata(claim.path, claim.values)


def _metadata(path: tuple[str, ...], values: tuple[str, ...]) -> Fields:
    """A claim that has one of the values, or a list that has one."""
    keys = [{"key": name} for name in (tokens.PAYLOAD, *path)]
    texts: list[Fields] = [match for value in values for match in _value(value)]
    alone = texts[0] if len(texts) == 1 else {"or_match": {"value_matchers": texts}}
    within = {"list_match": {"one_of": alone}}
    value = {"or_match": {"value_matchers": [alone, within]}}
    return {"metadata": {"filter": tokens.METADATA, "path": keys, "value": value}}


def _value(value: str) -> Iterator[Fields]:
    """A value as text, and as what JSON may have instead."""
    yield {"string_match": {"exact": value}}
    if value in ("true", "false"):
        yield {"bool_match": value == "true"}
    elif value.lstrip("-").isdigit():
        yield {"double_match": {"exact": float(value)}}
