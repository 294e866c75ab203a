"""Faults where every node has its own proxy: each request is told of two or three times.

client ─ edge ─ proxy of cart ─ cart
                application of front ─ proxy of front ─ proxy of cart ─ cart
"""

from tests.doctor.case import BASE, of, policy, route
from tests.doctor.faults import Fault, in_time, node, shop, trusting
from tests.doctor.planting import Ask

_CALLS_CART = "backends: [{virtualService: {virtualServiceRef: {name: cart}}}]"
FRONT = of(
    "VirtualNode",
    "front",
    "{listeners: [{portMapping: {port: <other>, protocol: http}}], "
    f"serviceDiscovery: {{dns: {{hostname: 127.0.0.1}}}}, {_CALLS_CART}}}",
)
"""An application that calls the cart."""
HEALTHY = BASE + shop() + FRONT

_TO_CART = "targetRefs: [{kind: VirtualNode, name: cart}]"
_BRIEF = "timeout: {http: {perRequest: {unit: ms, value: 200}}}"
_ONE = "connectionPool: {{http: {{maxConnections: 1, maxPendingRequests: {}}}}}"
_TRIES = "{maxRetries: 1, perRetryTimeout: {unit: ms, value: 200}, httpRetryEvents: [server-error]}"
_FILES = "{{file: {{certificateChain: <folder>/{0}/chain.pem, privateKey: <folder>/{0}/key.pem}}}}"
AT_ONCE = Ask(at_once=True)
_ALONG = Ask(by="front", host="cart.shop")


def tls(files: str, more: str = "") -> str:
    """TLS of a listener, with a certificate by its folder."""
    return f"tls: {{mode: STRICT, certificate: {_FILES.format(files)}{more}}}"


FAULTS: tuple[Fault, ...] = (
    Fault(
        "the application behind its proxy is not started",
        BASE + shop("closed") + FRONT,
        "U02",
        says="VirtualNode shop/cart fail: nobody listens",
    ),
    Fault("the application behind its proxy crashes", BASE + shop("leaving") + FRONT, "U03"),
    Fault(
        "it crashes when another application calls",
        BASE + shop("leaving") + FRONT,
        "U03",
        _ALONG,
        "VirtualNode shop/cart fail",
    ),
    Fault(
        "it breaks its answers off", BASE + shop("breaking") + FRONT, "U03", AT_ONCE, "breaks off"
    ),
    Fault(
        "the application itself is unavailable",
        BASE + shop("busy") + FRONT,
        "U21",
        says="answers 503 itself",
    ),
    Fault("the application behind its proxy has no such path", BASE + shop("lost") + FRONT, "R09"),
    Fault(
        "it fails, and other tries make up for it",
        BASE + shop("moody") + FRONT,
        "U03",
        says="of 5 requests",
    ),
    Fault(
        "the listener of the node has too little time",
        BASE + shop("never", listener=_BRIEF) + FRONT,
        "U06",
        AT_ONCE,
        "within 200 ms",
    ),
    Fault(
        "the route has too little time",
        BASE + shop("never", in_time(200)) + FRONT,
        "U06",
        AT_ONCE,
        "within 200 ms",
    ),
    Fault(
        "each try has too little time",
        BASE + shop("never", route("main", "{prefix: /}", retryPolicy=_TRIES)) + FRONT,
        "U06",
        AT_ONCE,
        "within 200 ms",
    ),
    Fault(
        "a policy gives too little time",
        BASE
        + shop("never")
        + FRONT
        + policy(
            "RoutePolicy",
            "hurry",
            "{targetRefs: [{kind: GatewayRoute, name: all}], "
            "timeout: {perRequest: {unit: ms, value: 200}}}",
        ),
        "U06",
        AT_ONCE,
        "within 200 ms",
    ),
    Fault(
        "the route allows more than the node",
        BASE + shop("never", in_time(60_000), listener=_BRIEF) + FRONT,
        "L01",
        AT_ONCE,
        "60 s are allowed",
    ),
    Fault(
        "the node's pool is too small",
        BASE + shop("sluggish", listener=_ONE.format(1)) + FRONT,
        "L06",
        Ask(count=12, at_once=True),
        "lets no more wait",
    ),
    Fault(
        "the node's pool lets requests wait",
        BASE + shop("sluggish", listener=_ONE.format(100)) + FRONT,
        "L06",
        Ask(count=6, at_once=True),
        "until a connection of the pool was free",
    ),
    Fault(
        "the application behind its proxy is slow",
        BASE + shop("late") + FRONT,
        "L08",
        Ask(count=4, at_once=True),
        "VirtualNode shop/cart",
    ),
    Fault(
        "clients do not wait",
        BASE + shop("never") + FRONT,
        "L18",
        Ask(count=4, at_once=True, patience_s=0.3),
    ),
    Fault("TLS to a proxy that speaks plaintext", trusting("cart.example") + shop() + FRONT, "U20"),
    Fault(
        "the proxy's certificate has expired",
        trusting("cart.example") + shop(listener=tls("expired")) + FRONT,
        "U12",
    ),
    Fault(
        "the proxy's certificate ends in a day, and nobody renews it",
        trusting("cart.example") + shop(listener=tls("secure")) + FRONT,
        "U12",
        says="secure/chain.pem ends in",
    ),
    Fault(
        "the proxy's certificate is of another authority",
        trusting("cart.example") + shop(listener=tls("strange")) + FRONT,
        "U02",
        says="trusted",
    ),
    Fault(
        "the proxy asks for a certificate that nobody has",
        trusting("cart.example")
        + shop(
            listener=tls(
                "secure",
                ", validation: {trust: {file: {certificateChain: <folder>/authorities.pem}}}",
            )
        )
        + FRONT,
        "U20",
        says="asks for client certificates",
    ),
    Fault("the application calls a stranger", HEALTHY, "R24", Ask(by="front", host="other.shop")),
    Fault(
        "callers of a node have no key",
        HEALTHY + policy("AccessPolicy", "keys", f"{{{_TO_CART}, methods: [{{apiKey: {{}}}}]}}"),
        "U17",
        says="401",
    ),
    Fault(
        "a limit of a node is used up",
        HEALTHY
        + policy(
            "RateLimitPolicy",
            "few",
            f"{{{_TO_CART}, limits: [{{name: few, rate: {{requests: 1, per: hour}}}}]}}",
        ),
        "U16",
        Ask(count=8),
    ),
    Fault(
        "one of two nodes has no address",
        BASE
        + shop("good", route("main", "{prefix: /}", "cart=50", "next=50"))
        + node("good", name="next").replace("127.0.0.1", "next.invalid")
        + FRONT,
        "U09",
        Ask(count=20),
    ),
    Fault(
        "a method that is not taken",
        HEALTHY
        + policy(
            "HygienePolicy",
            "reading",
            "{targetRefs: [{kind: VirtualGateway, name: edge}], methods: [GET]}",
        ),
        "U19",
        Ask(method="POST"),
        "method POST",
    ),
)
"""Each is planted alone."""
