"""Faults: what is wrong, the requests that meet it, and the check that has to name it first."""

from dataclasses import dataclass

from tests.doctor.case import BASE, gateway_route, of, policy, route, router, service
from tests.doctor.planting import Ask

USUAL = Ask()


def node(backend: str, listener: str = "", protocol: str = "http", name: str = "cart") -> str:
    """A node at a backend of this machine."""
    inside = f", {listener}" if listener else ""
    mapping = f"portMapping: {{port: <{backend}>, protocol: {protocol}}}"
    return of(
        "VirtualNode",
        name,
        f"{{listeners: [{{{mapping}{inside}}}], "
        "serviceDiscovery: {dns: {hostname: 127.0.0.1}}}",
    )


def shop(
    backend: str = "good",
    *routes: str,
    listener: str = "",
    protocol: str = "http",
    match: str = "{prefix: /}",
) -> str:
    """A gateway route, a service with a router, and a node at a backend."""
    return (
        node(backend, listener, protocol)
        + service("cart", "VirtualRouter/cart")
        + router("cart", *(routes or (route("main", "{prefix: /}"),)))
        + gateway_route("all", match)
    )


HEALTHY = BASE + shop()


def in_time(ms: int) -> str:
    """A route that has so long for a request, and is tried once."""
    return route(
        "main",
        "{prefix: /}",
        timeout=f"{{perRequest: {{unit: ms, value: {ms}}}}}",
        retryPolicy="{maxRetries: 0, perRetryTimeout: {unit: ms, value: 0}}",
    )


def trusting(name: str, certificate: str = "") -> str:
    """BASE with a gateway that calls with TLS and believes the good authority."""
    tls = (
        "{enforce: true, validation: {trust: {file: {certificateChain: <folder>/authorities.pem}}, "
        f"subjectAlternativeNames: {{match: {{exact: [{name}]}}}}}}{certificate}}}"
    )
    return BASE.replace(
        "  listeners: [{portMapping: {port: 8088",
        f"  backendDefaults: {{clientPolicy: {{tls: {tls}}}}}\n"
        "  listeners: [{portMapping: {port: 8088",
    )


TO_EDGE = "targetRefs: [{kind: VirtualGateway, name: edge}]"
TO_ALL = "targetRefs: [{kind: GatewayRoute, name: all}]"


@dataclass(frozen=True)
class Fault:
    """Something that is wrong.

    Attributes:
        name: in a few words.
        text: the manifests; `<NAME>` stands for the port of a backend.
        check: the code that has to come first.
        ask: what is sent.
        says: what the first message has to say, in part.
    """

    name: str
    text: str
    check: str
    ask: Ask = USUAL
    says: str = ""


