"""What policies of pointsman.dev attach to: `targetRefs`, as in Gateway API policy attachment."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import Field

from pointsman.resources.key import CLUSTER_SCOPED, Key
from pointsman.resources.kinds.base import Name, schema

SECTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "VirtualGateway": "listener",
        "VirtualNode": "listener",
        "VirtualRouter": "route",
    }
)
"""Kinds with sections -> what a section is: a listener by its port, a route by its name."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Where a kind of policy may be attached; every such kind declares one as `TARGETS`.

    Attributes:
        kinds: kinds of objects, from the least to the most specific.
        sections: those of them in which a section may be named.
    """

    kinds: tuple[str, ...]
    sections: frozenset[str] = frozenset()


@schema
class TargetRef:
    """An object, or a section of one, that a policy is attached to."""

    group: Literal["appmesh.k8s.aws"] = "appmesh.k8s.aws"
    """API group of the object."""
    kind: Name
    """Its kind, one of those the policy attaches to."""
    name: Name
    """metadata.name of the object."""
    namespace: Name | None = None
    """Its namespace; the policy's own by default. A Mesh has none."""
    section_name: Name | None = None
    """A part of the object: a listener by its port, such as "8080", or a route by its name."""

    def key(self, home: str) -> Key:
        """Key of the object; `home` is the policy's namespace."""
        scoped = self.kind not in CLUSTER_SCOPED
        return Key(self.kind, (self.namespace or home) if scoped else "", self.name)


TargetRefs = Annotated[tuple[TargetRef, ...], Field(min_length=1, max_length=16)]
