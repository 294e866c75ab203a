"""Graphs worth disagreeing about, and requests near the boundaries of their own values.

Values come from small pools that overlap on purpose: prefixes of one another, regexes that match
some of the exact paths, headers that several routes look at.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from pointsman.graph.request import Request
from pointsman.resources.resource_set import ResourceSet
from tests.property.aim import aimed
from tests.support.manifests import (
    MESH,
    Document,
    document,
    gateway,
    node,
    resources,
    service,
)

PATHS = ("/a", "/a/", "/a/b", "/ab", "/a/b/", "/b", "/", "/api/v1", "/a.b", "/x/y")
REGEXES = ("/a/.*", "/[ab]", "/a.b", ".*", "/(a|b)/[0-9]+", "/api/v[12]/?", "/a/b|/x/y")
VALUES = ("/", "/b/", "/a/", "/new/path/", "/a/b/")
METHODS = ("GET", "POST", "DELETE", "HEAD")
HOSTS = ("shop.test", "www.shop.test", "a.www.shop.test", "other.test")
SUFFIXES = (".shop.test", "shop.test", ".test", "w.shop.test")
HEADERS = ("x-color", "X-Version", "user-agent", "x-count")
WRITTEN_BY_ENVOY = ("x-forwarded-proto", "x-envoy-retry-on")
SPECIAL_HEADERS = ("host", ":authority", ":path", ":method", ":scheme", "content-type")
WORDS = ("red", "re", "redder", "r", "5", "10", "-3", "GET", "svc0.shop", "/a", "http")
QUERIES = ("q", "color", "debug")
GRPC_SERVICES = ("a", "a.B", "shop.Cart")
GRPC_METHODS = ("Add", "Get")
NODES = ("node0", "node1", "node2")
NODE_PORTS = (80, 81)
LOST = ("unfound", "missing", "node0-twin")
"""Nodes that cannot be called: without endpoints, not there, and of another's name."""
UNCONNECTED = {"awsCloudMap": {"namespaceName": "n", "serviceName": "s"}}
SERVICES = ("svc0", "svc1", "svc2")
ROUTER_PORTS = (90, 91)
POOLS = {
    "http": {"maxConnections": 64},
    "http2": {"maxRequests": 64},
    "grpc": {"maxRequests": 64},
}


@dataclass(frozen=True, slots=True)
class Scene:
    """Manifests, and requests to ask at some of the gateway's ports."""

    resources: ResourceSet
    requests: tuple[tuple[int, Request], ...]


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """None as often as not."""
    return st.none() | strategy


