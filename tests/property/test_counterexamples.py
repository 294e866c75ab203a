"""Where the explanation and Envoy once disagreed, each as small as it can be."""

import pytest

from pointsman.graph.intent import decide
from pointsman.graph.request import Request
from tests.property.test_agreement import possible
from tests.support.gateway import outcomes, running
from tests.support.manifests import (
    MESH,
    Document,
    document,
    gateway,
    gateway_route,
    node,
    route,
    router,
    service,
)
from tests.support.scenes import linked

pytestmark = pytest.mark.envoy

KEEP = {"prefix": {"defaultPrefix": "DISABLED"}, "hostname": {"defaultTargetHostname": "DISABLED"}}
BOOKS = (
    MESH,
    gateway(),
    node("a", 80),
    node("b", 80),
    service("plain", node="a"),
    service("books", router="books"),
    router(
        "books",
        route("regex", {"path": {"regex": "/page[0-9]+"}}, ("b", 1)),
        route("admin", {"prefix": "/admin"}, ("a", 1)),
        ports=(80,),
    ),
)


def check(documents: tuple[Document, ...], *requests: Request) -> None:
    graph = linked(*documents).graph
    (gateway,) = graph.gateways.values()
    (listener,) = gateway.listeners
    with running(graph) as envoy:
        for request, seen in zip(
            requests, outcomes(envoy, listener.port, list(requests)), strict=True
        ):
            assert seen in possible(decide(gateway, listener, request), request), request


@pytest.mark.parametrize(
    "segments",
    [
        ("//", "///", "/a/..//", "/a//../b"),
        ("/a/..;x/c", "/a/.;", "/a/%2e%2e;/c", "/a\\..;/b", "/..;"),
        ("/%4%41", "/%%34%31", "/%zz", "/%", "/a%2541"),
        ('/a"b', "/{x}", "/a|b", "/a^`<>"),
        ("/a%00", "/a#b", "/a?x#y"),
    ],
    ids=["slashes", "parameters", "nested", "delimiters", "refused"],
)
def test_paths_are_normalised_alike(segments: tuple[str, ...]) -> None:
    documents = (*BOOKS, gateway_route("g", {"prefix": "/"}, "plain", rewrite=KEEP))
    check(documents, *(Request("GET", "h", path) for path in segments))


@pytest.mark.parametrize("target", ["plain", "books"])
def test_a_rewrite_cannot_climb_out_of_its_prefix(target: str) -> None:
    rewrite = {"prefix": {"value": "/public/"}}
    documents = (*BOOKS, gateway_route("g", {"prefix": "/x"}, target, rewrite=rewrite))
    climbing = (
        "/x../admin",
        "/x..",
        "/x.",
        "/x./admin",
        "/x..;a/admin",
        "/x%2e%2e/admin",
        "/x..%2fadmin",
    )
    allowed = ("/x/.well-known", "/x/..hidden", "/x1../a", "/x-..%2fadmin")
    check(documents, *(Request("GET", "h", path) for path in climbing + allowed))
    graph = linked(*documents).graph
    (gateway,) = graph.gateways.values()
    for path in climbing:
        assert decide(gateway, gateway.listeners[0], Request("GET", "h", path)).status == 400


def test_the_root_of_slashes_survives_a_rewrite() -> None:
    rewrite = {"prefix": {"value": "/v/"}}
    documents = (*BOOKS, gateway_route("g", {"prefix": "/"}, "plain", rewrite=rewrite))
    check(documents, Request("GET", "h", "//"), Request("GET", "h", "/a"))


@pytest.mark.parametrize("name", ["x-count", "user-agent", "cookie", "accept"])
@pytest.mark.parametrize("invert", [False, True])
def test_repeated_headers_are_compared_alike(name: str, invert: bool) -> None:
    tests = ({"exact": "re,5"}, {"exact": "re"}, {"suffix": "e"}, {"range": {"start": 5, "end": 6}})
    routes = [
        gateway_route(
            f"g{index}",
            {"prefix": f"/{index}", "headers": [{"name": name, "match": test, "invert": invert}]},
            "plain",
        )
        for index, test in enumerate(tests)
    ]
    repeated = ((name, "re"), (name, "5"))
    check((*BOOKS, *routes), *(Request("GET", "h", f"/{i}", repeated) for i in range(len(tests))))


