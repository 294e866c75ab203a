"""Names inside App Mesh as controllers before 1.0 formed them."""

from pointsman.resources.key import Key


def aws_name(key: Key) -> str:
    """`name-namespace`, with dashes for dots: part of node ids and dashboards, so it is kept."""
    return f"{key.name}-{key.namespace}".replace(".", "-")
