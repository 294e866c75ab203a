"""PM6xx: what Envoy itself says."""

from pointsman.resources.problem import Code, Severity

REJECTED = Code(
    "PM601",
    Severity.ERROR,
    "Envoy rejected what was made of this object",
    "Pointsman checks manifests so that this never happens; where it does, only the resource "
    "concerned is held at its last good version, and everything else is served. The message "
    "quotes Envoy. Please report it.",
)
NOT_VALID = Code(
    "PM602",
    Severity.ERROR,
    "Envoy does not accept the configuration",
    "`pointsman check` had Envoy read the whole configuration, and it refused. The message quotes "
    "Envoy. Please report it, with the manifest that causes it.",
)
NOT_VALIDATED = Code(
    "PM603",
    Severity.WARNING,
    "the configuration was not shown to Envoy",
    "No usable Envoy was found, so only Pointsman's own checks were made.",
)
PORT_TAKEN = Code(
    "PM604",
    Severity.ERROR,
    "the port is taken",
    "Another process, or another gateway of this run, listens on the port. Move the listener by "
    "`--listen [GATEWAY:]PORT=LOCALPORT`.",
)
