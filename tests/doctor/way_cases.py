"""What was seen of proxies beside applications, of tries, of clients that left, of what ends."""

from dataclasses import replace

from pointsman.envoy.stats import Scope
from pointsman.observe.status import ProxyStatus, TypeStatus
from pointsman.telemetry.window import Subject
from tests.doctor.case import node, policy, route, routed
from tests.doctor.live_cases import (
    CART,
    CART_PROXY,
    EDGE,
    GATEWAY,
    GOOD,
    LOST,
    SHOP,
    SLOW,
    SPLIT,
    WELL,
    LiveCase,
    counted,
    phases,
    seen,
    some,
)

POOLED = routed(
    route("main", "{prefix: /}"),
    nodes=node("cart", "connectionPool: {http: {maxConnections: 1}}"),
)
BRIEF = routed(
    route("main", "{prefix: /}"),
    nodes=node("cart", "timeout: {http: {perRequest: {unit: s, value: 2}}}"),
)
TRIED = routed(
    route(
        "main",
        "{prefix: /}",
        retryPolicy="{maxRetries: 2, perRetryTimeout: {unit: ms, value: 300}, "
        "httpRetryEvents: [server-error]}",
    )
)
HURRIED = SHOP + policy(
    "RoutePolicy",
    "hurry",
    "{targetRefs: [{kind: GatewayRoute, name: all}], timeout: {perRequest: {unit: ms, value: 70}}}",
)
LONG = routed(route("main", "{prefix: /}", timeout="{perRequest: {unit: s, value: 60}}"))
"""A route that allows more than the 15 s of its node."""

INSIDE = replace(
    GOOD,
    node=CART_PROXY,
    start=1.0,
    port=8080,
    route="",
    cluster="cds_ingress_m_cart_shop_http_8080",
)
"""What the node's own proxy tells of the same request."""
WAITED = replace(
    INSIDE, duration=3000.0, phases=phases(sent=2900.0, sent_whole=2900.0, answered=2950.0)
)
HELD = replace(SLOW, phases=phases(sent=2900.0, sent_whole=2900.0, answered=2950.0))
GONE = replace(GOOD, status=0, flags=("DC",), duration=300.0, phases=phases())
UNANSWERED = replace(phases(), answered=None, returned=None)
REFUSED = "delayed_connect_error:_Connection_refused"
LATE = replace(GOOD, status=504, flags=("UT",), details="response_timeout")
HOUR = 3600.0


def proxy(synced: bool, since: float = 0.0) -> ProxyStatus:
    kind = TypeStatus(type="listener", synced=synced)
    return ProxyStatus(node=EDGE, gateway="shop/edge", types=(kind,), since=since)


CASES: tuple[LiveCase, ...] = (
    LiveCase(
        "L06",
        "a pool that is waited for",
        "until a connection of the pool was free",
        seen(*some(WAITED)),
        seen(*some(WAITED, 2)),
        POOLED,
    ),
    LiveCase(
        "L10",
        "filters that take long",
        "before they went on to a backend",
        seen(*some(HELD)),
        seen(*some(HELD, 2)),
    ),
    LiveCase(
        "L18",
        "clients in a hurry",
        "clients leave before it has answered",
        seen(*some(GONE, phases=UNANSWERED)),
        seen(*some(GONE, phases=UNANSWERED, duration=20.0)),
    ),
    LiveCase(
        "L18",
        "streams that end",
        "clients leave before it has answered",
        seen(*some(GONE, phases=UNANSWERED)),
        seen(*some(GONE, status=200)),
    ),
    LiveCase(
        "U02",
        "clients that leave before there is a connection",
        "is connected",
        seen(*some(GONE, phases=replace(UNANSWERED, sent=None, sent_whole=None))),
        WELL,
    ),
    LiveCase(
        "U03",
        "answers that break off",
        "breaks off answers",
        seen(
            *some(
                GOOD,
                flags=("UPE",),
                details="upstream_reset_after_response_started{protocol_error}",
            )
        ),
        WELL,
    ),
    LiveCase(
        "U02",
        "many endpoints that fail once each",
        "nobody listens at each of 5 endpoints",
        seen(
            *(
                replace(
                    GOOD,
                    id=f"e{n}",
                    status=503,
                    flags=("UF",),
                    failure=REFUSED,
                    endpoint=f"10.0.0.{n}:1",
                )
                for n in range(5)
            )
        ),
        WELL,
    ),
    LiveCase(
        "U01",
        "one of two nodes",
        "requests to VirtualNode shop/cart-2 fail",
        seen(*some(GOOD), *some(LOST, id="u", route="shop/all/main", status=503, flags=("UH",))),
        WELL,
        SPLIT,
    ),
    LiveCase(
        "U01",
        "one of two nodes, nobody knows which",
        "VirtualNode shop/cart or VirtualNode shop/cart-2 has no endpoint",
        seen(*some(LOST, route="shop/all/main", status=503, flags=("UH",))),
        WELL,
        SPLIT,
    ),
    LiveCase(
        "U06",
        "the listener's time",
        "does not answer within 2000 ms",
        seen(*some(INSIDE, status=504, flags=("UT",))),
        WELL,
        BRIEF,
    ),
    LiveCase(
        "U06",
        "the time of a try",
        "does not answer within 300 ms",
        seen(*some(LATE, details="upstream_per_try_timeout")),
        WELL,
        TRIED,
    ),
    LiveCase(
        "U06",
        "the time of a policy",
        "does not answer within 70 ms",
        seen(*some(LATE)),
        WELL,
        HURRIED,
    ),
    LiveCase(
        "U19",
        "a method",
        "method DELETE is not taken",
        seen(*some(LOST, route="shop/all", method="DELETE", status=405, details="direct_response")),
        WELL,
    ),
    LiveCase(
        "U13",
        "a proxy that went",
        "no proxy of VirtualNode shop/cart is connected any more",
        seen(traffic=counted({Subject(Scope.PROXY, CART): 100})),
        seen(traffic=counted({Subject(Scope.PROXY, GATEWAY): 100})),
    ),
    LiveCase(
        "R22",
        "a proxy that does not answer",
        "for 60 s",
        seen(proxies=(proxy(synced=False),), given={EDGE: 40.0}, now=100.0),
        seen(proxies=(proxy(synced=False, since=95.0),), given={EDGE: 40.0}, now=100.0),
    ),
    LiveCase(
        "R22",
        "a proxy that answered",
        "for 60 s",
        seen(proxies=(proxy(synced=False),), given={EDGE: 40.0}, now=100.0),
        seen(proxies=(proxy(synced=True),), given={EDGE: 40.0}, now=100.0),
    ),
    LiveCase(
        "U12",
        "a certificate nobody renews",
        "ends in 5 minutes",
        seen(certificates={CART: (0.0, HOUR)}, now=HOUR - 300),
        seen(certificates={CART: (0.0, HOUR)}, now=HOUR / 2),
    ),
    LiveCase(
        "U12",
        "a certificate that has ended",
        "has ended 2 hours ago",
        seen(certificates={CART: (0.0, HOUR)}, now=3 * HOUR),
        seen(certificates={CART: (0.0, HOUR)}, now=HOUR / 2),
    ),
)
"""Each with a place in the manifests."""
