"""MeshTLS: how strictly proxies prove to each other who they are, by the built-in authority."""

from typing import ClassVar, Literal

from pointsman.resources.kinds.base import schema
from pointsman.resources.kinds.targets import TargetRefs, Targets


@schema
class MeshTLSSpec:
    """Spec of a MeshTLS."""

    TARGETS: ClassVar = Targets(
        ("Mesh", "VirtualGateway", "VirtualNode"), frozenset({"VirtualGateway", "VirtualNode"})
    )

    target_refs: TargetRefs
    """What it is attached to. The most specific one counts: a listener, its object, the mesh."""
    mode: Literal["STRICT", "PERMISSIVE", "DISABLED"]
    """STRICT accepts only mutual TLS, PERMISSIVE plaintext too, DISABLED has no TLS."""
