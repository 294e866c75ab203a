"""Which mesh and which gateway an object belongs to."""

import pytest

from pointsman.graph.link import LinkResult, link
from pointsman.resources.codes import references as codes
from pointsman.resources.key import Key
from tests.support.manifests import Document, document, gateway, gateway_route, node, resources
from tests.support.manifests import service as virtual_service

LABELLED = {"matchLabels": {"mesh": "shop"}}


def namespace(name: str, **labels: str) -> Document:
    return document("Namespace", name, {}, labels=labels)


def mesh(selector: Document | None, name: str = "mesh") -> Document:
    return document("Mesh", name, {} if selector is None else {"namespaceSelector": selector})


def shop(*more: Document, route: Document | None = None) -> list[Document]:
    documents = [
        node("a", 80),
        virtual_service("svc", node="a"),
        route or gateway_route("g", {"prefix": "/"}, "svc"),
    ]
    return [*documents, *more]


def attached(result: LinkResult) -> list[str]:
    """Names of the gateways that serve route `g`."""
    return [
        key.name
        for key, found in result.graph.gateways.items()
        for listener in found.listeners
        for host in listener.hosts
        for rule in host.rules
        if rule.key.name == "g"
    ]


def codes_of(result: LinkResult, kind: str) -> set[str]:
    return {item.code.id for item in result.problems if item.key and item.key.kind == kind}


@pytest.mark.parametrize(
    ("selector", "labels", "belongs"),
    [
        ({}, {}, True),
        (None, {}, False),
        (LABELLED, {"mesh": "shop"}, True),
        (LABELLED, {"mesh": "other"}, False),
        ({"matchExpressions": [{"key": "mesh", "operator": "Exists"}]}, {"mesh": "x"}, True),
        ({"matchExpressions": [{"key": "mesh", "operator": "DoesNotExist"}]}, {"mesh": "x"}, False),
        ({"matchExpressions": [{"key": "m", "operator": "In", "values": ["a"]}]}, {"m": "a"}, True),
        ({"matchExpressions": [{"key": "m", "operator": "NotIn", "values": ["a"]}]}, {}, True),
    ],
)
def test_a_mesh_selects_namespaces(
    selector: Document | None, labels: dict[str, str], belongs: bool
) -> None:
    documents = [mesh(selector), namespace("shop", **labels), gateway(), *shop()]
    result = link(resources(documents))
    assert attached(result) == (["gateway"] if belongs else [])
    assert (codes.NO_MESH.id in codes_of(result, "GatewayRoute")) is not belongs


def test_two_meshes_for_a_namespace_are_one_too_many() -> None:
    documents = [mesh({}), mesh({}, "other"), namespace("shop"), gateway(), *shop()]
    result = link(resources(documents))
    assert attached(result) == []
    assert codes.SEVERAL_MESHES.id in codes_of(result, "VirtualGateway")


@pytest.mark.parametrize("field", [{"meshRef": {"name": "other"}}, {"meshName": "other"}])
def test_a_named_mesh_comes_before_selectors(field: Document) -> None:
    documents = [mesh({}), mesh({}, "other"), namespace("shop"), gateway(**field)]
    (found,) = link(resources(documents)).graph.gateways.values()
    assert found.mesh == "other"


def test_the_only_mesh_is_assumed_where_labels_are_unknown() -> None:
    result = link(resources([mesh(LABELLED), gateway(), *shop()]))
    assert attached(result) == ["gateway"]
    assert codes.ASSUMED_MESH.id in codes_of(result, "GatewayRoute")
    assert codes.ASSUMED_MESH.id not in codes_of(
        link(resources([mesh({}), gateway(), *shop()])), "GatewayRoute"
    )


@pytest.mark.parametrize(
    ("spec", "labels", "takes"),
    [
        ({"namespaceSelector": {}}, {}, True),
        ({"namespaceSelector": None}, {}, False),
        ({"namespaceSelector": {}, "gatewayRouteSelector": None}, {}, True),
        ({"namespaceSelector": {}, "gatewayRouteSelector": {}}, {}, True),
        ({"gatewayRouteSelector": {"matchLabels": {"gw": "in"}}}, {"gw": "in"}, True),
        ({"gatewayRouteSelector": {"matchLabels": {"gw": "in"}}}, {}, False),
    ],
    ids=["all", "absent-takes-none", "absent-routes-all", "empty-routes-all", "label", "no-label"],
)
def test_a_gateway_selects_routes(spec: Document, labels: dict[str, str], takes: bool) -> None:
    base = gateway_route("g", {"prefix": "/"}, "svc")
    labelled = {**base, "metadata": {**base["metadata"], "labels": labels}}
    documents = [mesh({}), namespace("shop"), gateway(**spec), *shop(route=labelled)]
    result = link(resources(documents))
    assert attached(result) == (["gateway"] if takes else [])
    assert (codes.NO_GATEWAY.id in codes_of(result, "GatewayRoute")) is not takes


def test_two_gateways_for_a_route_are_one_too_many_unless_it_names_one() -> None:
    two = [mesh({}), namespace("shop"), gateway(), gateway(name="second")]
    result = link(resources([*two, *shop()]))
    assert attached(result) == []
    assert codes.SEVERAL_GATEWAYS.id in codes_of(result, "GatewayRoute")
    for field in ({"gatewayName": "second"}, {"virtualGatewayRef": {"name": "second"}}):
        named = gateway_route("g", {"prefix": "/"}, "svc", **field)
        assert attached(link(resources([*two, *shop(route=named)]))) == ["second"]


def test_references_cross_namespaces_and_not_meshes() -> None:
    elsewhere = {"virtualServiceRef": {"name": "svc", "namespace": "stock"}}
    body = {"match": {"prefix": "/"}, "action": {"target": {"virtualService": elsewhere}}}
    own = [gateway(), document("GatewayRoute", "g", {"httpRoute": body})]
    theirs = [
        {**each, "metadata": {**each["metadata"], "namespace": "stock"}}
        for each in (node("a", 80), virtual_service("svc", node="a"))
    ]
    spaces = [namespace("shop", mesh="shop"), namespace("stock", mesh="stock")]
    one = link(resources([mesh({}), *spaces, *own, *theirs]))
    (found,) = one.graph.gateways.values()
    (target,) = found.listeners[0].hosts[0].rules[0].targets
    assert target.service.key == Key("VirtualService", "stock", "svc")
    stock = mesh({"matchLabels": {"mesh": "stock"}}, "stock")
    two = link(resources([mesh(LABELLED), stock, *spaces, *own, *theirs]))
    assert codes.OTHER_MESH.id in codes_of(two, "GatewayRoute")


def test_default_names_are_the_controllers() -> None:
    documents = [mesh({}), gateway(), *shop()]
    (found,) = link(resources(documents)).graph.gateways.values()
    assert found.node_id == "mesh/mesh/virtualGateway/gateway_shop"
    service = found.listeners[0].hosts[0].rules[0].targets[0].service
    assert service.name == "svc.shop"
    assert service.routes[0].targets[0].cluster.node_name == "a_shop"
