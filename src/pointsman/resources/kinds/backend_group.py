"""BackendGroup: a named list of services, to be used as backends together."""

from pydantic import Field

from pointsman.resources.kinds.base import Name, OwnerReference, Reference, schema


@schema
class BackendGroupSpec:
    """Spec of a BackendGroup."""

    mesh_ref: OwnerReference | None = None
    """The mesh, as the webhook writes it."""
    virtual_services: tuple[Reference, ...] = Field(
        default=(), validation_alias="virtualservices", serialization_alias="virtualservices"
    )
    """The services."""
    mesh_name: Name | None = None
    """Pointsman extension: the mesh's name inside App Mesh."""
