"""A mesh of two gateways and two Cloud Map services, compiled as a running instance would."""

from collections.abc import Iterable, Iterator, Mapping

from pointsman.control.compile import Compiled, Compiler, Proxy
from pointsman.control.endpoints import Endpoints
from pointsman.envoy.node_class import NodeClass, Wire
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.gateway import Gateway
from pointsman.resources.key import Key
from pointsman.resources.resource_set import ResourceSet
from tests.support.manifests import (
    MESH,
    NAMESPACE,
    Document,
    document,
    gateway,
    gateway_route,
    node,
    resources,
    service,
)

EDGE, SIDE = (Key("VirtualGateway", NAMESPACE, name) for name in ("edge", "side"))
REGISTERED = GivenEndpoints(registered=True)


def cloud_node(name: str, **attributes: str) -> Document:
    """A virtual node on port 8080 that Cloud Map finds."""
    listed = [{"key": key, "value": value} for key, value in attributes.items()]
    found = {"namespaceName": "shop.local", "serviceName": name, "attributes": listed}
    return node(name, 8080, serviceDiscovery={"awsCloudMap": found})


def shop(**attributes: str) -> ResourceSet:
    """`edge` leads to cart and pay, `side` to pay only; `attributes` are what carts must have."""
    edge = gateway(name="edge", gatewayRouteSelector={"matchLabels": {"to": "edge"}})
    side = gateway(name="side", gatewayRouteSelector={"matchLabels": {"to": "side"}})
    return resources(
        [
            MESH,
            edge,
            side,
            _labelled(gateway_route("cart", {"prefix": "/cart"}, "cart"), "edge"),
            _labelled(gateway_route("pay", {"prefix": "/pay"}, "pay"), "edge"),
            _labelled(gateway_route("side", {"prefix": "/pay"}, "pay"), "side"),
            *(service(name, node=name) for name in ("cart", "pay")),
            cloud_node("cart", **attributes),
            cloud_node("pay"),
            document("VirtualNode", "client", {}),
        ]
    )


def _labelled(item: Document, gateway_name: str) -> Document:
    return {**item, "metadata": {**item["metadata"], "labels": {"to": gateway_name}}}


def compiler(
    endpoints: Endpoints,
    wire: Wire = "delta",
    ports: Mapping[int, int] | None = None,
    zone: str = "",
) -> Compiler:
    """A compiler that serves every gateway, with its listeners moved to other ports."""
    moved = tuple((ports or {}).items())

    def arrange(proxies: Iterable[Proxy]) -> Iterator[tuple[Proxy, list[NodeClass]]]:
        for item in proxies:
            if isinstance(item, Gateway):
                yield item, [NodeClass(item.key, wire, "127.0.0.1", moved, zone=zone)]

    return Compiler(arrange, endpoints)


def class_of(compiled: Compiled, key: Key) -> NodeClass:
    """The node class of a gateway."""
    return next(found for found, item in compiled.proxies.items() if item.key == key)
