"""Which HTTP filters a listener has, in the order requests meet them; responses go backwards.

| filter                | why here                                                             |
|-----------------------|----------------------------------------------------------------------|
| compressor            | outermost, so that it compresses what all others have answered       |
| cors                  | answers preflight requests, which no backend and no fault should see |
| fault                 | fails what was good so far, before anything is spent on it           |
| dynamic_forward_proxy | looks up the host of requests that pass, just before it is needed    |
| router                | sends the request on, so nothing behind it would ever run            |

A filter that acts for some routes only is in those listeners only which have such a route, and
there does nothing for the others.
"""

from collections.abc import Collection, Iterable, Iterator

from pointsman.envoy import pb
from pointsman.envoy.filters import cors, fault
from pointsman.envoy.filters.compressor import compressors
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.effects import NO_EFFECTS, Effects
from pointsman.graph.model.gateway import GatewayRule
from pointsman.graph.model.listener import Compression
from pointsman.graph.model.route import Service

_BY_ROUTE = {cors.NAME: cors.cors_filter, fault.NAME: fault.fault_filter}


def http_filters(
    used: Collection[str] = (),
    compression: Compression | None = None,
    forward: Fields | None = None,
) -> list[Fields]:
    """`http_filters` of a connection manager.

    Args:
        used: names of the filters its routes need.
        compression: which responses it compresses.
        forward: the filter that looks up hosts, if requests pass to any.
    """
    filters = [] if compression is None else compressors(compression)
    filters += [build() for name, build in _BY_ROUTE.items() if name in used]
    if forward is not None:
        filters.append(forward)
    return [*filters, {"name": "envoy.filters.http.router", "typed_config": pb.pack(pb.Router())}]


def configured(effects: Effects) -> dict[str, pb.Message]:
    """`typed_per_filter_config` of a route: what its filters do for it."""
    found: dict[str, pb.Message] = {}
    if effects.cors is not None:
        found[cors.NAME] = pb.pack(cors.cors_of_route(effects.cors))
    if effects.fault is not None:
        found[fault.NAME] = pb.pack(fault.fault_of_route(effects.fault))
    return found


def used_by_rules(rules: Iterable[GatewayRule]) -> frozenset[str]:
    """Names of the filters that gateway routes need, with all that they lead to."""
    found: set[str] = set()
    for rule in rules:
        if rule.override is not None:
            found.update(_names(rule.override.effects))
        for target in rule.targets:
            found |= used_by_service(target.service)
    return frozenset(found)


def used_by_service(service: Service) -> frozenset[str]:
    """Names of the filters that a service's routes need."""
    return frozenset(name for route in service.routes for name in _names(route.effects))


def _names(effects: Effects) -> Iterator[str]:
    if effects is not NO_EFFECTS:
        if effects.cors is not None:
            yield cors.NAME
        if effects.fault is not None:
            yield fault.NAME
