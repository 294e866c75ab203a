"""Where the values a route is in force with were written: in the route, or in a policy of it."""

from collections.abc import Iterator

from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Place
from pointsman.doctor.paths import Call
from pointsman.doctor.places import route_field
from pointsman.resources.key import Key
from pointsman.resources.kinds.route_policy import RoutePolicySpec
from pointsman.resources.origin import FieldPath


def timeout_of(evidence: Evidence, call: Call) -> Place:
    """Where the time of a whole request is written."""
    override = call.override
    if override is not None and override.request_ms is not None:
        return Place(override.policy, ("spec", "timeout", "perRequest"))
    for policy, spec in _policies(evidence, call):
        if spec.timeout is not None and spec.timeout.per_request is not None:
            return Place(policy, ("spec", "timeout", "perRequest"))
    return Place(call.route.key, route_field(evidence, call.route, "timeout", "perRequest"))


def retry_of(evidence: Evidence, call: Call) -> Place:
    """Where it is written when a request is tried again."""
    override = call.override
    if override is not None and override.retry is not None:
        return Place(override.policy, ("spec", "retry"))
    for policy, spec in _policies(evidence, call):
        if spec.retry is not None:
            return Place(policy, ("spec", "retry"))
    return Place(call.route.key, route_field(evidence, call.route, "retryPolicy"))


def _policies(evidence: Evidence, call: Call) -> Iterator[tuple[Key, RoutePolicySpec]]:
    """Policies that had a say in the route, the nearest one first."""
    for key in call.route.policies:
        resource = evidence.resources.get(key)
        if resource is not None:
            yield key, resource.spec


def listener_field(evidence: Evidence, node: Key, port: int, *below: str | int) -> FieldPath:
    """The path of a field in the listener a virtual node has on a port."""
    resource = evidence.resources.get(node)
    listeners = resource.spec.listeners if resource is not None else ()
    for index, listener in enumerate(listeners):
        if listener.port_mapping.port == port:
            return ("spec", "listeners", index, *below)
    return ("spec",)