def block(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping without the fields that came out as None."""
    return st.fixed_dictionaries(fields).map(
        lambda drawn: {name: value for name, value in drawn.items() if value is not None}
    )


@st.composite
def value_matches(draw: st.DrawFn) -> Document:
    """One of the six ways to compare a header; presence is drawn by its absence."""
    kind = draw(st.sampled_from(("exact", "prefix", "suffix", "regex", "range")))
    if kind == "range":
        start = draw(st.sampled_from((-5, 0, 5)))
        return {"range": {"start": start, "end": start + draw(st.sampled_from((1, 5, 6)))}}
    if kind == "regex":
        return {"regex": draw(st.sampled_from(("r.*", "red|10", "[0-9]+", ".*er", "[^,]*")))}
    return {kind: draw(st.sampled_from(WORDS))}


def headers() -> st.SearchStrategy[Any]:
    """No, one or two conditions on headers."""
    names = st.sampled_from(HEADERS) | st.sampled_from(
        (*HEADERS, *SPECIAL_HEADERS, *WRITTEN_BY_ENVOY)
    )
    one = block(name=names, match=optional(value_matches()), invert=optional(st.booleans()))
    return st.none() | st.none() | st.lists(one, min_size=1, max_size=2)


def queries() -> st.SearchStrategy[Any]:
    """No, one or two conditions on query parameters."""
    exact = block(exact=optional(st.sampled_from(("1", "red", ""))))
    one = block(name=st.sampled_from(QUERIES), match=optional(exact))
    return st.none() | st.none() | st.lists(one, min_size=1, max_size=2)


def paths() -> st.SearchStrategy[Document]:
    """An exact path or a regex."""
    exact = st.sampled_from(PATHS).map(lambda path: {"exact": path})
    return exact | st.sampled_from(REGEXES).map(lambda regex: {"regex": regex})


def places() -> st.SearchStrategy[Document]:
    """A prefix or a path."""
    prefix = st.sampled_from(PATHS).map(lambda prefix: {"prefix": prefix})
    return prefix | prefix | paths().map(lambda path: {"path": path})


def hostnames() -> st.SearchStrategy[Any]:
    """A host, a suffix or none."""
    exact = st.sampled_from((*HOSTS, "Shop.Test")).map(lambda host: {"exact": host})
    return st.none() | exact | st.sampled_from(SUFFIXES).map(lambda host: {"suffix": host})


def protocols() -> st.SearchStrategy[str]:
    """Mostly HTTP/1.1; the others take another way through Envoy."""
    return st.just("http") | st.sampled_from(("http", "http2", "grpc"))


def priorities() -> st.SearchStrategy[Any]:
    """Mostly none, so that the other rules of order decide."""
    return st.none() | st.sampled_from((0, 1, 1000))


def hostname_rewrites() -> st.SearchStrategy[Any]:
    """On, off, or left to the default."""
    return optional(block(defaultTargetHostname=optional(st.sampled_from(("ENABLED", "DISABLED")))))


@st.composite
def http_bodies(draw: st.DrawFn, ports: tuple[int, ...]) -> Document:
    """An HTTP gateway route without its kind."""
    place = draw(st.just({}) | places() | places())
    hostname = draw(hostnames())
    if not place and hostname is None:
        hostname = {"suffix": ".test"}
    rest = block(
        method=optional(st.sampled_from(METHODS)), headers=headers(), queryParameters=queries()
    )
    match = {**place, **draw(rest), **_port(draw, ports)}
    if hostname is not None:
        match["hostname"] = hostname
    rewrite: dict[str, Any] = {}
    if "prefix" in place:
        change = draw(
            st.none()
            | st.sampled_from(VALUES).map(lambda value: {"value": value})
            | st.sampled_from(("ENABLED", "DISABLED")).map(lambda on: {"defaultPrefix": on})
        )
        rewrite = {} if change is None else {"prefix": change}
    elif "path" in place:
        change = draw(optional(st.sampled_from(PATHS)))
        rewrite = {} if change is None else {"path": {"exact": change}}
    host = draw(hostname_rewrites())
    return {"match": match, "action": _action(draw, rewrite, host)}


@st.composite
def grpc_bodies(draw: st.DrawFn, ports: tuple[int, ...]) -> Document:
    """A gRPC gateway route without its kind."""
    name, hostname = draw(optional(st.sampled_from(GRPC_SERVICES))), draw(hostnames())
    if name is None and hostname is None:
        name = GRPC_SERVICES[0]
    fields = {"serviceName": name, "hostname": hostname, "metadata": draw(headers())}
    match = {key: value for key, value in fields.items() if value is not None}
    return {
        "match": {**match, **_port(draw, ports)},
        "action": _action(draw, {}, draw(hostname_rewrites())),
    }


def _port(draw: st.DrawFn, ports: tuple[int, ...]) -> Document:
    return {"port": draw(st.sampled_from(ports))} if len(ports) > 1 else {}


def _action(draw: st.DrawFn, rewrite: dict[str, Any], host: Document | None) -> Document:
    action: dict[str, Any] = {}
    rewrite = rewrite if host is None else {**rewrite, "hostname": host}
    if rewrite:
        action["rewrite"] = rewrite
    target = st.fixed_dictionaries(
        {
            "ref": st.sampled_from(SERVICES).map(
                lambda name: {"virtualServiceRef": {"name": name}}
            ),
            "port": st.sampled_from(ROUTER_PORTS),
            "weight": st.sampled_from((0, 1, 3, 100)),
        }
    )
    if draw(st.integers(0, 3)):
        one = draw(target)
        action["target"] = {"virtualService": one["ref"], "port": one["port"]}
    else:
        several = draw(st.lists(target, min_size=1, max_size=3))
        action["weightedTargets"] = [
            {"targetRef": item["ref"], "weight": item["weight"], "port": item["port"]}
            for item in several
        ]
    return action


@st.composite
def router_routes(draw: st.DrawFn, name: str) -> Document:
    """A route of a virtual router."""
    fields: dict[str, Any] = {"name": name}
    priority = draw(priorities())
    if priority is not None:
        fields["priority"] = priority
    port = {"port": draw(st.sampled_from(ROUTER_PORTS))}
    targets = st.fixed_dictionaries(
        {
            "virtualNodeRef": st.sampled_from(NODES * 3 + LOST).map(lambda node: {"name": node}),
            "port": st.sampled_from(NODE_PORTS),
            "weight": st.sampled_from((0, 1, 50)),
        }
    )
    action = {"weightedTargets": draw(st.lists(targets, min_size=1, max_size=3))}
    if draw(st.integers(0, 4)) == 0:
        match = draw(
            block(
                serviceName=st.sampled_from(GRPC_SERVICES),
                methodName=optional(st.sampled_from(GRPC_METHODS)),
                metadata=headers(),
            )
        )
        return {**fields, "grpcRoute": {"match": {**match, **port}, "action": action}}
    conditions = block(
        method=optional(st.sampled_from(METHODS)),
        scheme=st.none() | st.none() | st.sampled_from(("http", "https")),
        headers=headers(),
        queryParameters=queries(),
    )
    match = {**draw(places()), **draw(conditions), **port}
    return {**fields, "httpRoute": {"match": match, "action": action}}


@st.composite
def providers(draw: st.DrawFn, name: str) -> list[Document]:
    """A virtual service with its router, if it has one."""
    kind = draw(st.sampled_from(("router", "router", "router", "node", "nothing")))
    if kind == "node":
        # Router ports are what gateway routes name, so this node listens on them.
        return [service(name, node=f"{name}-node"), node(f"{name}-node", *ROUTER_PORTS)]
    if kind == "nothing":
        return [service(name)]
    count = draw(st.integers(0, 4))
    routes = [draw(router_routes(f"r{index}")) for index in range(count)]
    listeners = [{"portMapping": {"port": port, "protocol": "http"}} for port in ROUTER_PORTS]
    return [
        service(name, router=name),
        document("VirtualRouter", name, {"listeners": listeners, "routes": routes}),
    ]


@st.composite
def gateway_routes(draw: st.DrawFn, name: str, ports: tuple[int, ...]) -> Document:
    """A gateway route of either kind."""
    field, body = draw(
        st.tuples(st.just("httpRoute"), http_bodies(ports))
        | st.tuples(st.just("httpRoute"), http_bodies(ports))
        | st.tuples(st.just("grpcRoute"), grpc_bodies(ports))
    )
    priority = draw(priorities())
    spec = {field: body} if priority is None else {field: body, "priority": priority}
    return document("GatewayRoute", name, spec)


@st.composite
def gateways(draw: st.DrawFn, ports: tuple[int, ...]) -> Document:
    """A gateway whose listeners may have connection pools."""
    listeners = []
    for port in ports:
        protocol = draw(protocols())
        listener: dict[str, Any] = {"portMapping": {"port": port, "protocol": protocol}}
        if draw(st.integers(0, 3)) == 0:
            listener["connectionPool"] = {protocol: POOLS[protocol]}
        listeners.append(listener)
    return gateway(listeners=listeners)


@st.composite
def scenes(draw: st.DrawFn, request_count: int = 60) -> Scene:
    """A whole mesh with a gateway, and requests to it."""
    ports = draw(st.sampled_from(((8080,), (8080,), (8080, 8081))))
    documents = [MESH, draw(gateways(ports))]
    documents += [node(name, *NODE_PORTS, protocol=draw(protocols())) for name in NODES]
    documents.append(node("unfound", *NODE_PORTS, serviceDiscovery=UNCONNECTED))
    documents.append(node("node0-twin", *NODE_PORTS, awsName="node0_shop"))
    for name in SERVICES:
        documents += draw(providers(name))
    count = draw(st.integers(1, 6))
    routes = [draw(gateway_routes(f"g{index}", ports)) for index in range(count)]
    routers = {
        each["metadata"]["name"]: each for each in documents if each["kind"] == "VirtualRouter"
    }
    asked = st.tuples(st.sampled_from(ports), requests() | aimed(routes, routers))
    drawn = draw(st.lists(asked, min_size=request_count, max_size=request_count))
    return Scene(resources([*documents, *routes]), tuple(drawn))


def targets() -> st.SearchStrategy[str]:
    """Request targets around the paths that routes know."""
    grpc = st.tuples(st.sampled_from(GRPC_SERVICES), st.sampled_from((*GRPC_METHODS, "", "x")))
    known = st.sampled_from(PATHS) | grpc.map(lambda pair: f"/{pair[0]}/{pair[1]}")
    first = st.sampled_from(PATHS).map(lambda path: path.rstrip("/"))
    joined = st.tuples(first, st.sampled_from(("", "/", "//")), known.map(lambda p: p.lstrip("/")))
    ends = (
        "",
        "",
        "",
        "/",
        "x",
        "//",
        "/.",
        "/..",
        "..",
        ".",
        "/%2e%2e/b",
        "%41",
        "%2f",
        "/7",
        "/v1",
    )
    query = (
        "",
        "",
        "",
        "?",
        "?q",
        "?q=1",
        "?q=red&q=1",
        "?color=red&debug",
        "?debug=&q=%31",
        "?Q=1",
    )
    path = known | joined.map("".join)
    target = st.tuples(path, st.sampled_from(ends), st.sampled_from(query)).map("".join)
    return target.map(lambda text: text if text.startswith("/") else f"/{text}")


def authorities() -> st.SearchStrategy[str]:
    """Hosts, with ports and in upper case too."""
    hosts = st.sampled_from((*HOSTS, "test", "WWW.Shop.Test", "xshop.test", "svc0.shop"))
    return st.tuples(hosts, st.sampled_from(("", "", ":80", ":8080"))).map("".join)


def request_headers() -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    """Headers routes look at, absent, repeated, odd or gRPC's."""
    one = st.tuples(
        st.sampled_from((*(name.lower() for name in HEADERS * 2), *WRITTEN_BY_ENVOY)),
        st.sampled_from((*WORDS, "", "red,10", "4", "Red")),
    )
    grpc = st.sampled_from(("application/grpc", "application/grpc+proto", "application/grpc-web"))
    typed = grpc.map(lambda value: (("content-type", value),))
    return st.tuples(st.lists(one, max_size=3).map(tuple), st.just(()) | st.just(()) | typed).map(
        lambda pair: pair[0] + pair[1]
    )


def requests() -> st.SearchStrategy[Request]:
    """Requests near the boundaries."""
    return st.builds(
        Request,
        method=st.sampled_from(("GET", "GET", "GET", *METHODS)),
        authority=authorities(),
        target=targets(),
        headers=request_headers(),
    )
