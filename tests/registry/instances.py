"""Instances and clusters for the tests beside it."""

from collections.abc import Mapping

from pointsman.graph.model.cluster import Cluster
from pointsman.registry.instance import Instance, ServiceName
from pointsman.resources.key import Key
from pointsman.resources.kinds.virtual_node import CloudMapAttribute, CloudMapServiceDiscovery

CART = ServiceName("shop.local", "cart")


def instance(
    identity: str,
    ipv4: str = "10.0.0.1",
    *,
    service: ServiceName = CART,
    healthy: bool = True,
    **attributes: str,
) -> Instance:
    given = {"AWS_INSTANCE_IPV4": ipv4} if ipv4 else {}
    return Instance(service, identity, {**given, **attributes}, healthy)


def cluster(
    *,
    service: ServiceName = CART,
    port: int = 8080,
    attributes: Mapping[str, str] | None = None,
    preference: str | None = None,
    zone_aware: bool = False,
) -> Cluster:
    wanted = tuple(CloudMapAttribute(key=k, value=v) for k, v in (attributes or {}).items())
    found = CloudMapServiceDiscovery(
        namespace_name=service.namespace, service_name=service.name, attributes=wanted
    )
    return Cluster(
        Key("VirtualNode", "shop", service.name),
        "mesh",
        service.name,
        "http",
        port,
        discovery=found,
        ip_preference=preference,
        zone_aware=zone_aware,
    )
