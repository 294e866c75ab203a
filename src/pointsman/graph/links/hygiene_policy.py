"""HygienePolicy: which requests are taken at all, at a listener and at a gateway route."""

import hashlib
from typing import Final

from pointsman.graph.links.context import Context
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.policies import Attached, Target
from pointsman.graph.model.effects import HeaderChange
from pointsman.graph.model.hygiene import Admission, BodySchemas, Hygiene, InFlight, RouteHygiene
from pointsman.resources.codes import notes
from pointsman.resources.key import Key
from pointsman.resources.kinds.base import Duration
from pointsman.resources.kinds.hygiene_policy import (
    COMPARED_BYTES,
    AnswerHeaders,
    HygienePolicySpec,
)

KIND: Final = "HygienePolicy"
_WINDOW_S: Final = 30
_TELLING: Final = ("server", "x-powered-by", "x-aspnet-version", "x-envoy-upstream-service-time")
_RECOMMENDED: Final = (
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
)
"""As OWASP's Secure Headers Project recommends them for any application."""


def listener_hygiene(context: Context, owner: Key, port: int) -> Hygiene | None:
    """That of a listener, or else of its gateway or node."""
    found = context.policies.effective(KIND, (Target(owner, str(port)), Target(owner)))
    if found is None:
        return None
    attached = found.origins[0]
    if owner.kind == "VirtualNode" and attached.spec.trusted_hops:
        _report_hops(context, attached, owner)
    step = ("hygiene", attached.policy)
    result: Hygiene = context.memo.get(step, (attached,), lambda: _listener(attached))
    return result


def _report_hops(context: Context, attached: Attached, owner: Key) -> None:
    def build() -> Linked[None]:
        findings = Findings(attached.policy)
        message = f"{owner} takes addresses from the proxy in front of it"
        findings.add(notes.NO_EFFECT, ("spec", "trustedHops"), message)
        return linked(None, findings.problems)

    context.memo.get(("hops of node", attached.policy, owner), (attached,), build)


def route_hygiene(context: Context, route: Key) -> RouteHygiene | None:
    """That of a gateway route."""
    attached = context.policies.at(KIND, Target(route))
    if attached is None:
        return None
    step = ("hygiene of route", attached.policy)
    result: RouteHygiene = context.memo.get(step, (attached,), lambda: _route(attached))
    return result


def _listener(attached: Attached) -> Hygiene:
    spec: HygienePolicySpec = attached.spec
    times = spec.timeouts
    shedding, concurrency = spec.shedding, spec.concurrency
    return Hygiene(
        policy=attached.policy,
        routes=_route(attached),
        headers_kib=spec.max_headers_kib,
        headers=spec.max_headers,
        escaped_slashes=spec.escaped_slashes or "reject",
        path_parameters=spec.path_parameters == "keep",
        headers_ms=_ms(times.headers) if times else None,
        request_ms=_ms(times.request) if times else None,
        idle_ms=_ms(times.idle) if times else None,
        connections=spec.max_connections,
        trusted_hops=spec.trusted_hops or 0,
        admission=None
        if shedding is None
        else Admission(
            shedding.success_percent,
            shedding.window.ms // 1000 if shedding.window else _WINDOW_S,
            shedding.most_percent,
        ),
        in_flight=None
        if concurrency is None
        else InFlight(concurrency.most, concurrency.percentile),
    )


def _ms(duration: Duration | None) -> int | None:
    return None if duration is None else duration.ms


def _route(attached: Attached) -> RouteHygiene:
    spec: HygienePolicySpec = attached.spec
    answers = spec.answers or AnswerHeaders()
    hidden = dict.fromkeys(name.lower() for name in answers.hide)
    if answers.recommended:
        hidden.update(dict.fromkeys(_TELLING))
    written = {header.name.lower(): header.value for header in answers.set}
    changes = [HeaderChange("remove", name) for name in hidden if name not in written]
    changes += [HeaderChange("set", name, value) for name, value in written.items()]
    defaults = _RECOMMENDED if answers.recommended else ()
    return RouteHygiene(
        policy=attached.policy,
        max_body_bytes=spec.max_body_bytes,
        methods=tuple(sorted(spec.methods)),
        answers=tuple(changes),
        defaults=tuple(item for item in defaults if item[0] not in (*written, *hidden)),
        schemas=_schemas(attached.policy, spec),
    )


def _schemas(policy: Key, spec: HygienePolicySpec) -> BodySchemas | None:
    api = spec.openapi
    if api is None:
        return None
    told = f"{api.unknown} {api.document}"
    digest = hashlib.blake2b(told.encode(), digest_size=8).hexdigest()
    return BodySchemas(
        policy=policy,
        name=f"{policy.namespace}/{policy.name}/{digest}",
        document=api.document,
        refuses_unknown=api.unknown == "refuse",
        open=api.when_away == "allow",
        max_bytes=spec.max_body_bytes or COMPARED_BYTES,
    )
