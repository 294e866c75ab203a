"""PM06x: traces, and what is told to collectors."""

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
