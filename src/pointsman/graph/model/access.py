"""Who may call: what an AccessPolicy means, and the consumers it knows."""

from dataclasses import dataclass
from typing import Literal

from pointsman.graph.model.match import HeaderCondition, PathCondition
from pointsman.graph.model.methods import ClaimCondition, External, Method
from pointsman.resources.key import Key

Verdict = Literal["allow", "deny"]


@dataclass(frozen=True, slots=True)
class Consumer:
    """A calling application.

    Attributes:
        key: the consumer.
        groups: groups it belongs to, in alphabetical order.
        certificates: names in its client certificates.
        tokens: (issuer, subject) of tokens of others that speak for it.
    """

    key: Key
    groups: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    tokens: tuple[tuple[str, str], ...] = ()


def principal(consumer: Consumer, credential: str) -> str:
    """Who calls, as proxies pass it on: `NAMESPACE/NAME|CREDENTIAL|,GROUP,GROUP,`."""
    groups = "".join(f"{group}," for group in consumer.groups)
    return f"{consumer.key.path}|{credential}|,{groups}"


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Requests that are allowed, or denied. Of each tuple with values one entry must hold.

    Attributes:
        name: of the rule.
        action: what becomes of such requests.
        consumers: who calls.
        groups: groups of who calls.
        scopes: scopes of the token, all of them.
        claims: of the token, all of them.
        methods: HTTP methods.
        paths: paths before any rewrite.
        headers: conditions, all of which must hold.
        when: CEL expression that must be true.
    """

    name: str
    action: Verdict
    consumers: tuple[Key, ...] = ()
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    claims: tuple[ClaimCondition, ...] = ()
    methods: tuple[str, ...] = ()
    paths: tuple[PathCondition, ...] = ()
    headers: tuple[HeaderCondition, ...] = ()
    when: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """An AccessPolicy, linked.

    Attributes:
        policy: the policy.
        methods: ways to prove who one is, in the order in which they are looked for.
        anonymous: whether requests without any credential pass on to the rules.
        allow: ranges of addresses that requests have to come from; from anywhere when empty.
        deny: ranges of addresses that are turned away.
        rules: who may do what; denial wins.
        default: what becomes of requests for which no rule holds.
        external: a server that is asked about what is let pass.
        audit: whether rules and addresses only count.
    """

    policy: Key
    methods: tuple[Method, ...] = ()
    anonymous: bool = False
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    rules: tuple[AccessRule, ...] = ()
    default: Verdict = "allow"
    external: External | None = None
    audit: bool = False
