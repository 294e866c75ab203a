"""Certificates: made by the rules of X509-SVID, and read back.

Source: X509-SVID of the SPIFFE project. A leaf has exactly one URI name, its SPIFFE id; it has no
subject, so its names are critical (RFC 5280, 4.1.2.6); it signs and agrees nothing but TLS, as
client and as server. Signing certificates carry the SPIFFE id of the trust domain.
"""

import ipaddress
import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pointsman.errors import IdentityError
from pointsman.identity.keys import PrivateKey

Certificate = x509.Certificate
DER = serialization.Encoding.DER
Extension = TypeVar("Extension", bound=x509.ExtensionType)

_SERIAL_BITS: Final = 127
"""Positive in twenty octets, as RFC 5280 wants it, and random enough never to come twice."""


def make_root(key: PrivateKey, uri: str, begin: datetime, end: datetime) -> Certificate:
    """A self-signed authority that issues leaves only.

    Args:
        key: its key.
        uri: SPIFFE id of the trust domain.
        begin: from when it is valid.
        end: until when.
    """
    serial = _serial()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Pointsman"),
            # Two roots are told apart by their names, too, while one takes the other's place.
            x509.NameAttribute(NameOID.COMMON_NAME, f"Pointsman authority {serial:032x}"),
        ]
    )
    public = key.signing.public_key()
    builder = (
        _begin(serial, name, name, begin, end)
        .public_key(public)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return builder.sign(key.signing, hashes.SHA256())


def make_leaf(
    key: PrivateKey,
    uri: str,
    dns_names: Iterable[str],
    issuer: Certificate,
    issuer_key: PrivateKey,
    begin: datetime,
    end: datetime,
) -> Certificate:
    """The certificate of a proxy.

    Args:
        key: its key.
        uri: its SPIFFE id.
        dns_names: names, or addresses, by which it is called.
        issuer: who signs.
        issuer_key: the issuer's key.
        begin: from when it is valid.
        end: until when.

    Raises:
        IdentityError: one of the names cannot stand in a certificate.
    """
    names = [x509.UniformResourceIdentifier(uri), *_names(dns_names)]
    usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        _begin(_serial(), x509.Name([]), issuer.subject, begin, end)
        .public_key(key.signing.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .add_extension(_issuer_identifier(issuer), critical=False)
    )
    return builder.sign(issuer_key.signing, hashes.SHA256())


def read_certificates(pem: bytes, where: str) -> tuple[Certificate, ...]:
    """All certificates of a PEM text, in its order.

    Raises:
        IdentityError: there are none, or one cannot be read.
    """
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError:
        raise IdentityError(f"{where} holds no certificates in PEM") from None


def to_pem(certificates: Iterable[Certificate]) -> bytes:
    """Certificates in PEM, one after the other."""
    return b"".join(item.public_bytes(serialization.Encoding.PEM) for item in certificates)


def uris(certificate: Certificate) -> tuple[str, ...]:
    """The URI names of a certificate."""
    names = _extension(certificate, x509.SubjectAlternativeName)
    return tuple(names.get_values_for_type(x509.UniformResourceIdentifier)) if names else ()


def dns_names(certificate: Certificate) -> tuple[str, ...]:
    """The DNS names of a certificate, and the addresses as text."""
    names = _extension(certificate, x509.SubjectAlternativeName)
    if names is None:
        return ()
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    return (*names.get_values_for_type(x509.DNSName), *addresses)


def is_authority(certificate: Certificate) -> bool:
    """Whether a certificate may sign others."""
    constraints = _extension(certificate, x509.BasicConstraints)
    usage = _extension(certificate, x509.KeyUsage)
    return bool(constraints and constraints.ca) and (usage is None or bool(usage.key_cert_sign))


def allows_below(certificate: Certificate, authorities: int) -> bool:
    """Whether so many authorities may stand between this one and a leaf."""
    constraints = _extension(certificate, x509.BasicConstraints)
    limit = constraints.path_length if constraints is not None else None
    return limit is None or authorities <= limit


def is_issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether `issuer` has signed `certificate`."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _begin(
    serial: int, subject: x509.Name, issuer: x509.Name, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        serial_number=serial,
        not_valid_before=begin,
        not_valid_after=end,
    )


def _serial() -> int:
    return secrets.randbits(_SERIAL_BITS) | 1


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _names(names: Iterable[str]) -> Iterator[x509.GeneralName]:
    for name in dict.fromkeys(name.lower().rstrip(".") for name in names):
        try:
            yield x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            if not name or not name.isascii() or any(letter.isspace() for letter in name):
                raise IdentityError(f"{name!r} is not a name a certificate can hold") from None
            yield x509.DNSName(name)


def _issuer_identifier(issuer: Certificate) -> x509.AuthorityKeyIdentifier:
    known = _extension(issuer, x509.SubjectKeyIdentifier)
    if known is not None:
        return x509.AuthorityKeyIdentifier(known.digest, None, None)
    public = issuer.public_key()
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(public)  # type: ignore[arg-type]


def _extension(certificate: Certificate, kind: type[Extension]) -> Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
