"""Tables of routes that compete for the same requests, as checks compare them."""

from collections.abc import Iterator

from pointsman.doctor.evidence import Evidence
from pointsman.doctor.places import route_field, rule_field
from pointsman.doctor.shadows import Entry
from pointsman.graph.model.gateway import GatewayRule
from pointsman.graph.model.match import ANY_PATH
from pointsman.graph.model.route import Route

Table = tuple[Entry, ...]


def tables(evidence: Evidence) -> Iterator[Table]:
    """Every table, each in the order it is tried.

    At a listener that takes tunnels, routes for every path get requests without a path, which no
    other condition on paths holds for; these routes are left out there.
    """
    for _, listener, host in evidence.hosts:
        tunnels = listener.extras.tunnels
        yield tuple(
            _of_rule(evidence, rule)
            for rule in host.rules
            if not (tunnels and rule.match.path == ANY_PATH)
        )
    for routes in evidence.tables:
        yield tuple(_of_route(evidence, route) for route in routes)


def _of_rule(evidence: Evidence, rule: GatewayRule) -> Entry:
    path = rule_field(evidence, rule, "match")
    return Entry(rule.key, path, str(rule.key), rule.match, rule.priority)


def _of_route(evidence: Evidence, route: Route) -> Entry:
    resource = evidence.resources.get(route.key)
    written = resource is not None and route.name is not None
    priority = resource.spec.routes[route.path[-1]].priority if resource and written else None
    name = f"route {route.name} of {route.key}"
    return Entry(route.key, route_field(evidence, route, "match"), name, route.match, priority)
