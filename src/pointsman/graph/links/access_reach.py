"""Whether AccessPolicies can do what they say where they are: said as problems of the policies."""

from collections.abc import Iterable, Iterator, Mapping

from pointsman.graph.compose import compose
from pointsman.graph.guarded import guards_at
from pointsman.graph.links.access_policy import KIND
from pointsman.graph.links.context import Context
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.policies import Attached
from pointsman.graph.model.access import Access
from pointsman.graph.model.gateway import GatewayRule, Listener
from pointsman.graph.model.guards import Guards
from pointsman.graph.model.methods import CertificateMethod, LoginMethod
from pointsman.graph.model.tls import ServerTls
from pointsman.resources.codes import access as codes
from pointsman.resources.key import Key

_BY_GATEWAYS = ("VirtualService", "VirtualRouter")


def check_reach(context: Context, rules: Mapping[Key, GatewayRule]) -> None:
    """Notes each policy of what no gateway route leads to: nobody enforces it.

    Args:
        context: what is linked.
        rules: all gateway routes there are.
    """
    attached = context.policies.by_kind.get(KIND, {})
    found = [item for item in attached.values() if item.target.key.kind in _BY_GATEWAYS]
    if not found:
        return
    services = [target.service for rule in rules.values() for target in rule.targets]
    reached = {service.key for service in services} | {service.router for service in services}
    for item in found:
        if item.target.key not in reached:
            _report_unreached(context, item)


def _report_unreached(context: Context, attached: Attached) -> None:
    def build() -> Linked[None]:
        findings = Findings(attached.policy)
        findings.add(
            codes.NOT_ENFORCED,
            attached.path,
            f"no gateway route leads to {attached.target.key}",
            "attach the policy to a virtual node to guard it from whoever calls",
        )
        return linked(None, findings.problems)

    context.memo.get(("access unreached", attached.policy, attached.target), (attached,), build)


def check_listener(context: Context, owner: Key, listener: Listener) -> None:
    """Notes what policies before a gateway's listener and its rules cannot do there."""
    if not context.policies.by_kind.get(KIND):
        return
    check_certificates(context, owner, listener.port, listener.tls, guards_at(listener))
    for rule in listener.rules:
        for access in _late_logins(rule):
            _report_late(context, access, rule)


def check_certificates(
    context: Context, owner: Key, port: int, tls: ServerTls | None, guards: Iterable[Guards]
) -> None:
    """Notes policies that go by client certificates where none are asked for."""
    if tls is not None and tls.trust is not None:
        return
    policies = {
        access.policy: access.methods.index(CertificateMethod())
        for access in (item.access for item in guards)
        if access is not None and CertificateMethod() in access.methods
    }
    for policy, index in policies.items():
        _report_certificates(context, policy, index, f"port {port} of {owner}")


def _report_certificates(context: Context, policy: Key, index: int, where: str) -> None:
    def build() -> Linked[None]:
        findings = Findings(policy)
        findings.add(
            codes.NO_CERTIFICATES,
            ("spec", "methods", index, "certificate"),
            f"{where} asks for no client certificates",
            "add `tls.validation` to the listener, or a MeshTLS",
        )
        return linked(None, findings.problems)

    context.memo.get(("access certificates", policy, where), (index,), build)


def _late_logins(rule: GatewayRule) -> Iterator[Access]:
    """Policies of routes that are known in the second pass only, and want logins."""
    for target in rule.targets:
        for route in target.service.routes:
            access = route.guards.access
            if access is None or not any(isinstance(m, LoginMethod) for m in access.methods):
                continue
            if compose(rule, target.service) is None:
                yield access


def _report_late(context: Context, access: Access, rule: GatewayRule) -> None:
    def build() -> Linked[None]:
        findings = Findings(access.policy)
        message = f"behind {rule.key}, whose path is rewritten before routes are matched"
        hint = f"attach the policy to {rule.key}"
        findings.add(codes.LOGIN_BEHIND_REWRITE, ("spec", "targetRefs"), message, hint)
        return linked(None, findings.problems)

    context.memo.get(("access late", access.policy, rule.key), (access,), build)
