"""Proxies of virtual nodes: what reaches the application, and what the application reaches."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pointsman.graph.links.access_reach import check_certificates
from pointsman.graph.links.backends import NamedBackend, named_backends
from pointsman.graph.links.certificates import CertificateMap
from pointsman.graph.links.context import Context
from pointsman.graph.links.discovery import discovery_name, ip_preference
from pointsman.graph.links.guards import listener_guards
from pointsman.graph.links.hygiene_policy import listener_hygiene
from pointsman.graph.links.in_force import InForce
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.listener_policy import link_extras
from pointsman.graph.links.logging import access_log
from pointsman.graph.links.membership import Mesh
from pointsman.graph.links.mesh_tls import issued_tls, node_policy, report_issued
from pointsman.graph.links.names import aws_name
from pointsman.graph.links.no_requests import report_tcp
from pointsman.graph.links.policies import Effective, Target
from pointsman.graph.links.routes import http_timeouts
from pointsman.graph.links.services import link_service, service_listeners
from pointsman.graph.links.tcp import link_tcp_service
from pointsman.graph.links.telemetry_policy import proxy_telemetry
from pointsman.graph.links.tls import REFUSED, client_tls, server_tls
from pointsman.graph.links.unreachable import unreachable
from pointsman.graph.model.guards import NO_GUARDS, Guards
from pointsman.graph.model.hygiene import Hygiene
from pointsman.graph.model.listener import Extras
from pointsman.graph.model.node_id import node_id
from pointsman.graph.model.route import Service, Timeouts
from pointsman.graph.model.sidecar import (
    OWN_PORT,
    EgressPort,
    HttpBackend,
    IngressListener,
    Sidecar,
    TcpBackend,
)
from pointsman.graph.model.telemetry import Telemetry
from pointsman.graph.model.tls import ServerTls
from pointsman.resources.codes import routing
from pointsman.resources.key import Key
from pointsman.resources.kinds.virtual_node import ListenerTimeout, NodeListener, VirtualNodeSpec
from pointsman.resources.origin import FieldPath
from pointsman.resources.resource import Resource

Policies = Mapping[int, Effective | None]
"""MeshTLS policies of a node's listeners, by port."""


def link_sidecar(
    context: Context, node: Resource[VirtualNodeSpec], in_force: InForce
) -> Linked[Sidecar | None]:
    """Links the proxy of a virtual node; the result is remembered.

    The value is None when the node belongs to no mesh, or its name inside App Mesh is taken; what
    is wrong then is reported where the node is linked as a target.
    """
    mesh = context.mesh_of(node.key, node.spec)
    findings = Findings(node.key)
    egress: tuple[EgressPort, ...] = ()
    if mesh is not None:
        backends = named_backends(context, node, mesh, findings)
        egress = _egress(context, backends, mesh, in_force, findings)
    taken = node.key in context.owners
    certificates = context.certificates
    policies = {
        item.port_mapping.port: node_policy(context, node.key, item.port_mapping.port, mesh.key)
        for item in node.spec.listeners
        if mesh is not None
    }
    extras = {
        item.port_mapping.port: link_extras(
            context, node.key, item.port_mapping.port, item.port_mapping.protocol
        ).value
        for item in node.spec.listeners
    }
    guards = {
        item.port_mapping.port: _guards(context, node.key, item) for item in node.spec.listeners
    }
    hygiene = {
        item.port_mapping.port: listener_hygiene(context, node.key, item.port_mapping.port)
        for item in node.spec.listeners
        if item.port_mapping.protocol != "tcp"
    }
    home = None if taken else mesh
    telemetry = proxy_telemetry(context, node.key, mesh.key if mesh else None)
    result: Linked[Sidecar | None] = context.memo.get(
        ("sidecar", node.key),
        (
            node.spec,
            mesh,
            certificates,
            policies,
            extras,
            guards,
            hygiene,
            egress,
            taken,
            telemetry,
            tuple(findings.problems),
        ),
        lambda: _completed(
            _link(node, home, certificates, policies, extras, guards, egress, findings),
            hygiene,
            telemetry,
        ),
    )
    for item in result.value.ingress if result.value is not None else ():
        check_certificates(context, node.key, item.port, item.tls, (item.guards,))
    return result


def _completed(
    found: Linked[Sidecar | None],
    hygiene: Mapping[int, Hygiene | None],
    telemetry: Telemetry | None,
) -> Linked[Sidecar | None]:
    """The proxy with what its ports take at all, and what it tells a collector."""
    if found.value is None:
        return found
    ingress = tuple(replace(item, hygiene=hygiene.get(item.port)) for item in found.value.ingress)
    return replace(found, value=replace(found.value, ingress=ingress, telemetry=telemetry))


def _guards(context: Context, node: Key, listener: NodeListener) -> Guards:
    """What stands before a port of the application; TCP has no requests to guard."""
    port = listener.port_mapping.port
    if listener.port_mapping.protocol == "tcp":
        report_tcp(context, node, Target(node, str(port)), Target(node))
        return NO_GUARDS
    return listener_guards(context, node, port).value


def _link(
    node: Resource[VirtualNodeSpec],
    mesh: Mesh | None,
    certificates: CertificateMap,
    policies: Policies,
    extras: Mapping[int, Extras],
    guards: Mapping[int, Guards],
    egress: tuple[EgressPort, ...],
    findings: Findings,
) -> Linked[Sidecar | None]:
    if mesh is None:
        return linked(None, findings.problems)
    name = aws_name(node.key, node.spec)
    proxies = node_id(mesh.node_id_name, node.key.kind, name)
    sidecar = Sidecar(
        key=node.key,
        mesh=mesh.node_id_name,
        mesh_name=mesh.name,
        name=name,
        hostname=discovery_name(node.spec),
        ingress=_ingress(node.spec, proxies, certificates, policies, extras, guards, findings),
        egress=egress,
        open=mesh.is_open,
        ip_preference=ip_preference(node.spec, mesh),
        access_log=access_log(node.spec.logging),
    )
    return linked(sidecar, findings.problems)


