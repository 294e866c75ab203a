"""Who may call: what an AccessPolicy means, and the consumers it knows."""

from dataclasses import dataclass
from typing import Literal

from pointsman.graph.model.match import HeaderCondition, PathCondition
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
class Places:
    """Where a credential may be in a request.

    Attributes:
        headers: lower-case names of headers.
        query: names of query parameters.
        cookies: names of cookies.
    """

    headers: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyMethod:
    """An API key.

    Attributes:
        places: where it may be.
        keep: whether the backend sees it.
    """

    places: Places
    keep: bool = False


@dataclass(frozen=True, slots=True)
class PasswordMethod:
    """User name and password.

    Attributes:
        realm: what browsers show.
        keep: whether the backend sees them.
    """

    realm: str
    keep: bool = False


@dataclass(frozen=True, slots=True)
class CertificateMethod:
    """A client certificate."""


@dataclass(frozen=True, slots=True)
class RemoteKeys:
    """Public keys that proxies fetch.

    Attributes:
        url: where from.
        cache_ms: how long they are good, in ms.
        timeout_ms: how long fetching may take, in ms.
        keep: whether they stay in use when they cannot be fetched anew.
        ca_file: authorities the server is checked against, a file of the proxies' machines.
    """

    url: str
    cache_ms: int
    timeout_ms: int
    keep: bool = False
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class GivenKeys:
    """Public keys that are at hand: a file on the proxies' machines, or the key set itself."""

    file: str | None = None
    inline: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimCondition:
    """A claim that has one of the values, or is a list with one of them.

    Attributes:
        path: names that lead to it.
        values: the values.
    """

    path: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenMethod:
    """A signed token.

    Attributes:
        name: of the provider, unique among all policies.
        issuer: what `iss` has to be.
        audiences: of which `aud` has to have one; any when empty.
        keys: where the issuer's keys come from.
        places: where the token may be.
        keep: whether the backend sees it.
        skew_s: seconds by which clocks may differ.
        scopes: all of which it has to have.
        claims: conditions, all of which must hold.
        claim_headers: (claim, lower-case header) that the backend gets.
        consumer_claim: claim that names the consumer; None when tokens speak for nobody.
    """

    name: str
    issuer: str
    audiences: tuple[str, ...]
    keys: RemoteKeys | GivenKeys
    places: Places
    keep: bool = False
    skew_s: int = 60
    scopes: tuple[str, ...] = ()
    claims: tuple[ClaimCondition, ...] = ()
    claim_headers: tuple[tuple[str, str], ...] = ()
    consumer_claim: str | None = None


Method = KeyMethod | PasswordMethod | CertificateMethod | TokenMethod
"""A way to prove who one is."""


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
        audit: whether rules and addresses only count.
    """

    policy: Key
    methods: tuple[Method, ...] = ()
    anonymous: bool = False
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    rules: tuple[AccessRule, ...] = ()
    default: Verdict = "allow"
    audit: bool = False
