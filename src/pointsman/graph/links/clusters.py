"""Virtual nodes as routes see them: one cluster for each of their ports."""

from dataclasses import dataclass, replace

from pointsman.graph.links.backend_policy import Balanced, link_balancing
from pointsman.graph.links.context import Context
from pointsman.graph.links.discovery import discovery_name, discovery_of, ip_preference
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.membership import Mesh
from pointsman.graph.links.mesh_tls import issued_tls, node_policy
from pointsman.graph.links.names import aws_name, report_taken
from pointsman.graph.links.policies import Effective
from pointsman.graph.links.tls import known_tls
from pointsman.graph.model.cluster import Address, Cluster
from pointsman.graph.model.node_id import node_id
from pointsman.graph.model.tls import ServerTls
from pointsman.resources.codes import enforcement, routing
from pointsman.resources.key import Key
from pointsman.resources.kinds.listeners import HealthCheck
from pointsman.resources.kinds.virtual_node import (
    NodeListener,
    VirtualNodeSpec,
)
from pointsman.resources.resource import Resource


@dataclass(frozen=True, slots=True)
class Node:
    """A virtual node.

    Attributes:
        key: the virtual node.
        mesh: its mesh, when it has one.
        clusters: by port.
    """

    key: Key
    mesh: Key | None
    clusters: dict[int, Cluster]


def link_node(context: Context, node: Resource[VirtualNodeSpec]) -> Linked[Node]:
    """Links a virtual node; the result is remembered."""
    seen: Linked[Node] | None = context.memo.seen(node.key)
    if seen is not None:
        return seen
    given = tuple(_given(context, node.key, node.spec, item) for item in node.spec.listeners)
    policies = tuple(_policy(context, node, item) for item in node.spec.listeners)
    bare = tuple(_is_bare(context, node, index) for index in range(len(given)))
    balanced = tuple(_balanced(context, node, item) for item in node.spec.listeners)
    owner = context.owners.get(node.key)
    result: Linked[Node] = context.memo.get(
        node.key,
        (
            node.spec,
            context.membership,
            given,
            bare,
            policies,
            balanced,
            owner,
            context.certificates,
            context.given.registered,
        ),
        lambda: _link(context, node, given, bare, policies, balanced, owner),
    )
    return result


def _link(
    context: Context,
    node: Resource[VirtualNodeSpec],
    given: tuple[Address | None, ...],
    bare: tuple[bool, ...],
    policies: tuple[Effective | None, ...],
    balanced: tuple[Linked[Balanced], ...],
    owner: Key | None,
) -> Linked[Node]:
    findings = Findings(node.key)
    mesh = context.membership.mesh_of(node.key, node.spec, findings)
    clusters: dict[int, Cluster] = {}
    if mesh is not None:
        for index, listener in enumerate(node.spec.listeners):
            cluster = replace(
                _cluster(node, mesh, listener, given[index]),
                tls=_tls(context, node, mesh, listener, policies[index]),
                bare=bare[index],
                balancing=balanced[index].value.balancing,
                zone_aware=balanced[index].value.zone_aware,
                registered=context.given.registered,
            )
            clusters[cluster.port] = cluster
            if listener.health_check is not None and cluster.health_check is None:
                findings.add(
                    routing.HEALTH_CHECK_PROTOCOL,
                    ("spec", "listeners", index, "healthCheck", "protocol"),
                    f"port {cluster.port} speaks {cluster.protocol}, the check grpc",
                    "check by http or tcp",
                )
            if cluster.tls is not None and cluster.bare:
                findings.add(
                    enforcement.BARE_BACKEND,
                    ("spec", "listeners", index, "tls"),
                    f"the demo backend of port {cluster.port} is called in plaintext",
                )
        _check_discovery(node, given, findings, registered=context.given.registered)
        if owner is not None:
            report_taken(owner, aws_name(node.key, node.spec), findings)
            clusters = {port: unknown_cluster(mesh.name, node.key, port) for port in clusters}
    return linked(Node(node.key, mesh.key if mesh else None, clusters), findings.problems)


