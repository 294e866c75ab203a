"""Objects that want the same name inside App Mesh: who keeps it.

Names inside App Mesh become names in Envoy. Were two virtual nodes called the same, one cluster
would have to stand for both, and requests for the one would reach the other.
"""

from collections.abc import Mapping

from pointsman.graph.links.context import Context
from pointsman.graph.links.linked import Findings
from pointsman.graph.links.names import aws_name
from pointsman.resources.codes import references as codes
from pointsman.resources.key import Key

_KINDS = ("Mesh", "VirtualGateway", "VirtualNode", "VirtualService", "VirtualRouter")


def find_same_names(context: Context) -> Mapping[Key, Key]:
    """Each object whose name is taken, with the one that keeps it: the first by its key."""
    taken: dict[Key, Key] = {}
    for kind in _KINDS:
        first: dict[tuple[str, Key | None], Key] = {}
        for key, resource in sorted(context.resources.of(kind).items()):
            mesh = context.mesh_of(key, resource.spec) if kind != "Mesh" else None
            name = (aws_name(key, resource.spec), mesh.key if mesh else None)
            owner = first.setdefault(name, key)
            if owner != key:
                taken[key] = owner
    return taken


def report_same_name(owner: Key, name: str, findings: Findings) -> None:
    """Adds the problem that another object keeps the name."""
    findings.add(
        codes.SAME_AWS_NAME,
        ("spec", "awsName"),
        f"{findings.key} and {owner} are both called {name} inside App Mesh",
        "give one of them another `awsName`",
    )
