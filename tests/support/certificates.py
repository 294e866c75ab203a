"""Certificate authorities that live as long as a test."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate and its key, in PEM."""

    chain: bytes
    key: bytes

    @property
    def serial(self) -> str:
        """The serial number, as Python's ssl writes it."""
        return _serial(self.chain)

    def write(self, folder: Path) -> "Files":
        """Puts both into a folder; each takes its place by one rename."""
        replace(folder / "key.pem", self.key)
        replace(folder / "chain.pem", self.chain)
        return Files(folder / "chain.pem", folder / "key.pem")


@dataclass(frozen=True, slots=True)
class Files:
    """Where a certificate and its key are."""

    chain: Path
    key: Path

    @property
    def manifest(self) -> dict[str, dict[str, str]]:
        """`certificate` of a TLS block."""
        return {"file": {"certificateChain": str(self.chain), "privateKey": str(self.key)}}


class Authority:
    """An authority that signs certificates."""

    def __init__(self, name: str = "test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(self._name, self._name, self._key.public_key(), 1)
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        certificate = builder.add_extension(constraints, critical=True).sign(
            self._key, hashes.SHA256()
        )
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def serial(self) -> str:
        """The serial number of its certificate, as Python's ssl writes it."""
        return _serial(self.pem)

    def issue(self, *names: str, days: int = 1) -> Leaf:
        """A certificate for DNS names and URIs; fewer than 0 days make an expired one."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "leaf")])
        alternatives = [
            x509.UniformResourceIdentifier(name) if "://" in name else x509.DNSName(name)
            for name in names
        ]
        builder = _builder(subject, self._name, key.public_key(), days)
        if alternatives:
            extension = x509.SubjectAlternativeName(alternatives)
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return Leaf(
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    def write(self, folder: Path) -> Path:
        """Its own certificate as a file."""
        return bundle(folder, (self,))


def bundle(folder: Path, authorities: Iterable[Authority]) -> Path:
    """Several authorities' certificates in one file, which takes its place by one rename."""
    file = folder / "authorities.pem"
    replace(file, b"".join(authority.pem for authority in authorities))
    return file


def replace(file: Path, content: bytes) -> None:
    """Writes a file as Kubernetes and cert-manager do: whole, by a rename."""
    fresh = file.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(file)


def _serial(pem: bytes) -> str:
    text = f"{x509.load_pem_x509_certificate(pem).serial_number:X}"
    return text.zfill(len(text) + len(text) % 2)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * _DAY)
        .not_valid_after(now + days * _DAY)
    )
