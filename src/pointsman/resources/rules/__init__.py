"""Rules between the fields of one object: what the schema's types cannot say.

They are those of the App Mesh controller's webhooks, of the App Mesh API, and Envoy's limits on
values, as far as they need no other object. One module a kind; `matching`, `listeners`,
`targets` and `tls` hold what kinds share. Every rule reports all it finds.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules import (
    access_policy,
    address_policy,
    authorization_server,
    backend_group,
    backend_policy,
    canary,
    consumer,
    gateway_route,
    hygiene_policy,
    listener_policy,
    mesh,
    mesh_tls,
    rate_limit_policy,
    rollout,
    route_policy,
    telemetry_policy,
    version_policy,
    virtual_gateway,
    virtual_node,
    virtual_router,
    virtual_service,
)

Rule = Callable[[Resource[Any]], Iterator[Problem]]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "Mesh": mesh.check,
        "VirtualGateway": virtual_gateway.check,
        "GatewayRoute": gateway_route.check,
        "VirtualService": virtual_service.check,
        "VirtualRouter": virtual_router.check,
        "VirtualNode": virtual_node.check,
        "BackendGroup": backend_group.check,
        "MeshTLS": mesh_tls.check,
        "RoutePolicy": route_policy.check,
        "BackendPolicy": backend_policy.check,
        "ListenerPolicy": listener_policy.check,
        "AddressPolicy": address_policy.check,
        "AccessPolicy": access_policy.check,
        "HygienePolicy": hygiene_policy.check,
        "Consumer": consumer.check,
        "RateLimitPolicy": rate_limit_policy.check,
        "AuthorizationServer": authorization_server.check,
        "VersionPolicy": version_policy.check,
        "TelemetryPolicy": telemetry_policy.check,
        "Rollout": rollout.check,
        "Canary": canary.check,
    }
)
"""The rules of each kind."""
