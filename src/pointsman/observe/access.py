"""What guards make of a request, for `pointsman explain`.

Whose a key is stands in no manifest. A token carries its claims with it, so they are read here,
and its signature is left to the proxy: what is said of a token holds if it is a true one.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pointsman.graph.intent import Intent, Share
from pointsman.graph.judge import Caller, Recognise, Verdict, Wrong, judge
from pointsman.graph.model.access import Consumer
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.methods import Method, TokenMethod
from pointsman.observe.lines import Line, Piece, line
from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath

Where = Callable[[Key, FieldPath], str]
"""Where a field of an object was written, as `file:line:column`."""


def verdict(intent: Intent, share: Share | None, recognise: Recognise) -> Verdict | None:
    """What access makes of a request; None where nobody is asked anything.

    Args:
        intent: the decision.
        share: the share of the requests in question; None for the gateway route itself.
        recognise: tells whose credentials are.
    """
    access = (intent.guards if share is None else share.guards).access
    if access is None or intent.arrived is None:
        return None
    return judge(access, intent.arrived, recognise)


def reader(graph: Graph) -> Recognise:
    """Recognises what can be read: tokens, and whom they speak for."""

    def recognise(method: Method, value: str) -> Caller | Wrong | None:
        if not isinstance(method, TokenMethod):
            return None
        claims = _payload(value)
        if claims is None:
            return "no token"
        if claims.get("iss") != method.issuer:
            return f"a token of {claims.get('iss')!r}, not of {method.issuer!r}"
        if method.consumer_claim is None:
            return Caller(claims=claims)
        found = _speaks_for(graph, method, claims)
        if found is None:
            return f"a token whose {method.consumer_claim} is that of no consumer"
        return Caller(found.key, "token", found.groups, claims)

    return recognise


def _speaks_for(graph: Graph, method: TokenMethod, claims: dict[str, Any]) -> Consumer | None:
    subject = (method.issuer, str(claims.get(method.consumer_claim or "")))
    return next((item for item in graph.consumers.values() if subject in item.tokens), None)


def _payload(token: str) -> dict[str, Any] | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def verdict_json(found: Verdict | None, where: Where) -> dict[str, Any] | None:
    """A verdict as one JSON object."""
    if found is None:
        return None
    access, caller = found.access, found.caller
    return {
        "policy": access.policy.path,
        "at": where(access.policy, _decisive(found)),
        "status": found.status,
        "stage": found.stage,
        "why": found.why,
        "rule": None if found.rule is None else access.rules[found.rule].name,
        "consumer": caller.consumer and caller.consumer.path,
        "credential": caller.credential or None,
        "certain": found.certain,
        "audit": access.audit,
        "counted": found.counted,
    }


def verdict_lines(found: Verdict | None, where: Where) -> Iterator[Line]:
    """A verdict as a person would tell it."""
    if found is None:
        return
    yield line()
    if found.status is not None:
        verb = Piece(f"answers {found.status}", "error")
    elif found.counted:
        verb = Piece("counts it, and lets it pass as an audit", "warning")
    else:
        verb = Piece("lets it pass" if found.certain else "would let it pass", "good")
    yield line("  ", *_policy(found, where), verb, f": {found.why}")


def refusal_lines(verdicts: Iterable[Verdict | None], where: Where) -> Iterator[Line]:
    """Why a request is turned away."""
    for found in verdicts:
        if found is not None:
            yield line("because ", *_policy(found, where), f"turns it away: {found.why}.")
            return


def _policy(found: Verdict, where: Where) -> tuple[str | Piece, ...]:
    policy = found.access.policy
    at = where(policy, _decisive(found))
    return "access policy ", Piece(policy.path, "name"), f" ({at}) "


def _decisive(found: Verdict) -> FieldPath:
    """The field of the policy that decides."""
    if found.stage == "addresses":
        return ("spec", "sources")
    if found.rule is not None:
        return ("spec", "rules", found.rule)
    if found.stage in ("credential", "token"):
        return ("spec", "methods")
    return ("spec",)
