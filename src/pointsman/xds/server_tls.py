"""TLS of the control plane's port: certificates from files, read again when they change.

Keys are read, checked and handed to gRPC; nothing here keeps or shows them.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import structlog

from pointsman.errors import UsageError

log = structlog.get_logger(__name__)

_Stamps = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class ServerTls:
    """Files of TLS, all PEM.

    Attributes:
        certificate: the server's certificate, with what leads from it to its authority.
        key: its private key.
        client_ca: authorities of proxies' certificates; None asks proxies for none.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def credentials(self) -> Any:
        """Credentials of a gRPC port that follow the files.

        Raises:
            UsageError: the files cannot be used.
        """
        follower = _Follower(self)
        return grpc.dynamic_ssl_server_credentials(
            follower.first, follower.newer, require_client_authentication=bool(self.client_ca)
        )

    def read(self) -> Any:
        """What the files hold now, as gRPC takes it.

        Raises:
            UsageError: they cannot be used.
        """
        try:
            check = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            # Without a password OpenSSL would ask for one at the terminal.
            check.load_cert_chain(self.certificate, self.key, password="")
            if self.client_ca is not None:
                check.load_verify_locations(self.client_ca)
            authorities = None if self.client_ca is None else self.client_ca.read_bytes()
            pair = (self.key.read_bytes(), self.certificate.read_bytes())
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            files = ", ".join(map(str, self.files))
            raise UsageError(
                f"cannot use the certificates of {files}: {_reason(error)}",
                hint="PEM files are needed, and the key has to be that of the certificate",
            ) from None
        return grpc.ssl_server_certificate_configuration([pair], authorities)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files there are."""
        named = (self.certificate, self.key, self.client_ca)
        return tuple(path for path in named if path is not None)


class _Follower:
    """Tells gRPC what changed; it asks on one of its own threads before every handshake."""

    def __init__(self, tls: ServerTls) -> None:
        self._tls = tls
        self._stamps = self._look()
        self.first = tls.read()

    def newer(self) -> Any | None:
        """Certificates that are to be used from now on; None for those used so far."""
        stamps = self._look()
        if stamps == self._stamps:
            return None
        self._stamps = stamps
        try:
            found = self._tls.read()
        except UsageError as error:
            log.warning("certificates not renewed", reason=str(error))
            return None
        log.info("certificates renewed", file=str(self._tls.certificate))
        return found

    def _look(self) -> _Stamps | None:
        try:
            stats = [path.stat() for path in self._tls.files]
        except OSError:
            return None  # one is just being replaced
        return tuple((stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in stats)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "not PEM"
    return getattr(error, "strerror", None) or "not PEM"
