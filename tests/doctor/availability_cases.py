"""U07 to U09, U16 and U20."""

from tests.doctor.case import (
    BASE,
    Case,
    gateway_route,
    node,
    policy,
    service,
)

CHECK = (
    "healthCheck: {{protocol: {}, path: /ping, healthyThreshold: 2, unhealthyThreshold: 2, "
    "intervalMillis: 5000, timeoutMillis: {}}}"
)
TCP_CHECK = CHECK.format("tcp", 2000).replace("path: /ping, ", "")
OUTLIERS = (
    "outlierDetection: {{maxServerErrors: 5, interval: {{unit: s, value: 10}}, "
    "baseEjectionDuration: {{unit: s, value: 30}}, maxEjectionPercent: {}}}"
)
EVERY = "{{dns: {{hostname: {}, responseType: ENDPOINTS}}}}"
NEVER_PANICS = """
  targetRefs: [{kind: VirtualNode, name: cart}]
  panicThreshold: 0
"""
KEYS = """
  targetRefs: [{kind: VirtualNode, name: cart}]
  methods: [{apiKey: {}}]
"""
HOURLY = """
  targetRefs: [{{kind: VirtualNode, name: cart}}]
  limits: [{{name: all, rate: {{requests: {}, per: hour}}}}]
"""
FILES = "file: {certificateChain: /certs/chain.pem, privateKey: /certs/key.pem}"
CA = "trust: {file: {certificateChain: /certs/ca.pem}}"


def enforcing(tls: str) -> str:
    """The base, whose gateway wants TLS of all its backends."""
    return f"{BASE.rstrip()}\n  backendDefaults: {{clientPolicy: {{tls: {{{tls}}}}}}}\n"


VERIFIES = enforcing(f"validation: {{{CA}}}")
PROVES = enforcing(f"certificate: {{{FILES}}}, validation: {{{CA}}}")


def called(listener: str = "", **more: str) -> str:
    """A node behind a gateway route."""
    return node("cart", listener, **more) + service("cart") + gateway_route("all", "{prefix: /}")


def listening(mode: str, validation: str = "") -> str:
    return called(f"tls: {{mode: {mode}, certificate: {{{FILES}}}{validation}}}")


CASES = (
    Case(
        "U07",
        "checks that overlap",
        called(CHECK.format("http", 6000)),
        called(CHECK.format("http", 2000)),
        "a check may take 6000 ms, the next one is due after 5000 ms",
    ),
    Case(
        "U07",
        "checks that need a key",
        called(CHECK.format("http", 2000)) + policy("AccessPolicy", "keys", KEYS),
        called(TCP_CHECK) + policy("AccessPolicy", "keys", KEYS),
        "checks of /ping are answered 401",
    ),
    Case(
        "U08",
        "all of them at once",
        called(OUTLIERS.format(100), serviceDiscovery=EVERY.format("cart.local"))
        + policy("BackendPolicy", "calm", NEVER_PANICS),
        called(OUTLIERS.format(50), serviceDiscovery=EVERY.format("cart.local"))
        + policy("BackendPolicy", "calm", NEVER_PANICS),
        "all endpoints may be ejected, and then none is called",
    ),
    Case(
        "U08",
        "the only one",
        called(OUTLIERS.format(50)) + policy("BackendPolicy", "calm", NEVER_PANICS),
        called(OUTLIERS.format(50), serviceDiscovery=EVERY.format("cart.local")),
        "all endpoints may be ejected, and then none is called",
    ),
    Case(
        "U08",
        "one that is called all the same",
        called(OUTLIERS.format(50)),
        called(OUTLIERS.format(50), serviceDiscovery=EVERY.format("cart.local")),
        "the only endpoint is called even while it is ejected",
    ),
    Case(
        "U09",
        "an empty label",
        called(serviceDiscovery="{dns: {hostname: cart..local}}"),
        called(serviceDiscovery="{dns: {hostname: cart.local.}}"),
        "one of its labels is empty",
    ),
    Case(
        "U09",
        "a long label",
        called(serviceDiscovery=f"{{dns: {{hostname: {'c' * 64}.local}}}}"),
        called(serviceDiscovery=f"{{dns: {{hostname: {'c' * 63}.local}}}}"),
        "a label has more than 63 characters",
    ),
    Case(
        "U09",
        "below invalid",
        called(serviceDiscovery="{dns: {hostname: cart.invalid}}"),
        called(serviceDiscovery="{dns: {hostname: invalid.local}}"),
        "there are no names below invalid",
    ),
    Case(
        "U16",
        "checks use up a limit",
        called(CHECK.format("http", 2000)) + policy("RateLimitPolicy", "slow", HOURLY.format(60)),
        called(CHECK.format("http", 2000)) + policy("RateLimitPolicy", "slow", HOURLY.format(900)),
        "count as 720 requests per hour, limit all admits 60",
    ),
    Case(
        "U20",
        "TLS that is disabled",
        listening("DISABLED"),
        listening("STRICT"),
        "callers speak TLS to port 8080, whose listener has TLS disabled",
        VERIFIES,
    ),
    Case(
        "U20",
        "no certificate to show",
        VERIFIES + listening("STRICT", f", validation: {{{CA}}}"),
        PROVES + listening("STRICT", f", validation: {{{CA}}}"),
        "port 8080 asks for client certificates, and callers have none",
        "",
    ),
)
