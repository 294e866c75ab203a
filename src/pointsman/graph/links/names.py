"""Names inside App Mesh (`awsName`) and their defaults."""

from typing import Any

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
