"""Names of objects: what kind a thing is and what it is called.

Every layer refers to an object by its key; where it was written is the store's knowledge.
"""

from typing import Final, NamedTuple

CLUSTER_SCOPED: Final = frozenset({"Mesh"})
"""Kinds without a namespace."""


class Key(NamedTuple):
    """Identity of a resource: kind, namespace ("" for cluster-scoped kinds) and name."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """`Kind namespace/name`, as people and logs read it."""
        return f"{self.kind} {self.path}"

    @property
    def path(self) -> str:
        """`namespace/name`, or the bare name of a cluster-scoped object."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name
