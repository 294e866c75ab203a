"""PM06x: what is told to collectors."""

from pointsman.resources.problem import Code, Severity

NOT_TAKEN = Code(
    "PM060",
    Severity.WARNING,
    "a collector does not take metrics",
    "Nothing waits for it, and what it misses is made up for by the next report, for totals are "
    "sent. Traces and records go from proxies to the collector without the control plane, so they "
    "may or may not arrive.",
)
