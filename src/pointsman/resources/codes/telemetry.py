"""PM06x: traces, what is counted, and what is told to collectors."""

from pointsman.resources.problem import Code, Severity

NOT_TAKEN = Code(
    "PM060",
    Severity.WARNING,
    "a collector does not take metrics",
    "Nothing waits for it, and what it misses is made up for by the next report, for totals are "
    "sent. Traces and records go from proxies to the collector without the control plane, so they "
    "may or may not arrive.",
)
LATE = Code(
    "PM061",
    Severity.WARNING,
    "a route's own share of traces does not count",
    "Whether a request is traced is decided where it comes in. A route that is known only later, "
    "behind a rewritten path or a connection pool, cannot have a say. Behind a rewritten path, the "
    "gateway route can: attach the RoutePolicy to it.",
)
NOBODY_COUNTED = Code(
    "PM062",
    Severity.WARNING,
    "consumers are counted where nobody is asked who calls",
    "Who calls is known from what was proven. Attach an AccessPolicy, with a method that tells the "
    "consumer, to a gateway, route or node that the TelemetryPolicy is for.",
)
CANNOT_COUNT = Code(
    "PM063",
    Severity.WARNING,
    "a proxy is too old to count by consumer",
    "It serves, and all else is counted; requests that pass through it are missing from the "
    "numbers by consumer. Start it with a newer Envoy.",
)
