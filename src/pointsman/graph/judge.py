"""Whether a request would get past the guards before a route, told from the graph alone.

This walks a policy in the order of Envoy's filters: addresses, the first method whose credential
is there, demands on a token, rules that deny, rules that allow. Whose a credential is stands in
no manifest, so a caller of this may be asked; where nobody knows, the walk goes on as if the
credential were good, and says so.
"""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, assert_never

from pointsman.graph.model.access import Access, AccessRule
from pointsman.graph.model.methods import (
    CertificateMethod,
    ClaimCondition,
    KeyMethod,
    LoginMethod,
    Method,
    OpaqueMethod,
    PasswordMethod,
    TokenMethod,
)
from pointsman.graph.request import Request, header_holds, path_holds
from pointsman.resources.key import Key

Stage = Literal["addresses", "credential", "token", "rules"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        consumer: the consumer; None for nobody.
        credential: id of the credential.
        groups: groups of the consumer.
        claims: claims of the token.
    """

    consumer: Key | None = None
    credential: str = ""
    groups: tuple[str, ...] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)


Wrong = str
"""Why a credential is not good."""
Recognise = Callable[[Method, str], "Caller | Wrong | None"]
"""Whose a credential is: a caller, why it is wrong, or None when that cannot be known here."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request at a policy of access.

    Attributes:
        access: the policy.
        status: with what it is turned away; None when it passes.
        stage: where that is decided; "rules" also for what passes.
        why: the reason, in words.
        caller: who calls, as far as that is known.
        rule: index of the rule that decides, among those of the policy.
        certain: whether nothing was assumed.
        counted: whether it would be turned away, were it not for an audit.
    """

    access: Access
    status: int | None
    stage: Stage
    why: str
    caller: Caller = field(default_factory=Caller)
    rule: int | None = None
    certain: bool = True
    counted: bool = False


Token = TokenMethod | OpaqueMethod
"""A method whose credential has claims."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A caller, and whether it is one for certain."""

    caller: Caller
    certain: bool
    how: str
    token: Token | None = None


def judge(
    access: Access, request: Request, recognise: Recognise, address: str | None = None
) -> Verdict:
    """What becomes of a request.

    Args:
        access: the policy before its route.
        request: the request as it arrives, its path normalised.
        recognise: tells whose credentials are.
        address: the client's; None when it is not known.
    """
    away = _by_address(access, address)
    if away and not access.audit:
        return Verdict(access, 403, "addresses", away)
    known = _identify(access, request, recognise)
    if isinstance(known, str):
        sent = _is_sent_to_log_in(access, request)
        return Verdict(access, 302 if sent else 401, "credential", known)
    unsure = bool(access.allow or access.deny) and address is None
    # Expressions are evaluated by proxies, and servers are asked by them.
    unsure = unsure or access.external is not None or any(rule.when for rule in access.rules)
    certain = known.certain and not unsure
    lacking = known.token and _lacking(known.token, known.caller)
    if lacking and known.certain:
        return Verdict(access, 403, "token", lacking, known.caller, None, certain)
    allowed, why, rule = _by_rules(access, request, known)
    counted = access.audit and (bool(away) or not allowed)
    status = None if allowed or access.audit else 403
    return Verdict(
        access, status, "rules", f"{known.how}; {why}", known.caller, rule, certain, counted
    )


def _by_address(access: Access, address: str | None) -> str:
    """Why an address is turned away; "" when it is not."""
    if address is None:
        return ""
    found = ipaddress.ip_address(address)
    if any(found in ipaddress.ip_network(item) for item in access.deny):
        return f"address {address} is denied"
    if access.allow and not any(found in ipaddress.ip_network(item) for item in access.allow):
        return f"address {address} is not among those allowed"
    return ""


def _identify(access: Access, request: Request, recognise: Recognise) -> "_Known | Wrong":
    both = any(isinstance(method, OpaqueMethod) for method in access.methods)
    for method in access.methods:
        for place, value in carried(method, request):
            if both and not _is_of(method, value):
                continue
            return _recognised(method, place, value, recognise)
    login = _login(access)
    if login is not None and any(_session(request, login)):
        return _Known(Caller(), False, "the session of the browser is taken for good", login.token)
    if login is not None:
        return "there is no session"
    if not access.methods:
        return _Known(Caller(), True, "nobody is asked who calls")
    if access.anonymous:
        return _Known(Caller(), True, "there is no credential, and none is needed")
    return "there is no credential"


def _is_of(method: Method, value: str) -> bool:
    """Whether a token has the form of its method, where there are signed and opaque ones."""
    signed = value.count(".") == 2
    match method:
        case TokenMethod():
            return signed
        case OpaqueMethod():
            return not signed
    return True


def _login(access: Access) -> LoginMethod | None:
    return next((item for item in access.methods if isinstance(item, LoginMethod)), None)


def _session(request: Request, login: LoginMethod) -> Iterator[str]:
    return (value for name in login.token.places.cookies for value in _cookie(request, name))


def _is_sent_to_log_in(access: Access, request: Request) -> bool:
    """Whether a page is asked for without a session, and nothing was shown that is wrong."""
    shown = any(True for method in access.methods for _ in carried(method, request))
    page = request.method in ("GET", "HEAD") and "text/html" in (request.header("accept") or "")
    return page and not shown and _login(access) is not None


def _recognised(method: Method, place: str, value: str, recognise: Recognise) -> "_Known | Wrong":
    token = method if isinstance(method, TokenMethod | OpaqueMethod) else None
    found = recognise(method, value)
    match found:
        case None:
            return _Known(Caller(), False, f"what is in {place} is taken for good", token)
        case Caller():
            who = found.consumer.path if found.consumer else "nobody known by name"
            by = f" ({found.credential})" if found.credential else ""
            return _Known(found, True, f"{place} tells that {who}{by} calls", token)
        case str():
            return f"what is in {place} is {found}"
        case _:
            assert_never(found)


def carried(method: Method, request: Request) -> Iterator[tuple[str, str]]:
    """Credentials of a method in a request, with the places they are in, in the order tried."""
    match method:
        case PasswordMethod():
            basic = request.header("authorization") or ""
            if basic.startswith("Basic "):
                yield "header authorization", basic
        case CertificateMethod() | LoginMethod():
            return
        case OpaqueMethod():
            yield from _in_headers(method.headers, request)
        case KeyMethod() | TokenMethod():
            yield from _in_headers(method.places.headers, request)
            for name in method.places.query:
                value = request.query(name)
                if value is not None:
                    yield f"query parameter {name}", value
            for name in method.places.cookies:
                for value in _cookie(request, name):
                    yield f"cookie {name}", value
        case _:
            assert_never(method)


def _in_headers(names: tuple[str, ...], request: Request) -> Iterator[tuple[str, str]]:
    for name in names:
        values = request.values(name)
        if not values:
            continue
        value = values[0]
        if name == "authorization" and not value.startswith("Bearer "):
            continue
        yield f"header {name}", value.removeprefix("Bearer ").strip()


def _cookie(request: Request, name: str) -> Iterator[str]:
    for part in ";".join(request.values("cookie")).split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            yield value


def _lacking(token: Token, caller: Caller) -> str:
    """What a token does not have; "" when it has all."""
    for scope in token.scopes:
        if not has_scope(caller, scope):
            return f"the token lacks scope {scope}"
    for claim in token.claims:
        if not has_claim(caller, claim):
            return f"the token's {'.'.join(claim.path)} is none of {', '.join(claim.values)}"
    return ""


def has_scope(caller: Caller, scope: str) -> bool:
    """Whether a token has a scope."""
    return any(
        has_claim(caller, ClaimCondition((name,), (scope,)), spaced=True)
        for name in ("scope", "scp")
    )


def has_claim(caller: Caller, condition: ClaimCondition, *, spaced: bool = False) -> bool:
    """Whether a claim, or an element of it, has one of the values; `spaced` splits texts."""
    value: Any = caller.claims
    for name in condition.path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if spaced and isinstance(value, str):
        value = value.split()
    found = value if isinstance(value, list) else [value]
    return any(_as_text(item) in condition.values for item in found)


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int) else None


