"""Names inside App Mesh: who has which, and who wants one that is taken."""

from pointsman.graph.links.context import Context, Named
from pointsman.graph.links.names import aws_name
from pointsman.resources.key import Key

_KINDS = ("Mesh", "VirtualGateway", "VirtualNode", "VirtualService", "VirtualRouter")


def read_names(context: Context) -> None:
    """Fills `context.named` and `context.owners`.

    Names are unique for a kind within a mesh; the first in order of namespace and name has it.
    """
    for kind in _KINDS:
        for key, resource in sorted(context.resources.of(kind).items()):
            mesh = context.mesh_of(key, resource.spec) if kind != "Mesh" else None
            home, name = mesh.key if mesh else None, aws_name(key, resource.spec)
            named = Named.host(home, name) if kind == "VirtualService" else Named(kind, home, name)
            first: Key = context.named.setdefault(named, key)
            if first != key:
                context.owners[key] = first
