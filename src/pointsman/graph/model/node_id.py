"""The id by which proxies say whose they are (`node.id` of Envoy's bootstrap)."""


def node_id(mesh: str, kind: str, name: str) -> str:
    """`mesh/MESH/virtualNode/NAME` or `mesh/MESH/virtualGateway/NAME`.

    Args:
        mesh: the mesh's name inside App Mesh, with `@owner` for a shared mesh.
        kind: VirtualNode or VirtualGateway.
        name: the object's name inside App Mesh.
    """
    return f"mesh/{mesh}/{kind[0].lower()}{kind[1:]}/{name}"
