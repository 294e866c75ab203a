"""VirtualService: a name clients call, and what provides it."""

from pointsman.resources.kinds.base import Name, OwnerReference, Reference, Text, schema


@schema
class VirtualNodeProvider:
    """A virtual node as provider, by reference or by ARN."""

    virtual_node_ref: Reference | None = None
    """The node."""
    virtual_node_arn: Text | None = None
    """ARN of a node outside these manifests."""


@schema
class VirtualRouterProvider:
    """A virtual router as provider, by reference or by ARN."""

    virtual_router_ref: Reference | None = None
    """The router."""
    virtual_router_arn: Text | None = None
    """ARN of a router outside these manifests."""


@schema
class VirtualServiceProvider:
    """What provides a service; one of the two."""

    virtual_node: VirtualNodeProvider | None = None
    """All requests go to one node, within 15 s unless a RoutePolicy says otherwise."""
    virtual_router: VirtualRouterProvider | None = None
    """Requests are routed."""


@schema
class VirtualServiceSpec:
    """Spec of a VirtualService."""

    aws_name: Name | None = None
    """The host clients call; `name.namespace` by default."""
    mesh_ref: OwnerReference | None = None
    """The mesh, as the webhook writes it."""
    provider: VirtualServiceProvider | None = None
    """What provides the service; without one, its requests are answered 404."""
    mesh_name: Name | None = None
    """Pointsman extension: the mesh's name inside App Mesh."""
