"""Mesh of v1beta1: a name and an egress filter."""

from pointsman.resources.kinds.base import Name, Text, schema
from pointsman.resources.kinds.mesh import EgressFilter, MeshSpec


@schema
class MeshV1Beta1:
    """Spec of a v1beta1 Mesh."""

    egress_filter: EgressFilter | None = None
    """What may leave the mesh; DROP_ALL by default."""
    service_discovery_type: Text | None = None
    """Not used; services were always discovered by what their nodes said."""
    mesh_name: Name | None = None
    """Pointsman extension: the mesh's name inside App Mesh."""


def convert(spec: MeshV1Beta1) -> MeshSpec:
    """The same in v1beta2; members name their mesh, so no selector is needed."""
    return MeshSpec(aws_name=spec.mesh_name, egress_filter=spec.egress_filter)
