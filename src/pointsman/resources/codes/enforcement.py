"""PM5xx, graph's part: what is accepted but not (yet) enforced."""

from pointsman.resources.problem import Code, Severity

TLS_NOT_SERVED = Code(
    "PM520",
    Severity.ERROR,
    "TLS is not available yet; the listener is not served",
    "Serving a TLS listener in plaintext would expose its traffic, so it is left out. Set "
    "`tls.mode: DISABLED` to serve plaintext on purpose.",
)
TLS_PERMISSIVE = Code(
    "PM521",
    Severity.WARNING,
    "TLS is not available yet; the PERMISSIVE listener serves plaintext only",
    "Clients that speak TLS are refused; plaintext works as before.",
)
CLIENT_TLS_NOT_ENFORCED = Code(
    "PM522",
    Severity.ERROR,
    "TLS towards backends is not available yet; requests are refused",
    "`backendDefaults.clientPolicy.tls` asks that connections to backends be encrypted and "
    "verified. Rather than send them in plaintext, the gateway answers 503. Remove the policy to "
    "accept plaintext.",
)
CLIENT_TLS_OPTIONAL = Code(
    "PM528",
    Severity.WARNING,
    "TLS towards backends is not available yet; they are called in plaintext",
    "The policy does not enforce TLS, so plaintext is what it allows.",
)
NODE_TLS = Code(
    "PM523",
    Severity.WARNING,
    "the gateway speaks plaintext to this TLS listener",
    "A sidecar of the node would terminate TLS; the gateway does not offer it yet.",
)
INFORMATIONAL = Code(
    "PM525",
    Severity.NOTE,
    "informational here",
    "App Mesh showed the result in its console; nothing is routed by it.",
)
KUBERNETES_ONLY = Code(
    "PM527",
    Severity.NOTE,
    "of use in Kubernetes only",
    "Pod selectors decide which pods become a node or gateway; without Kubernetes nothing does.",
)
