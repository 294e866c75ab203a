"""Two virtual nodes of the same name inside App Mesh: requests for one never reach the other."""

import pytest

from pointsman.graph.intent import decide
from pointsman.graph.link import LinkResult, link
from pointsman.graph.request import Request
from pointsman.resources.codes import references as codes
from tests.support.gateway import outcomes, running
from tests.support.manifests import (
    MESH,
    Document,
    gateway,
    gateway_route,
    node,
    resources,
    route,
    router,
    service,
)
from tests.support.scenes import key

ASKED = {name: Request("GET", "h", f"/{name}") for name in ("a", "b", "routed")}


def shop(
    names_in_mesh: dict[str, str], *lost: str, discovery: str = "b.test"
) -> tuple[Document, ...]:
    """Services straight to nodes a and b, and one whose router leads to b."""
    nodes = [
        node(
            name,
            80,
            serviceDiscovery={"dns": {"hostname": discovery}},
            **_name(names_in_mesh, name),
        )
        for name in ("a", "b")
    ]
    documents = (
        MESH,
        gateway(),
        *nodes,
        service("a", node="a"),
        service("b", node="b"),
        service("routed", router="routed"),
        router("routed", route("all", {"prefix": "/"}, ("b", 1))),
        *(gateway_route(name, {"prefix": f"/{name}"}, name) for name in ASKED),
    )
    return tuple(
        each for each in documents if f"{each['kind']}/{each['metadata']['name']}" not in lost
    )


def _name(names_in_mesh: dict[str, str], name: str) -> Document:
    return {"awsName": names_in_mesh[name]} if name in names_in_mesh else {}


def answers(result: LinkResult) -> dict[str, str | int | None]:
    """By path: the node that gets a request, or the status."""
    (found,) = result.graph.gateways.values()
    intents = {name: decide(found, found.listeners[0], asked) for name, asked in ASKED.items()}
    return {
        name: intent.status or intent.shares[0].targets[0].cluster.node.name
        for name, intent in intents.items()
    }


@pytest.mark.parametrize("written", [{"a": "same", "b": "same"}, {"a": "b_shop"}, {"b": "a_shop"}])
def test_the_first_keeps_the_name_and_the_other_cannot_be_called(written: dict[str, str]) -> None:
    result = link(resources(shop(written)))
    assert answers(result) == {"a": "a", "b": 503, "routed": 503}
    assert [(p.code, p.key) for p in result.problems] == [
        (codes.SAME_AWS_NAME, key("VirtualNode", "b"))
    ]


def test_in_another_mesh_the_name_is_free() -> None:
    other = node("c", 80, awsName="a_shop", meshRef={"name": "other"})
    mesh = {**MESH, "metadata": {"name": "other"}, "spec": {}}
    result = link(resources((*shop({}), mesh, other)))
    assert not [p for p in result.problems if p.code is codes.SAME_AWS_NAME]
    assert answers(result) == {"a": "a", "b": "b", "routed": "b"}


def test_a_node_renamed_into_a_taken_name_is_served_as_before() -> None:
    good = link(resources(shop({})))
    renamed = link(resources(shop({"b": "a_shop"})), previous=good)
    assert answers(renamed) == {"a": "a", "b": "b", "routed": "b"}
    assert sum(p.code is codes.LAST_GOOD for p in renamed.problems) == 2


def test_a_name_taken_away_is_not_called_by_rules_from_before() -> None:
    good = link(resources(shop({})))
    taken = link(resources(shop({"a": "b_shop"})), previous=good)
    assert answers(taken) == {"a": "a", "b": 503, "routed": 503}
    given_back = link(resources(shop({})), previous=taken)
    assert answers(given_back) == {"a": "a", "b": "b", "routed": "b"}


def test_rules_from_before_call_nodes_where_they_are_now() -> None:
    good = link(resources(shop({})))
    moved = link(resources(shop({}, "VirtualRouter/routed", discovery="new.test")), previous=good)
    (found,) = moved.graph.gateways.values()
    seen = [
        item.cluster
        for name in ASKED
        for share in decide(found, found.listeners[0], ASKED[name]).shares
        for item in share.targets
    ]
    assert answers(moved)["routed"] == "b"
    assert all("new.test" in str(cluster.discovery) for cluster in seen)


@pytest.mark.envoy
def test_envoy_keeps_them_apart() -> None:
    graph = link(resources(shop({"a": "same", "b": "same"}))).graph
    with running(graph) as envoy:
        seen = outcomes(envoy, 8080, list(ASKED.values()))
    assert [(item.status, item.cluster) for item in seen] == [
        (None, "cds_egress_mesh_same_http_80"),
        (503, None),
        (503, None),
    ]
