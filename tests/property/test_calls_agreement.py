"""What `explain --from` says is what a sidecar does.

As in `test_agreement`, for requests of an application to the services its node calls.
"""

from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from pointsman.envoy import names
from pointsman.graph.call import Call, Way, decide_call
from pointsman.graph.link import link
from pointsman.graph.paths import normalize, split_query
from pointsman.graph.request import Request
from pointsman.observe.explain import client_status
from pointsman.resources.resource_set import ResourceSet
from tests.property.aim import aimed
from tests.property.strategies import (
    NODE_PORTS,
    NODES,
    ROUTER_PORTS,
    SERVICES,
    UNCONNECTED,
    protocols,
    providers,
    requests,
)
from tests.property.test_agreement import GRPC_STATUS
from tests.support.gateway import Outcome, outcomes, sidecar_running
from tests.support.manifests import (
    Document,
    document,
    node,
    resources,
    route,
    router,
    service,
)
from tests.support.scenes import key

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(3600)]

CLIENT = key("VirtualNode", "client")
TCP_PORT = 92
HOSTS = (*(f"{name}.shop" for name in SERVICES), "SVC0.shop", "svc1", "other.test")
ENDS = ("", "", "", ":90", ":91", ":8080")


@dataclass(frozen=True, slots=True)
class Scene:
    """A mesh, and requests by the port that is called."""

    resources: ResourceSet
    requests: tuple[tuple[int, Request], ...]


@st.composite
def scenes(draw: st.DrawFn, request_count: int = 60) -> Scene:
    """A client with some backends, and requests of its application."""
    egress = draw(st.sampled_from(("ALLOW_ALL", "DROP_ALL")))
    documents = [
        document("Mesh", "mesh", {"namespaceSelector": {}, "egressFilter": {"type": egress}})
    ]
    documents += [node(name, *NODE_PORTS, protocol=draw(protocols())) for name in NODES]
    documents.append(node("unfound", *NODE_PORTS, serviceDiscovery=UNCONNECTED))
    documents.append(node("node0-twin", *NODE_PORTS, awsName="node0_shop"))
    documents += [node("bytes", TCP_PORT, protocol="tcp"), service("bytes", node="bytes")]
    for name in SERVICES:
        documents += draw(providers(name))
    called = [*draw(st.lists(st.sampled_from(SERVICES), min_size=1, unique=True)), "bytes"]
    backends = [{"virtualService": {"virtualServiceRef": {"name": name}}} for name in called]
    documents.append(node("client", backends=backends))
    routers = {
        each["metadata"]["name"]: each for each in documents if each["kind"] == "VirtualRouter"
    }
    ports = st.sampled_from((*ROUTER_PORTS * 4, TCP_PORT))
    asked = st.tuples(ports, hosted(requests()) | one_of_its(routers))
    drawn = draw(st.lists(asked, min_size=request_count, max_size=request_count))
    return Scene(resources(documents), tuple(drawn))


@st.composite
def hosted(draw: st.DrawFn, drawn: st.SearchStrategy[Request]) -> Request:
    """A request for one of the hosts that may be called."""
    authority = draw(st.sampled_from(HOSTS)) + draw(st.sampled_from(ENDS))
    return replace(draw(drawn), authority=authority)


@st.composite
def one_of_its(draw: st.DrawFn, routers: dict[str, Document]) -> Request:
    """A request that one of a service's routes may take."""
    name = draw(st.sampled_from(SERVICES))
    target = {"target": {"virtualService": {"virtualServiceRef": {"name": name}}}}
    action = {**target, "rewrite": {"prefix": {"defaultPrefix": "DISABLED"}}}
    body = {"match": {"prefix": "/"}, "action": action}
    request = draw(aimed([{"spec": {"httpRoute": body}}], routers))
    return replace(request, authority=f"{name}.shop")


@settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=list(HealthCheck),
    deadline=None,
    print_blob=True,
)
@given(scene=scenes())
def test_explain_from_and_envoy_agree(scene: Scene) -> None:
    graph = link(scene.resources).graph
    sidecar = graph.sidecars[CLIENT]
    with sidecar_running(graph, CLIENT) as envoy:
        for egress in sidecar.egress:
            asked = [request for port, request in scene.requests if port == egress.port]
            for request, seen in zip(asked, outcomes(envoy, egress.port, asked), strict=True):
                call = decide_call(sidecar, egress.port, request)
                if call.way is Way.TCP and ("x-forwarded-proto", "") in request.headers:
                    continue  # the echo would not answer that either
                wanted = possible(call, request)
                note(f"{egress.port} {request}\n  seen   {seen}\n  wanted {wanted}")
                assert replace(seen, host=None) in wanted


CATALOGUE = (
    Request("GET", "svc.shop", "/", (("x-forwarded-proto", "https"),)),
    Request("GET", "svc.shop", "/", (("x-forwarded-proto", "gopher"),)),
    Request("GET", "svc.shop", "/", (("x-forwarded-proto", ""),)),
    Request("GET", "svc.shop", "/"),
    Request("OPTIONS", "svc.shop", "*"),
    Request("CONNECT", "svc.shop:80", "svc.shop:80"),
)


@pytest.mark.parametrize("request_", CATALOGUE, ids=str)
@pytest.mark.parametrize("egress", ["ALLOW_ALL", "DROP_ALL"])
def test_what_is_rarely_drawn(request_: Request, egress: str) -> None:
    written = [
        document("Mesh", "mesh", {"namespaceSelector": {}, "egressFilter": {"type": egress}}),
        service("svc", router="svc"),
        router(
            "svc",
            route("encrypted", {"prefix": "/", "scheme": "https"}, ("one", 1)),
            route("plain", {"prefix": "/", "scheme": "http"}, ("two", 1)),
        ),
        node("one", 80),
        node("two", 80),
        node("client", backends=[{"virtualService": {"virtualServiceRef": {"name": "svc"}}}]),
    ]
    graph = link(resources(written)).graph
    call = decide_call(graph.sidecars[CLIENT], 80, request_)
    with sidecar_running(graph, CLIENT) as envoy:
        (seen,) = outcomes(envoy, 80, [request_])
    assert replace(seen, host=None) in possible(call, request_)


def possible(call: Call, request: Request) -> set[Outcome]:
    """All outcomes that a decision allows: one for each target that may be chosen."""
    if call.way is Way.TCP:
        return {Outcome(None, None, None, None, None, request.target, request.authority)}
    if call.way is Way.PASSES:
        path, query = split_query(request.target)
        target = f"{normalize(path)}{query}"
        cluster = names.allow_all(call.sidecar)
        return {Outcome(None, None, "allow_all", cluster, None, target, request.authority)}
    share = call.share
    if share is None or share.route is None:
        assert isinstance(call.status, int)
        return {_own(call.status, request, None)}
    name = names.service_route(share.service, share.route)
    if share.abort is not None:
        status, grpc = client_status(share.abort, request)
        return {Outcome(status, grpc, name, None, None, None, None)}
    chosen = [target.cluster for target in share.targets if target.weight]
    return {
        Outcome(
            None, None, name, names.cluster(item), None, share.request.target, request.authority
        )
        if item.is_found
        else _own(503, request, name)
        for item in chosen
    } or {_own(503, request, name)}


def _own(status: int, request: Request, route: str | None) -> Outcome:
    """An answer of the proxy itself."""
    if request.is_grpc:
        return Outcome(200, GRPC_STATUS[status], route, None, None, None, None)
    return Outcome(status, None, route, None, None, None, None)
