"""Virtual gateways: listeners, and the virtual hosts their rules form."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from pointsman.graph.links.access_reach import check_listener
from pointsman.graph.links.authorization_server import check_front, front_of, with_front
from pointsman.graph.links.context import Context
from pointsman.graph.links.guards import listener_guards
from pointsman.graph.links.hygiene_policy import listener_hygiene
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.listener_policy import link_extras
from pointsman.graph.links.logging import access_log
from pointsman.graph.links.membership import Mesh
from pointsman.graph.links.mesh_tls import gateway_policy, issued_tls, report_issued
from pointsman.graph.links.names import aws_name
from pointsman.graph.links.telemetry_policy import proxy_telemetry
from pointsman.graph.links.tls import REFUSED, Refused, client_tls, server_tls
from pointsman.graph.links.traces_reach import check_traces
from pointsman.graph.links.version_policy import check_defaults
from pointsman.graph.model.gateway import (
    ANY_HOST,
    Domain,
    Gateway,
    GatewayRule,
    Listener,
    VirtualHost,
)
from pointsman.graph.model.match import RequestMatch, precedence
from pointsman.graph.model.node_id import node_id
from pointsman.graph.model.telemetry import Telemetry
from pointsman.graph.model.tls import ClientTls
from pointsman.resources.codes import access, enforcement, routing
from pointsman.resources.key import Key
from pointsman.resources.kinds.virtual_gateway import VirtualGatewaySpec
from pointsman.resources.origin import FieldPath
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource


def link_gateway(
    context: Context, gateway: Resource[VirtualGatewaySpec], rules: Iterable[GatewayRule]
) -> Linked[Gateway | None]:
    """Links a gateway with the rules attached to it; the result is remembered.

    The value is None when the gateway belongs to no mesh.
    """
    findings = Findings(gateway.key)
    mesh = context.membership.mesh_of(gateway.key, gateway.spec, findings)
    tls = _client_tls(context, gateway.spec, findings)
    listeners: tuple[Listener, ...] = ()
    if mesh:
        refused = _is_closed(context, gateway.key, findings) or tls is REFUSED
        listeners = _listeners(context, gateway, mesh, tuple(rules), refused, findings)
    telemetry = proxy_telemetry(context, gateway.key, mesh.key if mesh else None)
    asked = None if tls is REFUSED else tls
    result: Linked[Gateway | None] = context.memo.get(
        gateway.key,
        (gateway.spec, mesh, listeners, tls, telemetry, findings.problems),
        lambda: _link(gateway, mesh, listeners, asked, telemetry, findings),
    )
    return result


def _is_closed(context: Context, key: Key, findings: Findings) -> bool:
    """Whether nobody knows who may call."""
    policies = [policy for policy in sorted(context.closed) if policy.namespace == key.namespace]
    for policy in policies:
        message = f"requests are answered 503 until {policy} can be read: it may protect them"
        findings.add(access.CLOSED, ("spec",), message, "mend its errors, or remove it")
    return bool(policies)


def _link(
    gateway: Resource[VirtualGatewaySpec],
    mesh: Mesh | None,
    listeners: tuple[Listener, ...],
    tls: ClientTls | None,
    telemetry: Telemetry | None,
    findings: Findings,
) -> Linked[Gateway | None]:
    if mesh is None:
        return linked(None, findings.problems)
    value = Gateway(
        key=gateway.key,
        mesh=mesh.node_id_name,
        name=aws_name(gateway.key, gateway.spec),
        listeners=listeners,
        access_log=access_log(gateway.spec.logging),
        tls=tls,
        telemetry=telemetry,
    )
    return linked(value, findings.problems)


def _listeners(
    context: Context,
    gateway: Resource[VirtualGatewaySpec],
    mesh: Mesh,
    rules: tuple[GatewayRule, ...],
    refused: bool,
    findings: Findings,
) -> tuple[Listener, ...]:
    listeners: dict[int, Listener] = {}
    name = aws_name(gateway.key, gateway.spec)
    proxies = node_id(mesh.node_id_name, gateway.key.kind, name)
    for index, spec in enumerate(gateway.spec.listeners):
        port = spec.port_mapping.port
        if port in listeners:
            findings.add(
                routing.SAME_PORT,
                ("spec", "listeners", index, "portMapping", "port"),
                f"port {port} is used by two listeners",
            )
            continue
        path = ("spec", "listeners", index)
        own = server_tls(context.certificates, spec.tls, (*path, "tls"), findings)
        policy = gateway_policy(context, gateway.key, port)
        issued = issued_tls(proxies, context.certificates.trust_domain, policy)
        report_issued(own, issued, policy, path, findings)
        tls = own or issued
        if tls is None or tls.certificate is not None:
            mine = tuple(rule for rule in rules if rule.port in (None, port))
            if refused:
                mine = tuple(replace(rule, targets=()) for rule in mine)
            hosts = _hosts(context, (gateway.key, port), mine)
            _note_isolation(context, hosts)
            protocol = spec.port_mapping.protocol
            extras = link_extras(context, gateway.key, port, protocol).value
            guards = listener_guards(context, gateway.key, port).value
            hygiene = listener_hygiene(context, gateway.key, port)
            pool = spec.connection_pool
            front = front_of(context.policies, context.servers, gateway.key, port)
            findings.problems.extend(check_front(front, hosts))
            hosts = with_front(hosts, front)
            listener = Listener(port, protocol, hosts, pool, tls, extras, guards, hygiene, front)
            check_listener(context, gateway.key, listener)
            check_traces(context, gateway.key, listener)
            listeners[port] = listener
    return tuple(listeners[port] for port in sorted(listeners))


def _client_tls(
    context: Context, spec: VirtualGatewaySpec, findings: Findings
) -> ClientTls | Refused | None:
    policy = spec.backend_defaults.client_policy if spec.backend_defaults else None
    path: FieldPath = ("spec", "backendDefaults", "clientPolicy")
    tls = client_tls(context.certificates, policy, path, findings)
    if tls is not None and context.given.bare and context.given.by_node:
        message = "demo backends are called in plaintext, whatever the policy says"
        findings.add(enforcement.BARE_BACKEND, (*path, "tls"), message)
    return tls


def _hosts(
    context: Context, listener: tuple[Key, int], rules: tuple[GatewayRule, ...]
) -> tuple[VirtualHost, ...]:
    by_domain: dict[Domain, list[GatewayRule]] = {}
    for rule in rules:
        by_domain.setdefault(rule.domain, []).append(rule)
    return tuple(
        _host(context, listener, domain, tuple(by_domain[domain])) for domain in sorted(by_domain)
    )


def _host(
    context: Context, listener: tuple[Key, int], domain: Domain, rules: tuple[GatewayRule, ...]
) -> VirtualHost:
    result: Linked[VirtualHost] = context.memo.get(
        (*listener, domain), rules, lambda: _ordered(domain, tuple(sorted(rules, key=_order)))
    )
    return result.value


def _ordered(domain: Domain, rules: tuple[GatewayRule, ...]) -> Linked[VirtualHost]:
    """A host, and a word on each rule that another one with the same match hides."""
    first: dict[RequestMatch, GatewayRule] = {}
    problems = []
    for rule in rules:
        twin = first.setdefault(rule.match, rule)
        if twin is not rule:
            message = f"the route is never reached: {twin.key} has the same match"
            hint = "remove one of them"
            problems.append(Problem(routing.SAME_MATCH, message, hint, rule.key, ("spec",)))
    problems.extend(check_defaults(rules))
    return Linked(VirtualHost(domain, rules), tuple(problems))


def _note_isolation(context: Context, hosts: tuple[VirtualHost, ...]) -> None:
    """Notes each host whose own rules hide the rules without a host."""
    if not any(host.domain == ANY_HOST for host in hosts):
        return
    for host in hosts:
        if host.domain != ANY_HOST:
            first = host.rules[0]
            context.memo.get(("isolated", first.key), (first,), _isolation_of(first))


def _isolation_of(rule: GatewayRule) -> Callable[[], Linked[None]]:
    return lambda: _isolation(rule)


def _isolation(rule: GatewayRule) -> Linked[None]:
    findings = Findings(rule.key)
    findings.add(
        routing.HOST_ISOLATION,
        ("spec",),
        f"requests for {rule.domain} no longer see the routes without a hostname",
        "repeat those that should serve it with this hostname",
    )
    return linked(None, findings.problems)


def _order(rule: GatewayRule) -> tuple[object, ...]:
    return precedence(rule.priority, rule.match, rule.key.path)