def _by_rules(access: Access, request: Request, known: _Known) -> tuple[bool, str, int | None]:
    """Whether rules let a request pass, why, and which one decides.

    What a rule says of a caller nobody knows is taken for granted where it allows.
    """
    holding = [
        (index, rule)
        for index, rule in enumerate(access.rules)
        if _concerns(rule, request)
        and (_fits(rule, known.caller) if known.certain else rule.action == "allow")
        and (rule.when is None or rule.action == "allow")
    ]
    for action in ("deny", "allow"):
        for index, rule in holding:
            if rule.action == action and (action == "deny" or access.default == "deny"):
                verb = "denies" if action == "deny" else "allows"
                sure = rule.when is None and (known.certain or not _asks_who(rule))
                may = verb if sure else "may allow"
                return action == "allow", f"rule {rule.name} {may} it", index
    if access.default == "allow":
        return True, "no rule denies it", None
    return False, "no rule allows it", None


def _asks_who(rule: AccessRule) -> bool:
    return bool(rule.consumers or rule.groups or rule.scopes or rule.claims)


def _fits(rule: AccessRule, caller: Caller) -> bool:
    """Whether a rule is for a caller."""
    return (
        (not rule.consumers or caller.consumer in rule.consumers)
        and (not rule.groups or bool(set(rule.groups) & set(caller.groups)))
        and all(has_scope(caller, scope) for scope in rule.scopes)
        and all(has_claim(caller, claim) for claim in rule.claims)
    )


def _concerns(rule: AccessRule, request: Request) -> bool:
    """Whether a rule is for a request, whoever sends it."""
    return (
        (not rule.methods or request.method in rule.methods)
        and (not rule.paths or any(path_holds(path, request.path) for path in rule.paths))
        and all(header_holds(item, request.values(item.name)) for item in rule.headers)
    )
