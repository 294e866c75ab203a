"""Findings that are problems of reading and linking: one of each check will do."""

from tests.doctor.case import (
    BASE,
    CART,
    Case,
    gateway_route,
    node,
    policy,
    route,
    routed,
    service,
)

TWO_VERSIONS = (
    CART
    + gateway_route("old", "{prefix: /}")
    + gateway_route("new", "{prefix: /}")
    + "".join(
        policy(
            "VersionPolicy",
            name,
            f"{{targetRefs: [{{kind: GatewayRoute, name: {name}}}], version: {name}, "
            "header: x-v, default: true}",
        )
        for name in ("old", "new")
    )
)
ALL = gateway_route("all", "{prefix: /}")
UNSELECTED = BASE.replace(
    "{name: m}\nspec: {namespaceSelector: {}}",
    "{name: m}\nspec: {namespaceSelector: {matchLabels: {a: b}}}",
)
KEYS = """
  targetRefs: [{kind: GatewayRoute, name: all}]
  methods: [{apiKey: {}}]
  rules: [{name: app, action: allow, consumers: [{name: app}]}]
"""
CONSUMER = policy("Consumer", "app", "{}")
CORS = """
  targetRefs: [{kind: GatewayRoute, name: all}]
  cors: {allowOrigins: ["https://a.example"]}
"""
ROUTER_CORS = CORS.replace("kind: GatewayRoute, name: all", "kind: VirtualRouter, name: cart")
ROLLOUT = """
  targetRef: {{kind: VirtualRouter, name: {}}}
  stable: {{name: cart}}
  candidate: {{name: new}}
  strategy: {{canary: {{stepWeight: 10}}}}
"""
TCP_CHECK = (
    "healthCheck: {{protocol: tcp, {}healthyThreshold: 2, unhealthyThreshold: 2, "
    "intervalMillis: 5000, timeoutMillis: 2000}}"
)
FILES = "file: {certificateChain: /certs/chain.pem, privateKey: /certs/key.pem}"
ACM = "acm: {certificateARN: 'arn:aws:acm:eu-west-1:1:certificate/a'}"
TLS = "tls: {{mode: STRICT, certificate: {{{}}}}}"
LOG = "{{accessLog: {{file: {{path: /dev/stdout, format: {{text: '{}'}}}}}}}}"


def logging(text: str) -> str:
    return node("cart", logging=LOG.format(text)) + service("cart") + ALL


def two_of_tcp(first: int, second: int) -> str:
    """An application that calls two databases by TCP."""
    called = ", ".join(
        f"{{virtualService: {{virtualServiceRef: {{name: {name}}}}}}}" for name in ("a", "b")
    )
    databases = (
        node(name).replace("port: 8080, protocol: http", f"port: {port}, protocol: tcp")
        + service(name)
        for name, port in (("a", first), ("b", second))
    )
    return node("app", backends=f"[{called}]") + "".join(databases)


