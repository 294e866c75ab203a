"""Endpoints of a cluster as Envoy gets them: grouped by locality, near ones first where asked.

Zone awareness is decided here, by priorities, and not by Envoy's `zone_aware_lb_config`. Envoy's
own way compares the zones' shares of proxies with those of endpoints, for which every proxy must
be told of all proxies like it: a cluster of all sidecars of a node, that changes with each pod
and is known to the control plane only after they connected. Priorities need nothing but the
proxy's own zone, which its node class carries, and spill over to other zones as soon as fewer than
100/1.4 = 71 % of the endpoints nearby are healthy (Envoy's manual, "Priority levels").
"""

from collections.abc import Iterable, Sequence
from typing import Final

from pointsman.envoy import pb
from pointsman.envoy.clusters import socket_address
from pointsman.envoy.matchers import Fields
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import Sealed
from pointsman.graph.model.endpoint import Endpoint, Locality

_OVERPROVISIONING: Final = 1.4
"""Envoy's default factor: a priority with this much more than it needs counts as whole."""


def assignment(
    name: str, endpoints: Sequence[Endpoint], zone: str = "", *, zone_aware: bool = False
) -> pb.Message:
    """`ClusterLoadAssignment` of a cluster whose endpoints the control plane supplies.

    Unhealthy endpoints are left out, so that a few healthy ones get all requests: told of them,
    Envoy would panic below one half and use them all. Only where zones differ is Envoy told, for
    it cannot spill over from a zone that is short without knowing of what is missing there; and
    only while the healthy ones of all zones together are enough that it does not panic.

    Args:
        name: name of the cluster.
        endpoints: all there are; at least one is healthy, or there are none.
        zone: availability zone of the proxies this is for; "" when unknown.
        zone_aware: whether endpoints in `zone` are used first.
    """
    tiers = _tiers(endpoints, zone if zone_aware else "")
    if len(tiers) == 1 or not _is_enough(tiers):
        healthy = [item for item in endpoints if item.healthy]
        tiers = _tiers(healthy, zone if zone_aware else "")
    groups = [
        _group(locality, members, priority)
        for priority, tier in enumerate(tiers)
        for locality, members in _by_locality(tier)
    ]
    return pb.ClusterLoadAssignment(cluster_name=name, endpoints=groups)


def nobody(name: str) -> Sealed:
    """An assignment without endpoints, for a proxy to begin with while none are known."""
    return seal(assignment(name, ()), ())


def _tiers(endpoints: Iterable[Endpoint], zone: str) -> list[list[Endpoint]]:
    """Endpoints by priority, none of which is empty."""
    near: list[Endpoint] = []
    far: list[Endpoint] = []
    for item in endpoints:
        (near if zone and item.locality.zone == zone else far).append(item)
    return [tier for tier in (near, far) if tier]


def _is_enough(tiers: Iterable[list[Endpoint]]) -> bool:
    """Whether the priorities' health adds up to 100 %, below which Envoy may panic."""
    shares = (sum(item.healthy for item in tier) / len(tier) for tier in tiers)
    return sum(min(1.0, _OVERPROVISIONING * share) for share in shares) >= 1.0


def _by_locality(endpoints: Iterable[Endpoint]) -> list[tuple[Locality, list[Endpoint]]]:
    found: dict[Locality, list[Endpoint]] = {}
    for item in endpoints:
        found.setdefault(item.locality, []).append(item)
    return sorted(found.items())


def _group(locality: Locality, members: Iterable[Endpoint], priority: int) -> Fields:
    group: Fields = {"lb_endpoints": [_load(item) for item in members]}
    if locality != Locality():
        group["locality"] = {"region": locality.region, "zone": locality.zone}
    if priority:
        group["priority"] = priority
    return group


def _load(item: Endpoint) -> Fields:
    load: Fields = {"endpoint": {"address": socket_address(item.address)}}
    return load if item.healthy else {**load, "health_status": "UNHEALTHY"}
