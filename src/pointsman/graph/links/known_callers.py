"""Limits and numbers that go by who calls, where nobody is asked.

Which policies of access and of limits meet is known only where all stages have met: at the routes
of gateways, and at the listeners of nodes.
"""

from collections.abc import Iterable, Iterator

from pointsman.graph.links import rate_limit_policy, telemetry_policy
from pointsman.graph.links.context import Context
from pointsman.graph.model.access import Access
from pointsman.graph.model.gateway import Gateway, GatewayRule, Listener
from pointsman.graph.model.guards import Guards, nearest
from pointsman.graph.model.limits import KeyKind, Limit
from pointsman.graph.model.methods import tells_consumer
from pointsman.graph.model.sidecar import Sidecar
from pointsman.resources.codes import access as codes
from pointsman.resources.codes.telemetry import NOBODY_COUNTED
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem

_OF_CALLERS = frozenset({KeyKind.CONSUMER, KeyKind.CREDENTIAL, KeyKind.GROUPS})


def check_callers(context: Context, gateways: Iterable[Gateway]) -> Iterator[Problem]:
    """Says of each such limit where it is so, once."""
    if not context.policies.by_kind.get(rate_limit_policy.KIND):
        return
    told: set[tuple[Key, str]] = set()
    for gateway in gateways:
        for listener in gateway.listeners:
            for rule in listener.rules:
                for guards in _guards(listener, rule):
                    yield from _check(guards, rule.key, told)


def check_counted(
    context: Context, gateways: Iterable[Gateway], sidecars: Iterable[Sidecar]
) -> Iterator[Problem]:
    """Says of each TelemetryPolicy that counts consumers where no proxy of its knows any."""
    if not context.policies.by_kind.get(telemetry_policy.KIND):
        return
    known: dict[Key, bool] = {}
    proxies: Iterable[Gateway | Sidecar] = (*gateways, *sidecars)
    for proxy in proxies:
        telemetry = proxy.telemetry
        if telemetry is not None and telemetry.consumers and not known.get(telemetry.policy):
            known[telemetry.policy] = any(_tells(item.access) for item in _guards_of(proxy))
    for policy, tells in sorted(known.items()):
        if not tells:
            message = "no AccessPolicy where this counts has a method that tells the consumer"
            yield Problem(NOBODY_COUNTED, message, "", key=policy, path=("spec", "consumers"))


def _guards_of(proxy: Gateway | Sidecar) -> Iterator[Guards]:
    if isinstance(proxy, Sidecar):
        yield from (listener.guards for listener in proxy.ingress)
        return
    for listener in proxy.listeners:
        yield listener.guards
        for rule in listener.rules:
            yield from _guards(listener, rule)


def _guards(listener: Listener, rule: GatewayRule) -> Iterator[Guards]:
    for target in rule.targets:
        for route in target.service.routes:
            yield nearest(route.guards, rule.guards, listener.guards)


def _check(guards: Guards, rule: Key, told: set[tuple[Key, str]]) -> Iterator[Problem]:
    if guards.limits is None or _tells(guards.access):
        return
    policy = guards.limits.policy
    for index, limit in enumerate(guards.limits.limits):
        if _goes_by_callers(limit) and (policy, limit.name) not in told:
            told.add((policy, limit.name))
            message = f"limit {limit.name} goes by who calls, and nobody is asked at {rule}"
            hint = "attach an AccessPolicy with a method that tells the consumer"
            path = ("spec", "limits", index)
            yield Problem(codes.NOBODY_ASKED, message, hint, key=policy, path=path)


def _goes_by_callers(limit: Limit) -> bool:
    return bool(limit.overrides) or any(item.kind in _OF_CALLERS for item in limit.by)


def _tells(access: Access | None) -> bool:
    """Whether a policy finds out which consumer calls."""
    methods = access.methods if access is not None else ()
    return any(tells_consumer(method) for method in methods)
