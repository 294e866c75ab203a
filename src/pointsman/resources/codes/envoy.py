"""PM6xx: what Envoy itself refuses."""

from pointsman.resources.problem import Code, Severity

REFUSED = Code(
    "PM601",
    Severity.ERROR,
    "Envoy refuses the configuration",
    "The manifests can be read and linked, but Envoy would not start with what they come to. "
    "The message is Envoy's own; it is placed at the object whose part of the configuration it "
    "names, or else at the gateway. `pointsman render` shows what Envoy was given.",
)
