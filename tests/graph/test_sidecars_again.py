"""Sidecars after edits: what an error keeps never stands in the way of what is right now."""

import pytest

from pointsman.graph.link import LinkResult, link
from pointsman.graph.links.context import GivenEndpoints
from pointsman.resources.codes import references as codes
from tests.support.manifests import MESH, Document, document, node, resources, service
from tests.support.scenes import key


def backends(*names: str) -> list[Document]:
    return [{"virtualService": {"virtualServiceRef": {"name": name}}} for name in names]


def named(item: Document, aws_name: str) -> Document:
    return {**item, "spec": {**item["spec"], "awsName": aws_name}}


def hosts(result: LinkResult) -> dict[str, str]:
    """What the client calls on port 80: service by host."""
    (port,) = result.graph.sidecars[key("VirtualNode", "client")].egress
    names = [backend.service.name for backend in port.http]
    assert len(names) == len({name.lower() for name in names}), names
    return {item.service.name: item.service.key.name for item in port.http}


CLIENT = node("client", backends=backends("a", "z"))
BOTH = [MESH, CLIENT, node("one", 80), node("two", 80)]


@pytest.mark.parametrize("name", ["a.shop", "A.shop"])
def test_a_service_that_is_lost_leaves_its_name_to_one_that_is_there(name: str) -> None:
    first = link(resources([*BOTH, service("a", node="one"), service("z", node="two")]))
    assert hosts(first) == {"a.shop": "a", "z.shop": "z"}
    renamed = named(service("z", node="two"), name)
    assert hosts(link(resources([*BOTH, renamed]), previous=first)) == {name: "z"}


def test_names_that_differ_in_case_only_are_the_same_host() -> None:
    written = [*BOTH, service("a", node="one"), named(service("z", node="two"), "A.shop")]
    result = link(resources(written))
    assert hosts(result) == {"a.shop": "a"}
    assert [item.key for item in result.problems if item.code is codes.SAME_AWS_NAME] == [
        key("VirtualService", "z")
    ]


def test_a_sidecar_with_problems_of_its_own_is_the_same_object_again() -> None:
    tls = {"mode": "STRICT", "certificate": {"acm": {"certificateARN": "arn:x"}}}
    listener = {"portMapping": {"port": 80, "protocol": "http"}, "tls": tls}
    written = resources([MESH, node("client", listeners=[listener])])
    first = link(written)
    second = link(written, previous=first)
    assert (
        first.graph.sidecars[key("VirtualNode", "client")]
        is (second.graph.sidecars[key("VirtualNode", "client")])
    )


def test_a_group_with_a_service_of_another_mesh_is_told_of() -> None:
    written = [
        document("Mesh", "mesh", {"namespaceSelector": {"matchLabels": {"mesh": "mesh"}}}),
        document("Mesh", "other", {"namespaceSelector": {"matchLabels": {"mesh": "other"}}}),
        {"kind": "Namespace", "metadata": {"name": "shop", "labels": {"mesh": "mesh"}}},
        {"kind": "Namespace", "metadata": {"name": "away", "labels": {"mesh": "other"}}},
        document("VirtualService", "far", {}, namespace="away"),
        document(
            "BackendGroup", "group", {"virtualservices": [{"name": "far", "namespace": "away"}]}
        ),
        node("client", backendGroups=[{"name": "group"}]),
    ]
    found = [item for item in link(resources(written)).problems if item.code is codes.OTHER_MESH]
    assert [(item.key, item.path) for item in found] == [
        (key("VirtualNode", "client"), ("spec", "backendGroups", 0))
    ]


def test_a_group_of_a_mesh_that_is_not_there_is_told_of() -> None:
    group = document("BackendGroup", "group", {"meshRef": {"name": "lost"}, "virtualservices": []})
    found = link(resources([MESH, group])).problems
    assert [(item.code, item.key) for item in found] == [
        (codes.MISSING, key("BackendGroup", "group"))
    ]


def test_a_group_of_a_mesh_is_no_group_of_another() -> None:
    written = [
        MESH,
        document("Mesh", "other", {}),
        service("a", node="one"),
        node("one", 80),
        document(
            "BackendGroup",
            "group",
            {"meshRef": {"name": "other"}, "virtualservices": [{"name": "a"}]},
        ),
        node("client", backendGroups=[{"name": "group"}]),
    ]
    result = link(resources(written))
    assert result.graph.sidecars[key("VirtualNode", "client")].egress == ()
    assert [(item.code, item.key) for item in result.problems] == [
        (codes.OTHER_MESH, key("VirtualNode", "client"))
    ]


def test_every_service_of_a_namespace_without_any_is_told_of() -> None:
    client = node("client", backendGroups=[{"name": "*", "namespace": "typo"}])
    found = link(resources([MESH, client])).problems
    assert [(item.key, item.path) for item in found] == [
        (key("VirtualNode", "client"), ("spec", "backendGroups", 0))
    ]


def test_instances_of_a_registry_may_be_called() -> None:
    cloud = {"awsCloudMap": {"namespaceName": "n", "serviceName": "s"}}
    written = resources(
        [MESH, CLIENT, node("one", 80, serviceDiscovery=cloud), service("a", node="one")]
    )
    for registered in (True, False):
        result = link(written, GivenEndpoints(registered=registered))
        (port,) = result.graph.sidecars[key("VirtualNode", "client")].egress
        (target,) = port.http[0].service.routes[0].targets
        assert target.cluster.is_found is registered
