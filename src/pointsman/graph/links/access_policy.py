"""AccessPolicy: how callers prove who they are, and who of them may do what."""

from collections.abc import Mapping
from typing import Final

from pointsman.graph.links.access_methods import (
    read_claim,
    read_external,
    read_methods,
    server_key,
)
from pointsman.graph.links.context import Context, report_missing
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.matches import conditions
from pointsman.graph.links.policies import Attached
from pointsman.graph.model.access import Access, AccessRule, Verdict
from pointsman.graph.model.authorization_server import AuthorizationServer
from pointsman.graph.model.match import PathCondition, PathKind
from pointsman.resources.codes import access as codes
from pointsman.resources.codes import references
from pointsman.resources.key import Key
from pointsman.resources.kinds.access_policy import AccessMethod, AccessPolicySpec, PathRule
from pointsman.resources.kinds.access_policy import AccessRule as RuleSpec
from pointsman.resources.kinds.base import Reference
from pointsman.resources.origin import FieldPath
from pointsman.resources.resource_set import ResourceSet

KIND: Final = "AccessPolicy"


def link_access(context: Context, attached: Attached) -> Linked[Access]:
    """What a policy says; remembered."""
    step = ("access", attached.policy)
    seen: Linked[Access] | None = context.memo.seen(step)
    if seen is not None:
        return seen
    spec: AccessPolicySpec = attached.spec
    findings = Findings(attached.policy)
    _check_names(context, spec, findings)
    servers = _named_servers(context, spec, findings)
    problems = tuple(findings.problems)
    result: Linked[Access] = context.memo.get(
        step,
        (spec, problems, servers),
        lambda: linked(_read(attached.policy, spec, servers), [*problems]),
    )
    return result


def _named_servers(
    context: Context, spec: AccessPolicySpec, findings: Findings
) -> dict[Key, AuthorizationServer]:
    """The authorization servers whose tokens a policy takes."""
    found = {}
    for index, method in enumerate(spec.methods):
        key = server_key(method.jwt, findings.key) if method.jwt is not None else None
        if key is None:
            continue
        if key in context.servers:
            found[key] = context.servers[key]
            continue
        path: FieldPath = ("spec", "methods", index, "jwt", "authorizationServer")
        if context.resources.get(key) is None:
            report_missing(key, context.resources, path, findings)
        else:
            message = f"{key} is not served, so that nobody has a token of it"
            findings.add(references.MISSING, path, message, "mend its errors first")
    return found


def never_read(resources: ResourceSet, before: frozenset[Key] | None) -> frozenset[Key]:
    """Policies that could not be read since the start.

    One that breaks later stays in force as it was, and one that is new and broken takes nothing
    away from what works. At the start nothing works yet, and what a policy was to protect must
    not be open because of a slip of the pen.

    Args:
        resources: what was written.
        before: what the previous run found; None at the start.
    """
    broken = frozenset(key for key in resources.broken if key.kind == KIND)
    return broken if before is None else broken & before


def _check_names(context: Context, spec: AccessPolicySpec, findings: Findings) -> None:
    """Consumers and groups of rules exist, and rules have something to go by."""
    for index, rule in enumerate(spec.rules):
        path: FieldPath = ("spec", "rules", index)
        for place, ref in enumerate(rule.consumers):
            key = consumer_key(ref, findings.key)
            if context.resources.get(key) is None:
                where = (*path, "consumers", place)
                findings.add(codes.NO_CONSUMER, where, f"there is no {key}")
        if (rule.consumers or rule.groups) and not _knows_consumers(spec):
            message = f"rule {rule.name} names consumers, and no method tells who calls"
            hint = "add a method: apiKey, basic, certificate, or one of tokens with `consumer`"
            findings.add(codes.NOBODY_KNOWN, path, message, hint)
        if (rule.scopes or rule.claims) and not any(map(_has_claims, spec.methods)):
            message = f"rule {rule.name} looks at tokens, and no method takes any"
            findings.add(
                codes.NOBODY_KNOWN, path, message, "add a method `jwt`, `introspection` or `oidc`"
            )


def _has_claims(method: AccessMethod) -> bool:
    return bool(method.jwt or method.introspection or method.oidc)


def _knows_consumers(spec: AccessPolicySpec) -> bool:
    return any(map(_knows_consumer, spec.methods))


def _knows_consumer(method: AccessMethod) -> bool:
    if method.jwt is not None and method.jwt.authorization_server is not None:
        return True
    token = method.jwt or method.introspection or method.oidc
    return token is None or token.consumer is not None


def _read(
    policy: Key, spec: AccessPolicySpec, servers: Mapping[Key, AuthorizationServer]
) -> Access:
    rules = tuple(_rule(rule, policy) for rule in spec.rules)
    fallback: Verdict = "deny" if any(rule.action == "allow" for rule in rules) else "allow"
    return Access(
        policy=policy,
        methods=tuple(read_methods(policy, spec.methods, servers)),
        anonymous=spec.anonymous,
        allow=spec.sources.allow if spec.sources else (),
        deny=spec.sources.deny if spec.sources else (),
        rules=rules,
        default=spec.default or fallback,
        external=read_external(policy, spec.external),
        audit=spec.audit,
    )


def _rule(spec: RuleSpec, policy: Key) -> AccessRule:
    return AccessRule(
        name=spec.name,
        action=spec.action,
        consumers=tuple(consumer_key(ref, policy) for ref in spec.consumers),
        groups=spec.groups,
        scopes=spec.scopes,
        claims=tuple(map(read_claim, spec.claims)),
        methods=spec.methods,
        paths=tuple(map(path_condition, spec.paths)),
        headers=conditions(spec.headers),
        when=spec.when,
    )


def consumer_key(ref: Reference, home: Key) -> Key:
    """The consumer that a policy names; its namespace is the policy's own by default."""
    return Key("Consumer", ref.namespace or home.namespace, ref.name)


def path_condition(spec: PathRule) -> PathCondition:
    """A path, as policies compare it."""
    if spec.exact is not None:
        return PathCondition(PathKind.EXACT, spec.exact)
    if spec.regex is not None:
        return PathCondition(PathKind.REGEX, spec.regex)
    return PathCondition(PathKind.PREFIX, spec.prefix or "/")
