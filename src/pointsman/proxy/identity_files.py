"""What a proxy proves its identity with, handed to Envoy and kept up to date.

Envoy reads a file for each secret, and takes a new one when it is moved into place. It names
certificate and key by paths that change whenever the files do, since Envoy compares what
the secrets say and not what the files hold. Keys stay where they are; a token is copied, because
Envoy wants the word `Bearer` in front of it.
"""

import asyncio
import json
import re
import shutil
import ssl
from pathlib import Path
from typing import Any, Final

from pointsman.errors import UsageError
from pointsman.proxy.xds_cluster import (
    AUTHORITY_SECRET,
    CERTIFICATE_SECRET,
    TOKEN_SECRET,
    TYPE,
    XdsTls,
    tls_certificate,
)

LOOK_S: Final = 1.0
_SECRET: Final = TYPE + "envoy.extensions.transport_sockets.tls.v3.Secret"

_TOKEN: Final = re.compile(rb"[!-~]+")
"""RFC 6750 allows less; what matters is that it is one word of one line."""

_Stamps = tuple[tuple[int, int, int], ...]


class IdentityFiles:
    """Files of a proxy's identity.

    Args:
        folder: private folder (`RuntimeFolder`) for what Envoy reads.
        tls: TLS towards the control plane, if any.
        token: file with a bearer token, if any.
    """

    def __init__(self, folder: Path, tls: XdsTls | None, token: Path | None) -> None:
        self._folder = folder
        self._tls = tls
        self._token = token
        self._number = 0
        self._stamps: _Stamps | None = None

    def write(self) -> None:
        """Write the secrets as the files are now.

        Raises:
            UsageError: one of them cannot be read or is not what it should be; those written before
            stay.
        """
        self._stamps = self._look()
        try:
            for file in self._files():
                file.read_bytes()
            _check(self._tls)
            secrets = list(self._made())
            for secret in secrets:
                fresh = self._folder / "secret.new"
                fresh.touch(mode=0o600)
                fresh.write_text(json.dumps({"resources": [secret]}), encoding="utf-8")
                fresh.rename(self._folder / f"{secret['name']}.json")
        except OSError as error:
            where = error.filename or self._folder
            raise UsageError(f"{where} cannot be read: {error.strerror}") from None

    async def changed(self) -> None:
        """Wait until the files differ from those written last."""
        while self._look() in (None, self._stamps):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)

    def _files(self) -> list[Path]:
        tls = self._tls
        named = (self._token, *((tls.ca, tls.certificate, tls.key) if tls is not None else ()))
        return [path for path in named if path is not None]

    def _look(self) -> _Stamps | None:
        try:
            stats = [path.stat() for path in self._files()]
        except OSError:
            return None  # one is just being replaced
        return tuple((stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in stats)

    def _made(self) -> list[dict[str, Any]]:
        self._number += 1
        folder = self._folder / f"identity-{self._number}"
        folder.mkdir(mode=0o700)
        # The one before may still be read; those before it are not.
        shutil.rmtree(self._folder / f"identity-{self._number - 2}", ignore_errors=True)
        found: list[dict[str, Any]] = []
        tls = self._tls
        if tls is not None:
            authority = {"trusted_ca": {"filename": str(_linked(folder, tls.ca))}}
            found.append(_secret(AUTHORITY_SECRET, validation_context=authority))
        if tls is not None and tls.certificate is not None and tls.key is not None:
            pair = tls_certificate(_linked(folder, tls.certificate), _linked(folder, tls.key))
            found.append(_secret(CERTIFICATE_SECRET, tls_certificate=pair))
        if self._token is not None:
            text = {"inline_string": f"Bearer {_token(self._token)}"}
            found.append(_secret(TOKEN_SECRET, generic_secret={"secret": text}))
        return found


def _check(tls: XdsTls | None) -> None:
    """Envoy would only warn of these, and then fail to connect for no reason it tells."""
    if tls is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(tls.ca)
    except ssl.SSLError:
        raise UsageError(f"{tls.ca} holds no certificates in PEM") from None
    if tls.certificate is None or tls.key is None:
        return
    try:
        # Without a password OpenSSL would ask for one at the terminal.
        context.load_cert_chain(tls.certificate, tls.key, password="")
    except ssl.SSLError:
        raise UsageError(
            f"{tls.certificate} and {tls.key} are no certificate with its key",
            hint="both are PEM, and the key has no passphrase",
        ) from None


def _token(file: Path) -> str:
    token = file.read_bytes().strip()
    if not _TOKEN.fullmatch(token):
        # What is in there may be a secret all the same, so it is not shown.
        raise UsageError(f"{file} holds no token", hint="make one with: pointsman identity token")
    return token.decode("ascii")


def _linked(folder: Path, file: Path) -> Path:
    link = folder / f"{len(list(folder.iterdir()))}.pem"
    link.symlink_to(file.absolute())
    return link


def _secret(name: str, **content: Any) -> dict[str, Any]:
    return {"@type": _SECRET, "name": name, **content}
