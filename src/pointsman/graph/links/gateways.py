"""Virtual gateways: listeners, and what passes through them."""

from collections.abc import Iterable
from dataclasses import replace

from pointsman.graph.links.context import Context
from pointsman.graph.links.hosts import link_hosts
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.membership import Mesh
from pointsman.graph.links.names import aws_name
from pointsman.graph.model.gateway import (
    AccessLogFile,
    Gateway,
    GatewayRule,
    Listener,
)
from pointsman.resources.codes import enforcement
from pointsman.resources.kinds.listeners import Logging
from pointsman.resources.kinds.virtual_gateway import GatewayListener, VirtualGatewaySpec
from pointsman.resources.resource import Resource


def link_gateway(
    context: Context, gateway: Resource[VirtualGatewaySpec], rules: Iterable[GatewayRule]
) -> Linked[Gateway | None]:
    """Links a gateway with the rules attached to it; the result is remembered.

    The value is None when the gateway belongs to no mesh.
    """
    findings = Findings(gateway.key)
    mesh = context.membership.mesh_of(gateway.key, gateway.spec, findings)
    listeners = _listeners(context, gateway, tuple(rules), findings) if mesh else ()
    result: Linked[Gateway | None] = context.memo.get(
        gateway.key,
        (gateway.spec, mesh, listeners, findings.problems),
        lambda: _link(gateway, mesh, listeners, findings),
    )
    return result


def _link(
    gateway: Resource[VirtualGatewaySpec],
    mesh: Mesh | None,
    listeners: tuple[Listener, ...],
    findings: Findings,
) -> Linked[Gateway | None]:
    if mesh is None:
        return linked(None, findings.problems)
    value = Gateway(
        key=gateway.key,
        mesh=mesh.node_id_name,
        name=aws_name(gateway.key, gateway.spec),
        listeners=listeners,
        access_log=_access_log(gateway.spec.logging),
    )
    return linked(value, findings.problems)


def _listeners(
    context: Context,
    gateway: Resource[VirtualGatewaySpec],
    rules: tuple[GatewayRule, ...],
    findings: Findings,
) -> tuple[Listener, ...]:
    listeners: dict[int, Listener] = {}
    refused = _refuses_backends(gateway.spec, findings)
    for index, spec in enumerate(gateway.spec.listeners):
        port = spec.port_mapping.port
        if _served(spec, index, findings):
            mine = tuple(rule for rule in rules if rule.port in (None, port))
            if refused:
                mine = tuple(replace(rule, targets=()) for rule in mine)
            hosts = link_hosts(context, (gateway.key, port), mine)
            listeners[port] = Listener(
                port, spec.port_mapping.protocol, hosts, spec.connection_pool
            )
    return tuple(listeners[port] for port in sorted(listeners))


def _served(spec: GatewayListener, index: int, findings: Findings) -> bool:
    path = ("spec", "listeners", index, "tls")
    mode = spec.tls.mode if spec.tls is not None else "DISABLED"
    if mode == "STRICT":
        message = f"listener {spec.port_mapping.port} asks for TLS, which is not available yet"
        findings.add(enforcement.TLS_NOT_SERVED, path, message)
    elif mode == "PERMISSIVE":
        message = f"listener {spec.port_mapping.port} serves plaintext only"
        findings.add(enforcement.TLS_PERMISSIVE, path, message)
    return mode != "STRICT"


def _refuses_backends(spec: VirtualGatewaySpec, findings: Findings) -> bool:
    policy = spec.backend_defaults.client_policy if spec.backend_defaults else None
    if policy is None or policy.tls is None:
        return False
    path = ("spec", "backendDefaults", "clientPolicy", "tls")
    if policy.tls.enforce:
        message = "TLS towards backends is not available yet: requests are answered 503"
        hint = "remove the policy to call backends in plaintext"
        findings.add(enforcement.CLIENT_TLS_NOT_ENFORCED, path, message, hint)
    else:
        message = "TLS towards backends is not available yet: plaintext is used"
        findings.add(enforcement.CLIENT_TLS_OPTIONAL, path, message)
    return policy.tls.enforce


def _access_log(logging: Logging | None) -> AccessLogFile | None:
    file = logging.access_log.file if logging and logging.access_log else None
    return AccessLogFile(file.path, file.format) if file else None
