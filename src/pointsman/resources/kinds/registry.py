"""The kinds Pointsman knows and the schema class of each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pointsman.resources.kinds.backend_group import BackendGroupSpec
from pointsman.resources.kinds.gateway_route import GatewayRouteSpec
from pointsman.resources.kinds.mesh import MeshSpec
from pointsman.resources.kinds.virtual_gateway import VirtualGatewaySpec
from pointsman.resources.kinds.virtual_node import VirtualNodeSpec
from pointsman.resources.kinds.virtual_router import VirtualRouterSpec
from pointsman.resources.kinds.virtual_service import VirtualServiceSpec

GROUP: Final = "appmesh.k8s.aws"

SPECS: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {
        "Mesh": MeshSpec,
        "VirtualGateway": VirtualGatewaySpec,
        "GatewayRoute": GatewayRouteSpec,
        "VirtualService": VirtualServiceSpec,
        "VirtualRouter": VirtualRouterSpec,
        "VirtualNode": VirtualNodeSpec,
        "BackendGroup": BackendGroupSpec,
    }
)
"""Kind -> class of its spec."""

CLUSTER_SCOPED: Final = frozenset({"Mesh"})
"""Kinds without a namespace."""
