"""An authority kept in a folder, so that it outlives its process.

    ca.crt     the signing certificate, then those above it
    ca.key     its key
    root.crt   whom to trust, when that is not ca.crt alone: the roots above an intermediate, or
               the old and the new one while a root is replaced
    token.key  signs join tokens

Created once, with mode 0600 for keys; several processes may do so at the same time.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pointsman.errors import IdentityError
from pointsman.graph import spiffe
from pointsman.identity import certificates
from pointsman.identity.ca import LIFETIME, ROOT_LIFETIME, Authority, new_root
from pointsman.identity.keys import PrivateKey

CERTIFICATE: Final = "ca.crt"
KEY: Final = "ca.key"
ROOTS: Final = "root.crt"
TOKEN_KEY: Final = "token.key"

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def open_authority(
    folder: Path,
    now: datetime,
    trust_domain: str | None = None,
    *,
    lifetime: timedelta = LIFETIME,
    create: bool = True,
) -> Authority:
    """The authority of a folder, which is made when there is none.

    Args:
        folder: where it is kept.
        now: the time.
        trust_domain: of a new authority; of one that is there, it is compared.
        lifetime: of the certificates of proxies.
        create: whether a new one may be made.

    Raises:
        IdentityError: the folder cannot be used, its keys can be read by others, or what is in it
            does not belong together.
    """
    if not create and not (folder / CERTIFICATE).exists():
        raise IdentityError(
            f"there is no certificate authority in {folder}",
            hint=f"pointsman identity init {folder}",
        )
    try:
        if create:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(folder):
            return _open(folder, now, trust_domain, lifetime)
    except OSError as error:
        raise IdentityError(f"{error.filename or folder}: {error.strerror}") from None


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read, in one step; an existing one is replaced."""
    _write(path, content, 0o600)


def write_public(path: Path, content: bytes) -> None:
    """Writes a file that everybody can read, in one step; an existing one is replaced."""
    _write(path, content, 0o644)


def read_private(path: Path) -> bytes:
    """A file with a key.

    Raises:
        IdentityError: others can read it, too.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if mode & _OTHERS:
            raise IdentityError(
                f"{path} can be read by others (mode {stat.S_IMODE(mode):04o})",
                hint=f"chmod 600 {path}; if somebody may have read it, make a new one",
            )
        return file.read()


def _open(folder: Path, now: datetime, trust_domain: str | None, lifetime: timedelta) -> Authority:
    certificate, roots = folder / CERTIFICATE, folder / ROOTS
    key = _key(folder / KEY, wanted=not certificate.exists())
    if not certificate.exists():
        domain = trust_domain or spiffe.DEFAULT_TRUST_DOMAIN
        made = new_root(domain, now, ROOT_LIFETIME, key)
        write_public(certificate, certificates.to_pem(made.chain))
    chain = certificate.read_bytes()
    return Authority.given(
        chain,
        key.pem(),
        roots.read_bytes() if roots.exists() else chain,
        trust_domain,
        token_key=_key(folder / TOKEN_KEY, wanted=True),
        lifetime=lifetime,
    )


def _key(path: Path, *, wanted: bool) -> PrivateKey:
    """The key in a file, or a new one if one is wanted."""
    if wanted and not path.exists():
        # Without its certificate it has signed nothing yet, so a crash in between does no harm.
        write_private(path, PrivateKey.generate().pem())
    return PrivateKey.read(read_private(path), str(path))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, content: bytes, mode: int) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
