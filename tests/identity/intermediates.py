"""A root and an intermediate authority, as another tool would make them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from pointsman.identity import certificates
from pointsman.identity.keys import PrivateKey

DOMAIN = "mesh.example"


@dataclass(frozen=True)
class Made:
    """An authority's certificate and key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def pem(self) -> bytes:
        return certificates.to_pem([self.certificate])


def authority(
    name: str, now: datetime, issuer: Made | None = None, path_length: int | None = None
) -> Made:
    """An authority of `mesh.example`, valid for a day; without an issuer it is a root."""
    key = PrivateKey.generate()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signing = issuer.key if issuer else key
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
         "key_agreement", "crl_sign", "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    uri = x509.UniformResourceIdentifier(f"spiffe://{DOMAIN}")
    public, above = key.signing.public_key(), signing.signing.public_key()
    builder = (
        x509.CertificateBuilder()
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .subject_name(subject)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .public_key(public)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False)
        .add_extension(x509.SubjectAlternativeName([uri]), critical=False)
    )
    return Made(builder.sign(signing.signing, hashes.SHA256()), key)
