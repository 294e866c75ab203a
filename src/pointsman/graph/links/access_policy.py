"""AccessPolicy: how callers prove who they are, and who of them may do what."""

from collections.abc import Iterable, Iterator
from typing import Final

from pointsman.graph.links.context import Context
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.matches import conditions
from pointsman.graph.links.policies import Attached
from pointsman.graph.model.access import (
    Access,
    AccessRule,
    CertificateMethod,
    ClaimCondition,
    GivenKeys,
    KeyMethod,
    Method,
    PasswordMethod,
    Places,
    RemoteKeys,
    TokenMethod,
    Verdict,
)
from pointsman.graph.model.match import PathCondition, PathKind
from pointsman.resources.codes import access as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.access_policy import (
    AccessMethod,
    AccessPolicySpec,
    ApiKey,
    Jwks,
    Jwt,
    PathRule,
)
from pointsman.resources.kinds.access_policy import AccessRule as RuleSpec
from pointsman.resources.kinds.access_policy import ClaimCondition as ClaimSpec
from pointsman.resources.kinds.base import Reference
from pointsman.resources.origin import FieldPath
from pointsman.resources.resource_set import ResourceSet

KIND: Final = "AccessPolicy"
_KEY_HEADER: Final = "x-api-key"
_TOKEN_HEADER: Final = "authorization"
_CACHE_MS: Final = 300_000
_TIMEOUT_MS: Final = 5_000


def link_access(context: Context, attached: Attached) -> Linked[Access]:
    """What a policy says; remembered."""
    step = ("access", attached.policy)
    seen: Linked[Access] | None = context.memo.seen(step)
    if seen is not None:
        return seen
    spec: AccessPolicySpec = attached.spec
    findings = Findings(attached.policy)
    _check_names(context, spec, findings)
    problems = tuple(findings.problems)
    result: Linked[Access] = context.memo.get(
        step, (spec, problems), lambda: linked(_read(attached.policy, spec), [*problems])
    )
    return result


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
            hint = "add a method: apiKey, basic, certificate, or jwt with `consumer`"
            findings.add(codes.NOBODY_KNOWN, path, message, hint)
        if (rule.scopes or rule.claims) and not any(item.jwt for item in spec.methods):
            message = f"rule {rule.name} looks at tokens, and no method takes any"
            findings.add(codes.NOBODY_KNOWN, path, message, "add a method `jwt`")


def _knows_consumers(spec: AccessPolicySpec) -> bool:
    return any(item.jwt is None or item.jwt.consumer is not None for item in spec.methods)


def _read(policy: Key, spec: AccessPolicySpec) -> Access:
    rules = tuple(_rule(rule, policy) for rule in spec.rules)
    fallback: Verdict = "deny" if any(rule.action == "allow" for rule in rules) else "allow"
    return Access(
        policy=policy,
        methods=tuple(_methods(policy, spec.methods)),
        anonymous=spec.anonymous,
        allow=spec.sources.allow if spec.sources else (),
        deny=spec.sources.deny if spec.sources else (),
        rules=rules,
        default=spec.default or fallback,
        audit=spec.audit,
    )


def _methods(policy: Key, specs: Iterable[AccessMethod]) -> Iterator[Method]:
    for index, spec in enumerate(specs):
        if spec.api_key is not None:
            yield KeyMethod(_places(spec.api_key, _KEY_HEADER), spec.api_key.keep)
        elif spec.basic is not None:
            yield PasswordMethod(spec.basic.realm, spec.basic.keep)
        elif spec.certificate is not None:
            yield CertificateMethod()
        elif spec.jwt is not None:
            yield _token(f"{policy.path}/{index}", spec.jwt)


def _places(spec: ApiKey | Jwt, usual: str) -> Places:
    headers = tuple(name.lower() for name in spec.headers)
    if not headers and not spec.query and not spec.cookies:
        headers = (usual,)
    return Places(headers, spec.query, spec.cookies)


def _token(name: str, spec: Jwt) -> TokenMethod:
    return TokenMethod(
        name=name,
        issuer=spec.issuer,
        audiences=spec.audiences,
        keys=_keys(spec.jwks),
        places=_places(spec, _TOKEN_HEADER),
        keep=spec.keep,
        skew_s=spec.clock_skew,
        scopes=spec.scopes,
        claims=tuple(map(_claim, spec.claims)),
        claim_headers=tuple((item.claim, item.header.lower()) for item in spec.claim_headers),
        consumer_claim=spec.consumer.claim if spec.consumer else None,
    )


def _keys(spec: Jwks) -> RemoteKeys | GivenKeys:
    if spec.url is None:
        return GivenKeys(spec.file, spec.inline)
    return RemoteKeys(
        url=spec.url,
        cache_ms=spec.cache_for.ms if spec.cache_for else _CACHE_MS,
        timeout_ms=spec.timeout.ms if spec.timeout else _TIMEOUT_MS,
        keep=spec.outage == "keep",
        ca_file=spec.ca_file,
    )


def _rule(spec: RuleSpec, policy: Key) -> AccessRule:
    return AccessRule(
        name=spec.name,
        action=spec.action,
        consumers=tuple(consumer_key(ref, policy) for ref in spec.consumers),
        groups=spec.groups,
        scopes=spec.scopes,
        claims=tuple(map(_claim, spec.claims)),
        methods=spec.methods,
        paths=tuple(map(path_condition, spec.paths)),
        headers=conditions(spec.headers),
    )


def consumer_key(ref: Reference, home: Key) -> Key:
    """The consumer that a policy names; its namespace is the policy's own by default."""
    return Key("Consumer", ref.namespace or home.namespace, ref.name)


def _claim(spec: ClaimSpec) -> ClaimCondition:
    return ClaimCondition(tuple(spec.claim.split(".")), spec.values)


def path_condition(spec: PathRule) -> PathCondition:
    """A path, as policies compare it."""
    if spec.exact is not None:
        return PathCondition(PathKind.EXACT, spec.exact)
    if spec.regex is not None:
        return PathCondition(PathKind.REGEX, spec.regex)
    return PathCondition(PathKind.PREFIX, spec.prefix or "/")
