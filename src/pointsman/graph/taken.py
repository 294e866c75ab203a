"""Whether a request is taken at all, told from the graph alone; the rest is up to other guards."""

import re
from dataclasses import dataclass
from typing import Final

from pointsman.graph.intent import Intent
from pointsman.graph.model.gateway import hygiene_of
from pointsman.graph.model.hygiene import Hygiene, RouteHygiene
from pointsman.graph.request import Request
from pointsman.resources.key import Key

_ESCAPED: Final = re.compile(r"%(2f|5c)", re.IGNORECASE)
_DOTS: Final = re.compile(r".*/\.{1,2}(?:;|%3[Bb]).*")
_LINE_BYTES: Final = 4
"""What Envoy counts of a header beside its name and value, at most."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that is not taken.

    Attributes:
        policy: the policy that says so.
        field: the field of its spec.
        status: what is answered.
        why: the reason, in words.
    """

    policy: Key
    field: str
    status: int
    why: str


def refusal(intent: Intent, request: Request) -> Refusal | None:
    """Why a request is not taken; None when it is.

    Args:
        intent: the decision for it.
        request: the request as it arrives.
    """
    hygiene = intent.listener.hygiene
    found = None if hygiene is None else _by_listener(hygiene, request)
    if found is not None or intent.rule is None:
        return found
    rules = hygiene_of(intent.listener, intent.rule)
    return None if rules is None else _by_route(rules, request)


def _by_listener(hygiene: Hygiene, request: Request) -> Refusal | None:
    policy, path = hygiene.policy, request.path
    if hygiene.escaped_slashes == "reject" and _ESCAPED.search(path):
        return Refusal(policy, "escapedSlashes", 400, "there is an escaped slash in the path")
    if not hygiene.path_parameters and _DOTS.fullmatch(path):
        return Refusal(policy, "pathParameters", 400, "there is a `;` behind dots in the path")
    count = len(request.headers)
    if hygiene.headers is not None and count > hygiene.headers:
        return Refusal(policy, "maxHeaders", 431, f"it has {count} headers")
    size = sum(len(name) + len(value) + _LINE_BYTES for name, value in request.headers)
    if hygiene.headers_kib is not None and size > 1024 * hygiene.headers_kib:
        return Refusal(policy, "maxHeadersKib", 431, f"its headers have {size} bytes")
    return None


def _by_route(rules: RouteHygiene, request: Request) -> Refusal | None:
    preflight = request.method == "OPTIONS" and request.values("access-control-request-method")
    if rules.methods and request.method not in rules.methods and not preflight:
        taken = ", ".join(rules.methods)
        return Refusal(rules.policy, "methods", 405, f"{request.method} is none of {taken}")
    length = request.header("content-length") or ""
    most = rules.max_body_bytes
    if most is not None and length.isdecimal() and int(length) > most:
        return Refusal(rules.policy, "maxBodyBytes", 413, f"its body has {length} bytes")
    return None
