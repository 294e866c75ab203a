"""What certificates say, for people and machines; never a key."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TypedDict

from pointsman.errors import IdentityError
from pointsman.identity import certificates
from pointsman.identity.certificates import Certificate
from pointsman.identity.folder import CERTIFICATE, ROOTS


class CertificateJson(TypedDict):
    """A certificate for machines; times in UTC as in RFC 3339."""

    file: str
    subject: str
    issuer: str
    serial: str
    authority: bool
    uris: list[str]
    names: list[str]
    begin: str
    end: str
    state: str


def describe(path: Path, now: datetime) -> list[CertificateJson]:
    """The certificates of a file, or those of an authority's folder.

    Raises:
        IdentityError: there are none, or one cannot be read.
    """
    found: list[CertificateJson] = []
    for file in _files(path):
        try:
            pem = file.read_bytes()
        except OSError as error:
            raise IdentityError(f"{file} cannot be read: {error.strerror}") from None
        items = certificates.read_certificates(pem, str(file))
        found.extend(_json(item, str(file), now) for item in items)
    return found


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield path / CERTIFICATE
    if (path / ROOTS).exists():
        yield path / ROOTS


def _json(item: Certificate, file: str, now: datetime) -> CertificateJson:
    return {
        "file": file,
        "subject": item.subject.rfc4514_string(),
        "issuer": item.issuer.rfc4514_string(),
        "serial": f"{item.serial_number:x}",
        "authority": certificates.is_authority(item),
        "uris": list(certificates.uris(item)),
        "names": list(certificates.dns_names(item)),
        "begin": _time(item.not_valid_before_utc),
        "end": _time(item.not_valid_after_utc),
        "state": _state(item, now),
    }


def _state(item: Certificate, now: datetime) -> str:
    if now < item.not_valid_before_utc:
        return "not valid yet"
    return "valid" if now < item.not_valid_after_utc else "expired"


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
