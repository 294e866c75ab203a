"""Names inside App Mesh (`awsName`) and their defaults."""

from typing import Any

from pointsman.graph.links.linked import Findings
from pointsman.resources.codes import references
from pointsman.resources.key import Key


def aws_name(key: Key, spec: Any) -> str:
    """`spec.awsName`, or the default the controller's webhook writes.

    A Mesh defaults to its name, a VirtualService to `name.namespace` and everything else to
    `name_namespace`.
    """
    if spec.aws_name is not None:
        return str(spec.aws_name)
    if key.kind == "Mesh":
        return key.name
    if key.kind == "VirtualService":
        return f"{key.name}.{key.namespace}"
    return f"{key.name}_{key.namespace}"


def report_taken(owner: Key, name: str, findings: Findings) -> None:
    """Adds the problem that another object has the name inside App Mesh."""
    findings.add(
        references.SAME_AWS_NAME,
        ("spec", "awsName"),
        f"{findings.key} and {owner} are both called {name} inside App Mesh",
        "give one of them another `awsName`",
    )
