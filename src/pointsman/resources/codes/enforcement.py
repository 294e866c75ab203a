"""PM5xx, graph's part: what is accepted but not enforced."""

from pointsman.resources.problem import Code, Severity

BARE_BACKEND = Code(
    "PM523",
    Severity.NOTE,
    "demo backends are called in plaintext",
    "A demo backend stands for the application of a virtual node. The node's own proxy, which "
    "would speak TLS in front of it, is run by `pointsman up --mesh` only.",
)
INFORMATIONAL = Code(
    "PM525",
    Severity.NOTE,
    "informational here",
    "App Mesh showed the result in its console; nothing is routed by it.",
)
CERTIFICATE_UNMAPPED = Code(
    "PM529",
    Severity.ERROR,
    "the listener's certificate is with AWS; the listener is not served",
    "AWS does not give away certificates of its Certificate Manager, and serving the listener in "
    "plaintext would expose its traffic. Name the files that take the certificate's place with "
    "`--certificate ARN=CHAIN,KEY`, or a secret in the file of `--certificates`.",
)
AUTHORITY_UNMAPPED = Code(
    "PM530",
    Severity.ERROR,
    "an authority that backends are verified by is with AWS; they are not called",
    "Without it nobody can tell the right backend from another one, so requests are answered 503. "
    "Name a file with the authority's certificate with `--authority ARN=FILE`, or a secret in the "
    "file of `--certificates`.",
)
AUTHORITIES_APART = Code(
    "PM531",
    Severity.ERROR,
    "the authorities of one policy are in several files; its backends are not called",
    "A proxy takes the authorities of one policy from one file. A PEM file may hold several "
    "certificates: give the same file for each ARN.",
)
OWN_CERTIFICATE = Code(
    "PM540",
    Severity.NOTE,
    "a MeshTLS policy does not apply to a listener with certificates of its own",
    "What a listener's `tls` block names comes first, so that a mesh can move to MeshTLS listener "
    "by listener. Remove the block, or set its mode to DISABLED, to let the policy apply.",
)
NO_IDENTITY = Code(
    "PM541",
    Severity.ERROR,
    "a proxy cannot have an identity, so its MeshTLS listener is not served",
    "The name of the node or of the mesh inside App Mesh holds a slash or a space, or is too long "
    "for a SPIFFE id. Give it another `awsName`.",
)
KUBERNETES_ONLY = Code(
    "PM527",
    Severity.NOTE,
    "of use in Kubernetes only",
    "Pod selectors decided which pods App Mesh's controller put a proxy into. Pointsman changes no "
    "pods: their own manifests name the proxy (`docs/proxy.md`), and its node id says which node "
    "or gateway it is.",
)
