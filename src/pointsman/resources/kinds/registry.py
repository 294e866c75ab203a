"""The groups and kinds Pointsman knows and the schema class of each kind.

A kind belongs to one group only: keys name kinds without their group.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pointsman.resources.kinds.access_policy import AccessPolicySpec
from pointsman.resources.kinds.address_policy import AddressPolicySpec
from pointsman.resources.kinds.authorization_server import AuthorizationServerSpec
from pointsman.resources.kinds.backend_group import BackendGroupSpec
from pointsman.resources.kinds.backend_policy import BackendPolicySpec
from pointsman.resources.kinds.canary import CanarySpec
from pointsman.resources.kinds.consumer import ConsumerSpec
from pointsman.resources.kinds.gateway_route import GatewayRouteSpec
from pointsman.resources.kinds.hygiene_policy import HygienePolicySpec
from pointsman.resources.kinds.listener_policy import ListenerPolicySpec
from pointsman.resources.kinds.mesh import MeshSpec
from pointsman.resources.kinds.mesh_tls import MeshTLSSpec
from pointsman.resources.kinds.rate_limit_policy import RateLimitPolicySpec
from pointsman.resources.kinds.rollout import RolloutSpec
from pointsman.resources.kinds.route_policy import RoutePolicySpec
from pointsman.resources.kinds.telemetry_policy import TelemetryPolicySpec
from pointsman.resources.kinds.version_policy import VersionPolicySpec
from pointsman.resources.kinds.virtual_gateway import VirtualGatewaySpec
from pointsman.resources.kinds.virtual_node import VirtualNodeSpec
from pointsman.resources.kinds.virtual_router import VirtualRouterSpec
from pointsman.resources.kinds.virtual_service import VirtualServiceSpec


@dataclass(frozen=True, slots=True)
class Group:
    """An API group.

    Attributes:
        name: as in `apiVersion`, in front of the slash.
        versions: those understood, the one to write first.
        specs: kind -> class of its spec.
    """

    name: str
    versions: tuple[str, ...]
    specs: Mapping[str, type[Any]]

    @property
    def api_version(self) -> str:
        """The `apiVersion` to write."""
        return f"{self.name}/{self.versions[0]}"


APP_MESH: Final = Group(
    "appmesh.k8s.aws",
    ("v1beta2", "v1beta1"),
    MappingProxyType(
        {
            "Mesh": MeshSpec,
            "VirtualGateway": VirtualGatewaySpec,
            "GatewayRoute": GatewayRouteSpec,
            "VirtualService": VirtualServiceSpec,
            "VirtualRouter": VirtualRouterSpec,
            "VirtualNode": VirtualNodeSpec,
            "BackendGroup": BackendGroupSpec,
        }
    ),
)
"""What the App Mesh controller read."""

POLICIES: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {
        "MeshTLS": MeshTLSSpec,
        "RoutePolicy": RoutePolicySpec,
        "BackendPolicy": BackendPolicySpec,
        "ListenerPolicy": ListenerPolicySpec,
        "AddressPolicy": AddressPolicySpec,
        "AccessPolicy": AccessPolicySpec,
        "HygienePolicy": HygienePolicySpec,
        "RateLimitPolicy": RateLimitPolicySpec,
        "AuthorizationServer": AuthorizationServerSpec,
        "VersionPolicy": VersionPolicySpec,
        "TelemetryPolicy": TelemetryPolicySpec,
    }
)
"""Kinds that are attached to others: each of their specs has `TARGETS` and `target_refs`."""

POINTSMAN: Final = Group(
    "pointsman.dev",
    ("v1alpha1",),
    MappingProxyType({**POLICIES, "Consumer": ConsumerSpec, "Rollout": RolloutSpec}),
)
"""Pointsman's own kinds."""

FLAGGER: Final = Group("flagger.app", ("v1beta1",), MappingProxyType({"Canary": CanarySpec}))
"""What Flagger read."""

GROUPS: Final[Mapping[str, Group]] = MappingProxyType(
    {group.name: group for group in (APP_MESH, POINTSMAN, FLAGGER)}
)
"""Name -> group."""

SPECS: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {kind: spec for group in GROUPS.values() for kind, spec in group.specs.items()}
)
"""Kind -> class of its spec, of all groups."""


def group_of(kind: str) -> Group | None:
    """The group that has a kind."""
    return next((group for group in GROUPS.values() if kind in group.specs), None)
