"""Who presents a certificate.

Here the names are read by the rules of X509-SVID ("Leaf Validation"). That the certificate is
signed by someone who is trusted, and valid now, is TLS's part and must have happened before.
"""

from cryptography import x509

from pointsman.errors import IdentityError
from pointsman.graph import spiffe
from pointsman.identity import certificates

_PEM = b"-----BEGIN"


def node_id_of(presented: bytes | str, trust_domain: str = spiffe.DEFAULT_TRUST_DOMAIN) -> str:
    """The node id a peer has proven.

    Args:
        presented: its certificate in PEM or DER, or the URI name of it that TLS reports.
        trust_domain: whose ids are believed.

    Raises:
        IdentityError: it is not the certificate of a proxy of this trust domain.
    """
    if isinstance(presented, str) or presented.startswith(b"spiffe://"):
        uri = presented if isinstance(presented, str) else presented.decode("ascii", "replace")
        return spiffe.node_id(uri, trust_domain)
    certificate = _read(presented)
    if certificates.is_authority(certificate):
        raise IdentityError("a signing certificate does not identify a proxy")
    found = certificates.uris(certificate)
    if len(found) != 1:
        raise IdentityError(f"the certificate has {len(found)} URI names instead of one")
    return spiffe.node_id(found[0], trust_domain)


def _read(presented: bytes) -> certificates.Certificate:
    if presented.startswith(_PEM):
        return certificates.read_certificates(presented, "what was presented")[0]
    try:
        return x509.load_der_x509_certificate(presented)
    except ValueError:
        raise IdentityError("what was presented is not a certificate") from None
