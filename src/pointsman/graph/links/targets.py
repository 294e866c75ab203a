"""From references to virtual nodes and routers to what they name, and on to a cluster."""

from pointsman.graph.links.clusters import Node, link_node
from pointsman.graph.links.context import Context, report_missing
from pointsman.graph.links.linked import Findings, Linked
from pointsman.graph.model.cluster import Cluster
from pointsman.resources.codes import references, routing
from pointsman.resources.key import Key
from pointsman.resources.kinds.virtual_router import VirtualRouterSpec
from pointsman.resources.origin import FieldPath
from pointsman.resources.resource import Resource


def find_node(
    context: Context, key: Key, mesh: Key, path: FieldPath, findings: Findings
) -> Linked[Node] | None:
    """The linked node of a key, or None and a problem."""
    resource = context.resources.get(key)
    if resource is None:
        report_missing(key, context.resources, path, findings)
        return None
    node = link_node(context, resource)
    if node.value.mesh is not None and node.value.mesh != mesh:
        findings.add(references.OTHER_MESH, path, f"{key} belongs to mesh {node.value.mesh.name}")
        return None
    return node


def find_router(
    context: Context, key: Key, mesh: Key, path: FieldPath, findings: Findings
) -> Resource[VirtualRouterSpec] | None:
    """The router of a key, as long as it belongs to the mesh, or None and a problem.

    Args:
        context: where to look.
        key: the router.
        mesh: the mesh it has to belong to.
        path: the provider block that names it.
        findings: takes the problem.
    """
    router = context.resources.get(key)
    if router is None:
        report_missing(key, context.resources, (*path, "virtualRouterRef"), findings)
        return None
    other = context.mesh_of(key, router.spec)
    if other is not None and other.key != mesh:
        findings.add(references.OTHER_MESH, path, f"{key} belongs to mesh {other.key.name}")
        return None
    return router


def choose_cluster(
    node: Node, port: int | None, path: FieldPath, findings: Findings
) -> Cluster | None:
    """The cluster of a node's port; without a port the node must have just one listener."""
    clusters = node.clusters
    if port is not None:
        if port not in clusters:
            ports = ", ".join(map(str, clusters)) or "none"
            message = f"{node.key} has no listener on port {port}"
            findings.add(routing.NO_SUCH_PORT, (*path, "port"), message, f"its ports: {ports}")
        return clusters.get(port)
    if len(clusters) == 1:
        return next(iter(clusters.values()))
    if clusters:
        ports = ", ".join(map(str, clusters))
        findings.add(
            routing.PORT_REQUIRED,
            path,
            f"{node.key} has {len(clusters)} listeners",
            f"add `port`, one of {ports}",
        )
    elif node.mesh is not None:
        findings.add(routing.NO_LISTENER, path, f"{node.key} has no listener")
    return None
