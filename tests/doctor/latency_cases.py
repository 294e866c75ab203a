"""Lxx."""

from tests.doctor.case import Case, gateway_route, node, policy, route, routed, router, service

MINUTE = "{perRequest: {unit: s, value: 60}}"
NODE_MINUTE = "timeout: {http: {perRequest: {unit: s, value: 60}}}"
RETRY = "{{maxRetries: {}, perRetryTimeout: {{unit: s, value: 1}}, httpRetryEvents: [{}]}}"
EXTENDED = """
  targetRefs: [{kind: GatewayRoute, name: all}]
  timeout: {perRequest: {unit: s, value: 60}}
"""


def chain(event: str, retries: int) -> str:
    """A gateway that calls front, which calls cart; both hops try again."""
    retry = RETRY.format(retries, event)
    backends = "[{virtualService: {virtualServiceRef: {name: cart}}}]"
    return (
        node("front", backends=backends)
        + service("front", "VirtualRouter/front")
        + router("front", route("all", "{prefix: /}", "front", retryPolicy=retry))
        + node("cart")
        + service("cart", "VirtualRouter/cart")
        + router("cart", route("all", "{prefix: /}", "cart", retryPolicy=retry))
        + gateway_route("all", "{prefix: /}", "front")
    )


CASES = (
    Case(
        "L01",
        "the node's default",
        routed(route("slow", "{prefix: /}", timeout=MINUTE)),
        routed(route("slow", "{prefix: /}", timeout=MINUTE), nodes=node("cart", NODE_MINUTE)),
        "60 s are allowed, but VirtualNode shop/cart on port 8080 ends requests after 15 s",
    ),
    Case(
        "L01",
        "a policy of the gateway route",
        routed(route("slow", "{prefix: /}")) + policy("RoutePolicy", "slow", EXTENDED),
        routed(route("slow", "{prefix: /}"), nodes=node("cart", NODE_MINUTE))
        + policy("RoutePolicy", "slow", EXTENDED),
        "60 s are allowed",
    ),
    Case(
        "L01",
        "each try fits",
        routed(
            route("slow", "{prefix: /}", timeout=MINUTE, retryPolicy=RETRY.format(2, ""))
        ).replace("unit: s, value: 1}", "unit: s, value: 20}"),
        routed(route("slow", "{prefix: /}", timeout=MINUTE, retryPolicy=RETRY.format(2, ""))),
        "20 s are allowed",
    ),
    Case(
        "L02",
        "tries that do not fit",
        routed(route("a", "{prefix: /}", retryPolicy=RETRY.format(20, "server-error"))),
        routed(route("a", "{prefix: /}", retryPolicy=RETRY.format(2, "server-error"))),
        "21 tries of 1000 ms do not fit into 15000 ms",
    ),
    Case(
        "L03",
        "server errors at two hops",
        chain("server-error", 5),
        chain("server-error", 2),
        "one request may become 36 at the end of its chain: 6 times 6",
    ),
    Case(
        "L03",
        "refused streams cost nothing",
        chain("gateway-error", 5),
        chain("stream-error", 5),
        "one request may become 36",
    ),
    Case(
        "L04",
        "a stream",
        routed(route("watch", "{prefix: /}", timeout="{perRequest: {unit: s, value: 0}}")),
        routed(
            route("watch", "{prefix: /}", timeout="{perRequest: {unit: s, value: 0}}"),
            nodes=node("cart", "timeout: {http: {perRequest: {unit: s, value: 0}}}"),
        ),
        "requests without a time limit end after 15 s at VirtualNode shop/cart on port 8080",
    ),
)