@pytest.mark.parametrize("name", ["x-forwarded-proto", "x-envoy-retry-on"])
def test_headers_of_the_proxys_own_are_not_the_clients(name: str) -> None:
    match = {"prefix": "/", "headers": [{"name": name, "match": {"exact": "https"}}]}
    documents = (*BOOKS, gateway_route("g", match, "plain"))
    check(documents, Request("GET", "h", "/", ((name, "https"),)))


@pytest.mark.parametrize("path", ["/x../a", "/nothing", "/x/nothing", "/x%00", "/x/admin"])
def test_grpc_clients_get_a_grpc_status(path: str) -> None:
    documents = (*BOOKS, gateway_route("g", {"prefix": "/x"}, "books"))
    check(documents, Request("POST", "h", path, (("content-type", "application/grpc"),)))


def test_one_service_by_two_ports_needs_two_second_passes() -> None:
    listeners = [{"portMapping": {"port": port, "protocol": "http"}} for port in (80, 81)]
    routes = [
        route(f"r{port}", {"path": {"regex": "/page[0-9]"}, "port": port}, (name, 1))
        for port, name in ((80, "a"), (81, "b"))
    ]
    targets = [
        {"targetRef": {"virtualServiceRef": {"name": "two"}}, "weight": weight, "port": port}
        for port, weight in ((80, 1), (81, 1_000_000))
    ]
    body = {"match": {"prefix": "/x"}, "action": {"weightedTargets": targets}}
    documents = (
        *BOOKS,
        service("two", router="two"),
        document("VirtualRouter", "two", {"listeners": listeners, "routes": routes}),
        document("GatewayRoute", "g", {"httpRoute": body}),
    )
    with running(linked(*documents).graph) as envoy:
        asked = [Request("GET", "h", "/x/page1")] * 20
        clusters = [seen.cluster for seen in outcomes(envoy, 8080, asked)]
    assert clusters.count("cds_egress_mesh_b_shop_http_80") >= 19


def test_a_node_nothing_finds_answers_503() -> None:
    lost = document(
        "VirtualNode",
        "lost",
        {
            "listeners": [{"portMapping": {"port": 80, "protocol": "http"}}],
            "serviceDiscovery": {"awsCloudMap": {"namespaceName": "n", "serviceName": "s"}},
        },
    )
    documents = (*BOOKS, lost, service("s", node="lost"), gateway_route("g", {"prefix": "/"}, "s"))
    graph = linked(*documents).graph
    (gateway,) = graph.gateways.values()
    request = Request("GET", "h", "/")
    assert decide(gateway, gateway.listeners[0], request).status == 503
    with running(graph) as envoy:
        (seen,) = outcomes(envoy, 8080, [request])
    assert seen.status == 503


@pytest.mark.parametrize("method", ["CONNECT", None])
def test_requests_without_a_path_match_nothing(method: str | None) -> None:
    match = {"prefix": "/"} if method is None else {"prefix": "/", "method": method}
    documents = (*BOOKS, gateway_route("g", match, "plain"))
    check(
        documents,
        Request("CONNECT", "h:443", "h:443"),
        Request("OPTIONS", "h", "*"),
        Request("OPTIONS", "h", "/"),
    )


def test_a_trailing_dot_makes_another_host() -> None:
    hosts = ({"exact": "shop.test."}, {"exact": "shop.test"}, {"suffix": ".end."})
    routes = [
        gateway_route(f"g{index}", {"prefix": "/", "hostname": host}, "plain")
        for index, host in enumerate(hosts)
    ]
    asked = ("shop.test.", "shop.test", "shop.test.:80", "a.end.", "a.end")
    check((*BOOKS, *routes), *(Request("GET", host, "/") for host in asked))
