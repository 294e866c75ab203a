"""Everything that was written, at one moment: the input of linking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.resources.key import Key
from pointsman.resources.resource import Resource


@dataclass(frozen=True, slots=True)
class ResourceSet:
    """An immutable set of resources.

    Attributes:
        by_kind: kind -> key -> resource.
        namespaces: labels of the namespaces whose Namespace object was given.
        broken: objects that were written but have errors and no earlier version to use.
    """

    by_kind: Mapping[str, Mapping[Key, Resource[Any]]] = field(default_factory=dict)
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    broken: frozenset[Key] = frozenset()

    def of(self, kind: str) -> Mapping[Key, Resource[Any]]:
        """All resources of a kind, by key."""
        return self.by_kind.get(kind, {})

    def get(self, key: Key) -> Resource[Any] | None:
        """The resource of that key, if there is one."""
        return self.of(key.kind).get(key)
