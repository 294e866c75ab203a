"""Which instances of a service are endpoints of a cluster: filters, addresses, health.

Unlike Envoy's own health checks, which every proxy does for itself, an instance's health here is
what the registry was told. The rule is Cloud Map's HEALTHY_OR_ELSE_ALL: when none is healthy, all
are taken, because then it is rather the checks that are broken than every copy.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from pointsman.graph.model.cluster import Address, Cluster
from pointsman.graph.model.endpoint import Endpoint
from pointsman.registry.instance import Instance, ServiceName
from pointsman.resources.kinds.virtual_node import CloudMapServiceDiscovery

_ORDERS: Final = {
    None: ("ipv4", "ipv6"),
    "IPv4_PREFERRED": ("ipv4", "ipv6"),
    "IPv6_PREFERRED": ("ipv6", "ipv4"),
    "IPv4_ONLY": ("ipv4",),
    "IPv6_ONLY": ("ipv6",),
}
"""Addresses in the order in which they are looked for (user guide, "Virtual nodes")."""
_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class Selection:
    """Endpoints of a cluster.

    Attributes:
        endpoints: in the order of the instances' ids, each address once.
        reason: why there are none; "" when there are some.
    """

    endpoints: tuple[Endpoint, ...]
    reason: str = ""


def service_of(cluster: Cluster) -> ServiceName | None:
    """The Cloud Map service a cluster's endpoints come from; None when they do not."""
    found = cluster.discovery
    if cluster.endpoints is not None or not isinstance(found, CloudMapServiceDiscovery):
        return None
    return ServiceName(found.namespace_name, found.service_name)


def select(cluster: Cluster, instances: Iterable[Instance]) -> Selection:
    """The endpoints of a cluster among all instances of its service."""
    found = cluster.discovery
    assert isinstance(found, CloudMapServiceDiscovery)
    service = ServiceName(found.namespace_name, found.service_name)
    everyone = tuple(instances)
    wanted = {attribute.key: attribute.value for attribute in found.attributes}
    matching = [item for item in everyone if wanted.items() <= item.attributes.items()]
    if not matching:
        return Selection((), _nobody(service, wanted, everyone))
    endpoints: dict[Address, Endpoint] = {}
    for instance in matching:
        endpoint = _endpoint(cluster, instance)
        if endpoint is not None:
            known = endpoints.get(endpoint.address)
            if known is None or endpoint.healthy > known.healthy:
                endpoints[endpoint.address] = endpoint
    if not endpoints:
        return Selection((), f"no instance of {service} has {_address_wanted(cluster)}")
    if not any(item.healthy for item in endpoints.values()):
        return Selection(tuple(replace(item, healthy=True) for item in endpoints.values()))
    return Selection(tuple(endpoints.values()))


def _endpoint(cluster: Cluster, instance: Instance) -> Endpoint | None:
    order = _ORDERS[cluster.ip_preference]
    addresses = {"ipv4": instance.ipv4, "ipv6": instance.ipv6}
    host = next((addresses[version] for version in order if addresses[version]), None)
    if host is None:
        return None
    address = Address(host, instance.port(cluster.port))
    return Endpoint(address, instance.locality, instance.healthy)


def _address_wanted(cluster: Cluster) -> str:
    order = _ORDERS[cluster.ip_preference]
    names = {"ipv4": "IPv4", "ipv6": "IPv6"}
    only = f"an {names[order[0]]} address, which ipPreference {cluster.ip_preference} asks for"
    return only if len(order) == 1 else "an IP address"


def _nobody(service: ServiceName, wanted: dict[str, str], everyone: tuple[Instance, ...]) -> str:
    if not everyone:
        return f"no instance of {service} is registered"
    asked = ", ".join(f"{key}={value}" for key, value in wanted.items())
    counts = Counter(
        f"{key}={value}"
        for instance in everyone
        for key, value in sorted(instance.attributes.items())
        if key in wanted
    )
    shown = ", ".join(f"{pair} ({number})" for pair, number in sorted(counts.items())[:_SHOWN])
    there = f"of {len(everyone)} there, some have {shown}" if counts else "none there has any such"
    return f"no instance of {service} has all attributes {asked}; {there}"
