"""PM8xx: certificates of the mesh's own authority, and what keeps them from proxies."""

from pointsman.resources.problem import Code, Severity

WITHHELD = Code(
    "PM801",
    Severity.ERROR,
    "keys are not sent over a connection where others would get them",
    "A certificate comes with its private key, over the connection by which the control plane "
    "serves the proxy. In plaintext anybody on the way can read it, and where proxies prove "
    "nothing anybody can ask for it. Proxies get no certificate, and listeners of MeshTLS answer "
    "nobody. Serve them over TLS, with `--client-ca` or join tokens, or over a Unix socket.",
)
NOT_ISSUED = Code(
    "PM802",
    Severity.WARNING,
    "a certificate could not be issued or renewed",
    "A certificate that is there stays in use until it ends; without one, listeners of MeshTLS "
    "answer nobody. Issuing is tried again every 30 seconds. The message says what is wrong with "
    "the authority or the name.",
)
FLEETING = Code(
    "PM803",
    Severity.WARNING,
    "certificates come from an authority that ends with this process",
    "After a restart there is another authority. Until all proxies have connected again, those "
    "that have do not trust those that have not, and requests between them fail. Several control "
    "planes behind one address never agree. Keep the authority in a folder: "
    "`--identity FOLDER`.",
)