def _balanced(
    context: Context, node: Resource[VirtualNodeSpec], listener: NodeListener
) -> Linked[Balanced]:
    port, protocol = listener.port_mapping.port, listener.port_mapping.protocol
    return link_balancing(context, node.key, node.spec, port, protocol)


def _policy(
    context: Context, node: Resource[VirtualNodeSpec], listener: NodeListener
) -> Effective | None:
    mesh = context.mesh_of(node.key, node.spec)
    if mesh is None:
        return None
    return node_policy(context, node.key, listener.port_mapping.port, mesh.key)


def _tls(
    context: Context,
    node: Resource[VirtualNodeSpec],
    mesh: Mesh,
    listener: NodeListener,
    policy: Effective | None,
) -> ServerTls | None:
    """TLS as callers know it: the listener's own, else that of its policy."""
    own = known_tls(context.certificates, listener.tls)
    proxies = node_id(mesh.node_id_name, node.key.kind, aws_name(node.key, node.spec))
    return own or issued_tls(proxies, context.certificates.trust_domain, policy)


def _given(
    context: Context, key: Key, spec: VirtualNodeSpec, listener: NodeListener
) -> Address | None:
    port = listener.port_mapping.port
    by_node = context.given.by_node.get((key, port))
    return context.given.by_name.get((discovery_name(spec), port)) or by_node


def _is_bare(context: Context, node: Resource[VirtualNodeSpec], index: int) -> bool:
    """Whether a listener's given address is the application's own."""
    port = node.spec.listeners[index].port_mapping.port
    named = (discovery_name(node.spec), port) in context.given.by_name
    return context.given.bare and not named and (node.key, port) in context.given.by_node


def _cluster(
    node: Resource[VirtualNodeSpec], mesh: Mesh, listener: NodeListener, given: Address | None
) -> Cluster:
    return Cluster(
        node=node.key,
        mesh=mesh.name,
        node_name=aws_name(node.key, node.spec),
        protocol=listener.port_mapping.protocol,
        port=listener.port_mapping.port,
        discovery=discovery_of(node.spec),
        ip_preference=ip_preference(node.spec, mesh),
        endpoints=None if given is None else (given,),
        health_check=_health_check(listener),
        outlier_detection=listener.outlier_detection,
    )


def _health_check(listener: NodeListener) -> HealthCheck | None:
    """The check clients do; Envoy refuses a cluster that is checked by what it does not speak."""
    check = listener.health_check
    spoken = listener.port_mapping.protocol
    if check is not None and check.protocol == "grpc" and spoken not in ("grpc", "http2"):
        return None
    return check


def _check_discovery(
    node: Resource[VirtualNodeSpec],
    given: tuple[Address | None, ...],
    findings: Findings,
    *,
    registered: bool,
) -> None:
    discovery = node.spec.service_discovery
    if all(address is not None for address in given):
        return
    if discovery is None:
        findings.add(
            routing.NO_DISCOVERY, ("spec",), "the node has listeners but no service discovery"
        )
    elif discovery.dns is None and not registered:
        findings.add(
            routing.ENDPOINTS_UNKNOWN,
            ("spec", "serviceDiscovery", "awsCloudMap"),
            f"no endpoints of {discovery_name(node.spec)} are known",
            f"for example --resolve {discovery_name(node.spec)}:"
            f"{node.spec.listeners[0].port_mapping.port}=ADDRESS:PORT",
        )


def unknown_cluster(mesh: str, key: Key, port: int = 0) -> Cluster:
    """Stands for a target that cannot be called: it has no endpoints, so Envoy answers 503."""
    return Cluster(key, mesh, f"unknown_{key.name}_{key.namespace}", "http", port, endpoints=())
