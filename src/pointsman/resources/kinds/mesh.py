"""Mesh: the boundary inside which names are unique and traffic is decided."""

from typing import Annotated, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.base import LabelSelector, Name, schema

Account = Annotated[str, Strict(), Field(pattern=r"^\d{12}$")]


@schema
class EgressFilter:
    """What may leave the mesh without being a backend."""

    type: Literal["ALLOW_ALL", "DROP_ALL"]
    """ALLOW_ALL lets everything out, DROP_ALL only declared backends."""


@schema
class MeshServiceDiscovery:
    """Preferences for discovered addresses."""

    ip_preference: Literal["IPv6_ONLY", "IPv4_ONLY", "IPv4_PREFERRED", "IPv6_PREFERRED"] | None = (
        None
    )
    """Which IP version is used."""


@schema
class MeshSpec:
    """Spec of a Mesh."""

    aws_name: Name | None = None
    """The mesh's name inside App Mesh and in node ids; metadata.name by default."""
    namespace_selector: LabelSelector | None = None
    """Namespaces whose objects belong to the mesh. Absent selects none, `{}` selects all."""
    egress_filter: EgressFilter | None = None
    """What may leave the mesh; DROP_ALL by default."""
    mesh_owner: Account | None = None
    """AWS account that owned a shared mesh; becomes part of node ids."""
    mesh_service_discovery: MeshServiceDiscovery | None = None
    """Preferences for discovered addresses."""
