"""Whether a proxy's own certificate is valid now.

A control plane ends the connection of an expired one during the handshake, and Envoy then only
knows that it ended. The proxy itself can say why.
"""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from pointsman.errors import UsageError


def invalidity(certificate: Path) -> str:
    """Why a certificate is not valid now, in a line; "" when it is.

    Raises:
        UsageError: the file holds none.
    """
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except OSError as error:
        raise UsageError(f"{certificate} cannot be read: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{certificate} holds no certificate in PEM") from None
    begin, end = found.not_valid_before_utc, found.not_valid_after_utc
    now = datetime.now(UTC)
    if now > end:
        return f"the certificate of this proxy ended at {end:%Y-%m-%d %H:%M:%S} UTC: {certificate}"
    if now < begin:
        return (
            f"the certificate of this proxy begins at {begin:%Y-%m-%d %H:%M:%S} UTC: {certificate}"
        )
    return ""
