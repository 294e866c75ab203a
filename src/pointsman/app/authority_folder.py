"""Follows the folder of a certificate authority while it is in use.

Files are replaced one after the other, so between two of them they may not belong together; the
authority that was last good stays in use then.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from pointsman.errors import IdentityError
from pointsman.identity.ca import Authority
from pointsman.identity.folder import (
    CERTIFICATE,
    KEY,
    ROOTS,
    TOKEN_KEY,
    open_authority,
    read_private,
)
from pointsman.identity.keys import PrivateKey
from pointsman.identity.tokens import Tokens

LOOK_S: Final = 1.0

log = structlog.get_logger(__name__)

_Stamp = tuple[int, int, int] | None


async def follow_authority(
    folder: Path,
    current: Callable[[], Authority],
    use: Callable[[Authority], None],
    look_s: float = LOOK_S,
) -> None:
    """Hands over what the folder holds whenever it differs, until it is cancelled.

    Args:
        folder: where the authority is kept.
        current: the one in use.
        use: takes another one, of the same trust domain.
        look_s: seconds between two looks.
    """
    seen: tuple[_Stamp, ...] = ()
    while True:
        stamps = tuple(_stamp(folder / name) for name in (CERTIFICATE, KEY, ROOTS))
        if stamps != seen and stamps[0] is not None:
            seen = stamps
            await _take(folder, current(), use)
        await asyncio.sleep(look_s)


async def _take(folder: Path, known: Authority, use: Callable[[Authority], None]) -> None:
    try:
        found = await asyncio.to_thread(
            open_authority,
            folder,
            datetime.now(UTC),
            known.trust_domain,
            lifetime=known.lifetime,
            create=False,
        )
    except IdentityError as error:
        log.warning("certificate authority not taken", reason=str(error))
        return
    if (found.signer.certificate, found.trust) != (known.signer.certificate, known.trust):
        log.info("certificate authority replaced", folder=str(folder), roots=len(found.roots))
        use(found)


class FolderTokens:
    """Checks join tokens by the key in a folder, as it is now: a new key ends all old tokens.

    Args:
        folder: that of an authority.
        key: the key that was read from it.
    """

    def __init__(self, folder: Path, key: PrivateKey) -> None:
        self._file = folder / TOKEN_KEY
        self._stamp = _stamp(self._file)
        self._tokens = Tokens(key)

    def node_id(self, token: str) -> str:
        """The node id a token is for.

        Raises:
            IdentityError: the token is not believed, and why; or the key cannot be used.
        """
        stamp = _stamp(self._file)
        if stamp != self._stamp:
            self._tokens = Tokens(self._key())
            self._stamp = stamp
        return self._tokens.verify(token, datetime.now(UTC))

    def _key(self) -> PrivateKey:
        try:
            return PrivateKey.read(read_private(self._file), str(self._file))
        except (OSError, IdentityError) as error:
            # Proxies are told why they are refused, but nothing of the files of this machine.
            log.warning("join tokens cannot be checked", reason=str(error))
            raise IdentityError("join tokens cannot be checked now") from None


def _stamp(file: Path) -> _Stamp:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
