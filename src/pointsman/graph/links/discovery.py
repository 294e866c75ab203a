"""How a virtual node is found, as its spec says."""

from pointsman.graph.links.membership import Mesh
from pointsman.graph.model.cluster import Discovery, discovered_as
from pointsman.resources.kinds.virtual_node import VirtualNodeSpec


def discovery_of(spec: VirtualNodeSpec) -> Discovery | None:
    """How a node is found, if at all."""
    discovery = spec.service_discovery
    return (discovery.dns or discovery.aws_cloud_map) if discovery else None


def discovery_name(spec: VirtualNodeSpec) -> str:
    """The host name a node is found under, see `discovered_as`."""
    return discovered_as(discovery_of(spec))


def ip_preference(spec: VirtualNodeSpec, mesh: Mesh) -> str | None:
    """The IP version of a node: its own preference, else the mesh's."""
    found = discovery_of(spec)
    return (found.ip_preference if found else None) or mesh.ip_preference
