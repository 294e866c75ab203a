"""Whether shares of traces that RoutePolicies ask for can count: said as problems of the policies.

Whether a request is traced is decided where it comes in. A route that is known only later, in the
second pass or behind the listener of a connection pool, cannot have a say.
"""

from collections.abc import Iterator

from pointsman.graph.compose import compose
from pointsman.graph.links.context import Context
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.route_policy import KIND
from pointsman.graph.model.gateway import GatewayRule, Listener
from pointsman.resources.codes import telemetry as codes
from pointsman.resources.key import Key


def check_traces(context: Context, owner: Key, listener: Listener) -> None:
    """Notes each policy whose share does not count at a gateway's listener."""
    attached = context.policies.by_kind.get(KIND, {}).values()
    asking = {item.policy for item in attached if item.spec.traces is not None}
    if not asking:
        return
    for rule in listener.rules:
        if listener.pool is not None:
            where = f"behind the connection pool of port {listener.port} of {owner}"
            hint = "the share of the TelemetryPolicy counts"
            late = {*_routes(rule), *([rule.override.policy] if rule.override else [])}
        else:
            where = f"behind {rule.key}, whose path is rewritten before routes are matched"
            hint = f"attach a RoutePolicy to {rule.key}"
            late = {*_late(rule)}
        for policy in sorted(late & asking):
            _report(context, policy, where, hint)


def _routes(rule: GatewayRule) -> Iterator[Key]:
    for target in rule.targets:
        for route in target.service.routes:
            yield from route.policies


def _late(rule: GatewayRule) -> Iterator[Key]:
    for target in rule.targets:
        policies = {policy for route in target.service.routes for policy in route.policies}
        if policies and compose(rule, target.service) is None:
            yield from policies


def _report(context: Context, policy: Key, where: str, hint: str) -> None:
    def build() -> Linked[None]:
        findings = Findings(policy)
        findings.add(codes.LATE, ("spec", "traces"), where, hint)
        return linked(None, findings.problems)

    context.memo.get(("traces late", policy, where), (), build)