FAULTS: tuple[Fault, ...] = (
    Fault("nobody listens at the port", BASE + shop("closed"), "U02", says="nobody listens"),
    Fault(
        "one of two versions is not started",
        BASE
        + shop("good", route("main", "{prefix: /}", "cart=50", "next=50"))
        + node("closed", name="next"),
        "U02",
        Ask(count=20),
        "VirtualNode shop/next",
    ),
    Fault("the application fails", BASE + shop("failing"), "U21", says="answers 500 itself"),
    Fault("the application has no such path", BASE + shop("lost"), "R09"),
    Fault(
        "the application never answers",
        BASE + shop("never", in_time(300)),
        "U06",
        Ask(at_once=True),
    ),
    Fault("the application is slow", BASE + shop("late"), "L08", Ask(count=4, at_once=True)),
    Fault("the application crashes on requests", BASE + shop("leaving"), "U03"),
    Fault("the application speaks another protocol", BASE + shop("babbling"), "R07"),
    Fault("HTTP/2 where HTTP/1 is spoken", BASE + shop("good", protocol="http2"), "R07"),
    Fault(
        "the connection pool is too small",
        BASE.replace(
            "protocol: http}}]",
            "protocol: http}, connectionPool: {http: {maxConnections: 1, maxPendingRequests: 1}}}]",
        )
        + shop("late"),
        "L06",
        Ask(count=12, at_once=True),
    ),
    Fault("TLS to plaintext", trusting("cart.example") + shop("plain"), "U20"),
    Fault("an expired certificate", trusting("cart.example") + shop("expired"), "U12"),
    Fault(
        "an unknown authority", trusting("cart.example") + shop("strange"), "U02", says="trusted"
    ),
    Fault("a certificate of another name", trusting("cart.example") + shop("renamed"), "U02"),
    Fault("plaintext to TLS", BASE + shop("secure"), "U03"),
    Fault("no client certificate", trusting("cart.example") + shop("picky"), "U20"),
    Fault(
        "a path that no gateway route has",
        BASE + shop(match="{prefix: /cart}"),
        "R20",
        Ask("/basket"),
    ),
    Fault(
        "a host that no gateway route has",
        BASE + shop(match="{prefix: /, hostname: {exact: shop.example}}"),
        "R20",
        Ask(host="www.shop.example"),
    ),
    Fault(
        "a header value in another case",
        BASE + shop(match="{prefix: /, headers: [{name: x-group, match: {exact: Beta}}]}"),
        "R20",
        Ask(headers=(("x-group", "beta"),)),
    ),
    Fault(
        "a method that no gateway route takes",
        BASE + shop(match="{prefix: /, method: POST}"),
        "R20",
    ),
    Fault(
        "a route that takes only what the rewrite never leaves",
        BASE + shop("good", route("main", "{prefix: /cart/}"), match="{prefix: /cart}"),
        "R10",
        Ask("/cart/7"),
    ),
    Fault(
        "requests that fail on purpose",
        BASE
        + shop()
        + policy(
            "RoutePolicy",
            "chaos",
            f"{{{TO_ALL}, fault: {{abort: {{httpStatus: 503, percent: 100}}}}}}",
        ),
        "U22",
    ),
    Fault(
        "requests that wait on purpose",
        BASE
        + shop()
        + policy(
            "RoutePolicy",
            "chaos",
            f"{{{TO_ALL}, fault: {{delay: {{duration: {{unit: ms, value: 50}}, percent: 100}}}}}}",
        ),
        "U22",
        says="delayed",
    ),
    Fault(
        "a limit that is used up",
        BASE
        + shop()
        + policy(
            "RateLimitPolicy",
            "few",
            f"{{{TO_ALL}, limits: [{{name: few, rate: {{requests: 1, per: hour}}}}]}}",
        ),
        "U16",
        Ask(count=8),
    ),
    Fault(
        "callers without a key",
        BASE
        + shop()
        + policy("AccessPolicy", "keys", f"{{{TO_ALL}, methods: [{{apiKey: {{}}}}]}}"),
        "U17",
        says="401",
    ),
    Fault(
        "callers from elsewhere",
        BASE
        + shop()
        + policy(
            "AccessPolicy",
            "office",
            f"{{{TO_ALL}, sources: {{allow: [192.0.2.0/24]}}}}",
        ),
        "U17",
        says="403",
    ),
    Fault(
        "bodies that are too large",
        BASE + shop() + policy("HygienePolicy", "small", f"{{{TO_ALL}, maxBodyBytes: 10}}"),
        "U19",
        Ask(method="POST", body=b"x" * 100),
    ),
    Fault(
        "headers that are too large",
        BASE + shop() + policy("HygienePolicy", "small", f"{{{TO_EDGE}, maxHeadersKib: 1}}"),
        "U19",
        Ask(headers=(("x-large", "x" * 2000),)),
        "headers are larger",
    ),
    Fault("a file that cannot be parsed", HEALTHY + "---\nkind: [", "C02"),
    Fault(
        "a log that cannot be opened",
        BASE.replace(
            "  listeners: [{portMapping: {port: 8088",
            "  logging: {accessLog: {file: {path: /nowhere/access.log}}}\n"
            "  listeners: [{portMapping: {port: 8088",
        )
        + shop(),
        "R22",
        says="nowhere",
    ),
)
"""Those that show where something runs."""