def _ingress(
    spec: VirtualNodeSpec,
    proxies: str,
    certificates: CertificateMap,
    policies: Policies,
    extras: Mapping[int, Extras],
    guards: Mapping[int, Guards],
    findings: Findings,
) -> tuple[IngressListener, ...]:
    """Ports of the application; one whose certificate is not to be had is not served."""
    listeners: dict[int, IngressListener] = {}
    for index, listener in enumerate(spec.listeners):
        port = listener.port_mapping.port
        path: FieldPath = ("spec", "listeners", index)
        if port in listeners:
            where = (*path, "portMapping", "port")
            findings.add(routing.SAME_PORT, where, f"port {port} is used by two listeners")
            continue
        own = server_tls(certificates, listener.tls, (*path, "tls"), findings)
        issued = issued_tls(proxies, certificates.trust_domain, policies[port])
        report_issued(own, issued, policies[port], path, findings)
        tls = own or issued
        if tls is None or tls.certificate is not None:
            listeners[port] = _listener(listener, tls, extras[port], guards[port])
    return tuple(listeners[port] for port in sorted(listeners))


def _listener(
    listener: NodeListener, tls: ServerTls | None, extras: Extras, guards: Guards
) -> IngressListener:
    mapping = listener.port_mapping
    return IngressListener(
        mapping.port,
        mapping.protocol,
        _timeouts(listener.timeout),
        listener.connection_pool,
        tls,
        extras,
        guards,
    )


def _timeouts(timeout: ListenerTimeout | None) -> Timeouts:
    if timeout is None:
        return Timeouts()
    if timeout.tcp is not None:
        idle = timeout.tcp.idle
        return Timeouts(idle_ms=None if idle is None else idle.ms)
    return http_timeouts(timeout.http or timeout.http2 or timeout.grpc)


def _egress(
    context: Context,
    backends: tuple[NamedBackend, ...],
    mesh: Mesh,
    in_force: InForce,
    findings: Findings,
) -> tuple[EgressPort, ...]:
    http: dict[int, list[HttpBackend]] = {}
    tcp: dict[int, tuple[TcpBackend, ...]] = {}
    for backend in backends:
        policy, path = backend.policy or (None, ())
        tls = client_tls(context.certificates, policy, path, findings)
        for port, found in _services(context, backend.service, mesh, in_force):
            if port == OWN_PORT:
                message = f"{backend.service} is not called on port {port}, which is the proxy's"
                findings.add(routing.PROXY_PORT, backend.path, message)
                continue
            service, own = (unreachable(found), None) if tls is REFUSED else (found, tls)
            if isinstance(service, TcpBackend):
                service = replace(service, tls=own)
                tcp[port] = _with_tcp(port, tcp.get(port, ()), service, backend, findings)
            else:
                http.setdefault(port, []).append(HttpBackend(service, own))
    return tuple(
        _port(port, tuple(http.get(port, ())), tcp.get(port, ()), findings)
        for port in sorted({*http, *tcp})
    )


def _port(
    port: int,
    http: tuple[HttpBackend, ...],
    tcp: tuple[TcpBackend, ...],
    findings: Findings,
) -> EgressPort:
    """What is called on a port; HTTP services take what TCP services leave to no address."""
    rest = tcp[-1] if tcp and not tcp[-1].addresses else None
    if http and rest is not None:
        message = f"{rest.key} shares port {port} with {http[0].service.key}"
        findings.add(routing.MIXED_PORT, ("spec", "backends"), message)
        tcp = tcp[:-1]
    return EgressPort(port, http, tcp)


def _services(
    context: Context, key: Key, mesh: Mesh, in_force: InForce
) -> Iterator[tuple[int, Service | TcpBackend]]:
    """A service on each of its ports, or as it last was when an error hides them.

    Nothing when another one has its name.
    """
    service = context.resources.get(key)
    if service is None:
        yield from in_force.lost(context, mesh, key)
        return
    if key in context.owners:
        return
    mappings = service_listeners(context, service)
    if not mappings and link_service(context, service, None).broken:
        yield from in_force.lost(context, mesh, key)
    for mapping in mappings:
        port = mapping.port
        if mapping.protocol == "tcp":
            tcp = link_tcp_service(context, service, port)
            yield port, in_force.settle(context, mesh, port, tcp)
        else:
            http = link_service(context, service, port)
            yield port, in_force.settle(context, mesh, port, http)


def _with_tcp(
    port: int,
    others: tuple[TcpBackend, ...],
    tcp: TcpBackend,
    backend: NamedBackend,
    findings: Findings,
) -> tuple[TcpBackend, ...]:
    """TCP services of a port with one more, as far as its addresses are not taken."""
    for other in others:
        taken = set(other.addresses).intersection(tcp.addresses)
        if taken or not (other.addresses or tcp.addresses):
            what = f"{sorted(taken)[0]} at" if taken else "every connection to"
            message = f"{other.key} takes {what} port {port}"
            findings.add(routing.SHADOWED_PORT, backend.path, message)
            left = tuple(item for item in tcp.addresses if item not in taken)
            if not left:
                return others
            tcp = replace(tcp, addresses=left)
    by_address = [item for item in (*others, tcp) if item.addresses]
    rest = [item for item in (*others, tcp) if not item.addresses]
    return (*by_address, *rest)
