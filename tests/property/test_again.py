"""What was linked and translated before spares work and changes nothing.

A mesh with sidecars is edited at random. After every edit the graph, the problems and the bytes
are those that come out without any memory of steps; only what was last good is handed on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.control.endpoints import Endpoints
from pointsman.envoy import pb
from pointsman.envoy.bundle import Bundle
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.seal import unseal
from pointsman.envoy.sealed import ROUTE
from pointsman.envoy.translate import translate
from pointsman.graph.link import LinkResult, link
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.memo import Memo
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.graph import Graph
from pointsman.registry.instance import Instance
from pointsman.registry.registry import Registry
from tests.registry.instances import instance
from tests.support.manifests import (
    Document,
    document,
    gateway,
    gateway_route,
    node,
    policy,
    resources,
    route,
    router,
    service,
)
from tests.support.scenes import key

CLOUD = {"awsCloudMap": {"namespaceName": "shop.local", "serviceName": "cart"}}
FILES = {"file": {"certificateChain": "/c.pem", "privateKey": "/k.pem"}}
SERVES = {"mode": "PERMISSIVE", "certificate": FILES}


def mesh(name: str = "mesh", **spec: Any) -> Document:
    return document("Mesh", name, {"namespaceSelector": {}, **spec})


def calls(*names: str, **more: Any) -> list[Document]:
    return [{"virtualService": {"virtualServiceRef": {"name": name}, **more}} for name in names]


def trusts(file: str, **more: Any) -> Document:
    tls = {"validation": {"trust": {"file": {"certificateChain": file}}}, **more}
    return {"clientPolicy": {"tls": tls}}


def listener(port: int, protocol: str = "http", **more: Any) -> Document:
    return {"portMapping": {"port": port, "protocol": protocol}, **more}


def named(item: Document, aws: str) -> Document:
    return {**item, "spec": {**item["spec"], "awsName": aws}}


def tcp(name: str, *targets: tuple[str, int], idle: int | None = None) -> Document:
    weighted = [{"virtualNodeRef": {"name": n}, "weight": w, "port": 9} for n, w in targets]
    body: dict[str, Any] = {"action": {"weightedTargets": weighted}}
    if idle is not None:
        body["timeout"] = {"idle": {"unit": "s", "value": idle}}
    spec = {"listeners": [listener(9, "tcp")], "routes": [{"name": "t", "tcpRoute": body}]}
    return document("VirtualRouter", name, spec)


GROUP = document("BackendGroup", "group", {"virtualservices": [{"name": "b"}, {"name": "t"}]})
CHECK = {
    "healthyThreshold": 2,
    "unhealthyThreshold": 2,
    "intervalMillis": 5000,
    "timeoutMillis": 2000,
    "protocol": "tcp",
}
SLOTS: Mapping[str, tuple[Document | None, ...]] = {
    "mesh": (
        mesh(),
        mesh(egressFilter={"type": "ALLOW_ALL"}),
        mesh(meshServiceDiscovery={"ipPreference": "IPv6_ONLY"}),
        mesh(awsName="other", meshOwner="123456789012"),
    ),
    "mesh2": (None, None, document("Mesh", "second", {})),
    "client": (
        node("client", backends=calls("a", "t")),
        node("client", 80, backends=calls("a", "b"), backendGroups=[{"name": "group"}]),
        node("client", 80, backends=calls("b", **trusts("/x.pem")), backendGroups=[{"name": "*"}]),
        node(
            "client",
            backends=[*calls("a"), *calls("b", **trusts("/y.pem", enforce=False))],
            backendDefaults=trusts("/x.pem", ports=[80]),
        ),
        node("client", 80, logging={"accessLog": {"file": {"path": "/dev/stdout"}}}),
        None,
    ),
    "n": (
        node("n", 80),
        node("n", 80, 81, protocol="grpc"),
        node("n", listeners=[listener(80, tls=SERVES), listener(9, "tcp", healthCheck=CHECK)]),
        named(node("n", 80), "renamed"),
        named(node("n", 80), "m_shop"),
        node("n", 80, serviceDiscovery=CLOUD, backends=calls("a")),
        None,
    ),
    "m": (
        node("m", 80, serviceDiscovery=CLOUD),
        node("m", listeners=[listener(80), listener(9, "tcp", tls=SERVES)]),
        named(node("m", 80), "n_shop"),
        None,
    ),
    "a": (
        service("a", router="r"),
        service("a", node="n"),
        service("a", node="m"),
        named(service("a", node="n"), "b.shop"),
        service("a"),
        None,
    ),
    "b": (
        service("b", node="n"),
        service("b", node="m"),
        named(service("b", node="m"), "a.shop"),
        named(service("b", node="m"), "A.shop"),
        None,
    ),
    "t": (service("t", router="t"), service("t", node="n"), None),
    "router": (
        router("r", route("x", {"prefix": "/"}, ("n", 1), ("m", 1))),
        router("r", route("x", {"prefix": "/x"}, ("n", 1)), route("y", {"prefix": "/"}, ("m", 0))),
        router("r", route("x", {"prefix": "/"}, ("n", 1)), ports=(80, 81)),
        tcp("r", ("n", 1)),
        None,
    ),
    "tcp router": (
        tcp("t", ("n", 1), ("m", 2)),
        tcp("t", ("m", 0)),
        tcp("t", ("n", 3), idle=0),
        None,
    ),
    "group": (
        GROUP,
        document("BackendGroup", "group", {"virtualservices": [{"name": "a"}]}),
        None,
    ),
    "tls": (
        None,
        policy("MeshTLS", "tls", "Mesh/mesh", mode="STRICT"),
        policy("MeshTLS", "tls", "VirtualNode/n/80", "VirtualNode/m", mode="PERMISSIVE"),
        policy("MeshTLS", "tls", "VirtualNode/n", "Mesh/mesh", mode="DISABLED"),
    ),
    "tls2": (None, policy("MeshTLS", "also", "VirtualNode/n", mode="STRICT")),
    "route policy": (
        None,
        policy("RoutePolicy", "p", "VirtualService/a", mirror={"virtualNodeRef": {"name": "m"}}),
        policy("RoutePolicy", "p", "VirtualRouter/r/x", fault={"abort": {"httpStatus": 418}}),
    ),
    "backend policy": (
        None,
        policy("BackendPolicy", "q", "VirtualNode/n", algorithm="RANDOM"),
        policy("BackendPolicy", "q", "VirtualNode/m/80", zoneAware=True),
        policy("BackendPolicy", "q", "VirtualNode/m", stickiness={"header": "x-a"}),
    ),
    "listener policy": (
        None,
        policy("ListenerPolicy", "l", "VirtualNode/n", compression={}),
        policy("ListenerPolicy", "l", "VirtualNode/client/80", upgrades=["WEBSOCKET"]),
    ),
    "address policy": (
        None,
        policy("AddressPolicy", "d", "VirtualService/t", addresses=["10.0.0.1"]),
        policy("AddressPolicy", "d", "VirtualService/b", addresses=["10.0.0.0/8"]),
    ),
    "gateway": (None, gateway(), gateway(backendDefaults=trusts("/z.pem"))),
    "gateway route": (
        None,
        gateway_route("g", {"prefix": "/"}, "a"),
        gateway_route("g", {"prefix": "/g"}, "b"),
    ),
}
GIVEN = (
    GivenEndpoints(),
    GivenEndpoints(registered=True),
    GivenEndpoints(by_node={(key("VirtualNode", "n"), 80): Address("127.0.0.1", 8)}),
    GivenEndpoints(by_name={("n.test", 80): Address("127.0.0.1", 7)}, registered=True, bare=False),
)
CARTS: tuple[tuple[Instance, ...], ...] = (
    (),
    (instance("a"),),
    (instance("a"), instance("b", "10.0.0.9")),
)

State = tuple[Mapping[str, Document | None], GivenEndpoints, tuple[Any, ...]]


@st.composite
def histories(draw: st.DrawFn) -> list[State]:
    """A mesh, and what a few edits make of it."""
    written = {name: variants[0] for name, variants in SLOTS.items()}
    found, carts = GIVEN[0], CARTS[0]
    states: list[State] = []
    for _ in range(draw(st.integers(2, 5))):
        for name in draw(st.lists(st.sampled_from(sorted(SLOTS)), max_size=5)):
            written = {**written, name: draw(st.sampled_from(SLOTS[name]))}
        if draw(st.integers(0, 3)) == 0:
            found = draw(st.sampled_from(GIVEN))
        if draw(st.booleans()):
            carts = draw(st.sampled_from(CARTS))
        states.append((written, found, carts))
    return states


def classes(graph: Graph) -> Iterator[NodeClass]:
    for owner in graph.proxies:
        yield NodeClass(owner, "delta", zone="eu-1a")
        yield NodeClass(owner, "sotw")
        yield NodeClass(owner, "static", "127.0.0.1", egress="127.0.0.1")


def bundles(graph: Graph, memos: dict[NodeClass, Memo]) -> dict[NodeClass, Bundle]:
    found = {}
    for item in classes(graph):
        memo = Memo(memos.get(item))
        found[item] = translate(graph, item, memo)
        memo.forget_previous()
        memos[item] = memo
    return found


def problems(result: LinkResult) -> set[str]:
    return {f"{item.code.id} {item.key} {item.path} {item.message}" for item in result.problems}


@pytest.mark.timeout(3600)
@settings(suppress_health_check=list(HealthCheck))
@given(states=histories(), seed=st.randoms(use_true_random=False))
def test_memory_changes_nothing(states: list[State], seed: Any) -> None:
    registry = Registry(["files"])
    endpoints = Endpoints(registry)
    previous: LinkResult | None = None
    memos: dict[NodeClass, Memo] = {}
    for written, found, carts in states:
        documents = [item for item in written.values() if item is not None]
        name = instance("a").service
        registry.replace("files", {name: list(carts)})
        endpoints.update([name])
        good = None if previous is None else replace(previous, memo=Memo())
        result = link(resources(documents), found, previous)
        seed.shuffle(documents)
        fresh = link(resources(documents), found, good)
        assert result.graph == fresh.graph
        assert result.services == fresh.services
        assert problems(result) == problems(fresh)
        again, anew = bundles(result.graph, memos), bundles(fresh.graph, {})
        assert again == anew
        assert endpoints.compose(again) == Endpoints(registry).compose(anew)
        for bundle in again.values():
            check_tables(bundle)
        previous = result


def check_tables(bundle: Bundle) -> None:
    """Envoy refuses a table in which two virtual hosts have one host, whatever its case."""
    for sealed in bundle.resources.get(ROUTE, {}).values():
        table: pb.Message = unseal(sealed)
        domains = [domain.lower() for host in table.virtual_hosts for domain in host.domains]
        assert len(domains) == len(set(domains)), domains
