"""Who has a name inside App Mesh that several objects want."""

from pointsman.graph.links.context import Context
from pointsman.graph.links.names import aws_name
from pointsman.resources.key import Key


def name_owners(context: Context) -> dict[Key, Key]:
    """Objects whose name inside App Mesh is taken, with the object that has it.

    Names are unique for a kind within a mesh; the first in order of namespace and name has it.
    """
    owners: dict[Key, Key] = {}
    for kind in ("Mesh", "VirtualGateway", "VirtualNode", "VirtualService", "VirtualRouter"):
        first: dict[tuple[str, Key | None], Key] = {}
        for key, resource in sorted(context.resources.of(kind).items()):
            mesh = context.mesh_of(key, resource.spec) if kind != "Mesh" else None
            name = (aws_name(key, resource.spec), mesh.key if mesh else None)
            if first.setdefault(name, key) != key:
                owners[key] = first[name]
    return owners
