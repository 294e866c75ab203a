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
REJECTED = Code(
    "PM602",
    Severity.ERROR,
    "a running Envoy rejected what was made of this object",
    "Manifests are checked so that this never happens; where it does, only the resource concerned "
    "is held at its last good version, and everything else is served. The message quotes Envoy. "
    "Please report it, with the manifest that causes it.",
)
PORT_TAKEN = Code(
    "PM603",
    Severity.ERROR,
    "the port is taken",
    "Another process, or another gateway of this run, listens on the port. Move the listener by "
    "`--listen [GATEWAY:]PORT=LOCALPORT`.",
)
SECRET_UNREADABLE = Code(
    "PM604",
    Severity.ERROR,
    "a proxy cannot read a certificate",
    "The files are not there, the proxy's user may not read them, or key and certificate do not "
    "belong together. What needs the certificate is refused, TLS and plaintext alike; everything "
    "else is served. The proxy reads the files as soon as they come. The message quotes Envoy.",
)
NO_APPLICATION = Code(
    "PM605",
    Severity.WARNING,
    "nothing runs as the virtual node",
    "`pointsman up --mesh` puts a proxy beside the application of every virtual node, but nothing "
    "says where the application of this one is. Requests for the node go where its service "
    "discovery leads, which from this machine is usually nowhere. Say what runs by "
    "`--app NODE=COMMAND` or `--app NODE=ADDR:PORT`, or take demo backends by `--echo`.",
)
UNKNOWN_APPLICATION = Code(
    "PM606",
    Severity.WARNING,
    "an application is for a virtual node that does not exist",
    "`--app`, or the file of `--apps`, names a virtual node that is not in the manifests. The "
    "application starts as soon as there is such a node.",
)