ROUTES = (
    Case(
        "R02",
        "twins",
        routed(route("a", "{prefix: /}"), route("b", "{prefix: /}")),
        routed(route("a", "{prefix: /}"), route("b", "{prefix: /b}")),
        "route b is never reached",
    ),
    Case(
        "R03",
        "all of them 0",
        routed(route("a", "{prefix: /}", "cart=0")),
        routed(route("a", "{prefix: /}", "cart=1")),
        "all weights of route a are 0",
    ),
    Case(
        "R04",
        "nobody of that name",
        routed(route("a", "{prefix: /}", "card")),
        routed(route("a", "{prefix: /}", "cart")),
        "VirtualNode shop/card",
    ),
    Case(
        "R05",
        "an ARN",
        CART
        + ALL.replace(
            "virtualServiceRef: {name: cart}",
            "virtualServiceARN: 'arn:aws:appmesh:eu-west-1:1:mesh/m/virtualService/cart'",
        ),
        CART + ALL,
        "lies outside these manifests",
    ),
    Case(
        "R06",
        "a port of nobody",
        CART + gateway_route("all", "{prefix: /, port: 8089}"),
        CART + gateway_route("all", "{prefix: /, port: 8088}"),
        "the gateway has no listener on port 8089",
    ),
    Case(
        "R07",
        "HTTP to gRPC",
        CART.replace("protocol: http", "protocol: grpc") + ALL,
        CART + ALL,
        "speaks grpc on port 8080",
    ),
    Case(
        "R10",
        "rewritten away",
        routed(route("a", "{prefix: /orders}")).replace(
            "match: {prefix: /}", "match: {path: {exact: /cart}}"
        ),
        routed(route("a", "{prefix: /cart}")).replace(
            "match: {prefix: /}", "match: {path: {exact: /cart}}"
        ),
        "no route of VirtualRouter shop/cart can match",
    ),
    Case(
        "R13",
        "with a port",
        CART + gateway_route("all", "{hostname: {exact: 'shop.example:8080'}}"),
        CART + gateway_route("all", "{hostname: {exact: shop.example}}"),
        "is not a host name",
    ),
    Case(
        "R14",
        "a certificate of AWS",
        node("cart", TLS.format(ACM)) + service("cart") + ALL,
        node("cart", TLS.format(FILES)) + service("cart") + ALL,
        "arn:aws:acm",
    ),
    Case(
        "R15",
        "no mesh selects it",
        UNSELECTED + CART + ALL,
        BASE + CART + ALL,
        "no mesh selects namespace shop",
        "",
    ),
    Case(
        "R25",
        "written twice",
        CART + ALL + ALL.replace("prefix: /", "prefix: /b"),
        CART + ALL + ALL.replace("name: all", "name: b").replace("prefix: /", "prefix: /b"),
        "is already defined",
    ),
    Case(
        "R25",
        "two versions for those who name none",
        TWO_VERSIONS,
        TWO_VERSIONS.replace("default: true", "default: false", 1),
        "is the default already",
    ),
)

OTHERS = (
    Case(
        "U11",
        "two TCP services on one port",
        two_of_tcp(5432, 5432),
        two_of_tcp(5432, 5433),
        "5432",
    ),
    Case(
        "D01",
        "nothing to move",
        routed(route("a", "{prefix: /}"), nodes=node("cart") + node("new"))
        + policy("Rollout", "cart", ROLLOUT.format("card")),
        routed(route("a", "{prefix: /}"), nodes=node("cart") + node("new"))
        + policy("Rollout", "cart", ROLLOUT.format("cart")),
        "there is no VirtualRouter shop/card",
    ),
    Case(
        "C01",
        "a path of a check without paths",
        node("cart", TCP_CHECK.format("path: /ping, ")) + service("cart") + ALL,
        node("cart", TCP_CHECK.format("")) + service("cart") + ALL,
        "tcp checks have no path",
    ),
    Case(
        "U17",
        "nobody of that name",
        CART + ALL + policy("AccessPolicy", "keys", KEYS),
        CART + ALL + policy("AccessPolicy", "keys", KEYS) + CONSUMER,
        "app",
    ),
    Case(
        "U18",
        "CORS without OPTIONS",
        CART + gateway_route("all", "{prefix: /, method: GET}") + policy("RoutePolicy", "c", CORS),
        CART + gateway_route("all", "{prefix: /}") + policy("RoutePolicy", "c", CORS),
        "GatewayRoute shop/all is for GET only",
    ),
    Case(
        "U18",
        "behind a router",
        routed(route("a", "{prefix: /, method: GET}")) + policy("RoutePolicy", "c", ROUTER_CORS),
        routed(route("a", "{prefix: /}")) + policy("RoutePolicy", "c", ROUTER_CORS),
        "route a of VirtualRouter shop/cart is for GET only",
    ),
    Case(
        "C02",
        "a word that is none",
        CART + gateway_route("all", "{prefix: /}", prioritty="1"),
        CART + gateway_route("all", "{prefix: /}", priority="1"),
        "prioritty",
    ),
    Case(
        "C03",
        "a token",
        logging("%REQ(:METHOD)%%REQ(Authorization)%"),
        logging("%REQ(:METHOD)%%REQ(User-Agent)%%%REQ(Authorization)"),
        "the log has header authorization",
    ),
    Case(
        "C03",
        "an alternative",
        logging("%REQ(X-USER?COOKIE)%"),
        logging("%REQ(Authorization):7%"),
        "the log has header cookie",
    ),
)

CASES = (*ROUTES, *OTHERS)
