"""Where the parts of a route stand in the manifest.

The graph keeps the object and the index of a route; which of `httpRoute`, `http2Route` and
`grpcRoute` its author chose is known to the resources alone.
"""

from typing import Any

from pointsman.doctor.evidence import Evidence
from pointsman.graph.model.gateway import GatewayRule
from pointsman.graph.model.route import Route
from pointsman.resources.origin import FieldPath

_BODIES = {"httpRoute": "http_route", "http2Route": "http2_route", "grpcRoute": "grpc_route"}


def route_field(evidence: Evidence, route: Route, *below: str | int) -> FieldPath:
    """The path of a field in a route of a router; of the whole route where it has no such part."""
    resource = evidence.resources.get(route.key)
    if resource is None or route.name is None:
        return route.path
    return (*route.path, *_below(resource.spec.routes[route.path[-1]], below))


def rule_field(evidence: Evidence, rule: GatewayRule, *below: str | int) -> FieldPath:
    """The path of a field in a gateway route."""
    resource = evidence.resources.get(rule.key)
    return ("spec", *_below(resource.spec, below)) if resource is not None else ("spec",)


def _below(written: Any, below: FieldPath) -> FieldPath:
    for field, attribute in _BODIES.items():
        if getattr(written, attribute, None) is not None:
            return (field, *below)
    return ()
