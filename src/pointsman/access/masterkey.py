"""The master key: kept outside the database, and without it nothing in there is of use.

A file holds one key a line, `ID:BASE64`, of 32 bytes each. The first one is in use; those below
it only open what they closed. Each key is two: one closes secrets (AES-256-GCM), the other one
makes the digests by which a secret is found again (HMAC-SHA-256), derived by HKDF (RFC 5869).
"""

import base64
import os
import secrets
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pointsman.errors import StateError

_BYTES: Final = 32
_NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class _Key:
    """A key, by its id, and the two it is made of."""

    id: str
    cipher: AESGCM = field(repr=False)
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, key_id: str, raw: bytes) -> Self:
        return cls(key_id, AESGCM(_derived(raw, b"close")), _derived(raw, b"digest"))


def _derived(raw: bytes, purpose: bytes) -> bytes:
    info = b"pointsman " + purpose
    return HKDF(hashes.SHA256(), _BYTES, salt=None, info=info).derive(raw)


class MasterKey:
    """Closes and opens secrets.

    Args:
        keys: (id, 32 bytes), the one in use first.
    """

    def __init__(self, keys: Iterable[tuple[str, bytes]]) -> None:
        self._keys = {key_id: _Key.of(key_id, raw) for key_id, raw in keys}
        self._current = next(iter(self._keys.values()))

    def __repr__(self) -> str:
        return f"MasterKey({', '.join(self._keys)})"

    @classmethod
    def in_memory(cls) -> Self:
        """One that ends with this process."""
        return cls([_fresh()])

    @property
    def id(self) -> str:
        """Id of the key in use."""
        return self._current.id

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all keys, the one in use first."""
        return tuple(self._keys)

    def close(self, secret: str, name: str) -> bytes:
        """A secret that only this key opens, and only under its name."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._current.cipher.encrypt(nonce, secret.encode(), name.encode())

    def open(self, sealed: bytes, name: str, key_id: str) -> str:
        """What was closed.

        Args:
            sealed: what `close` gave.
            name: the name given to it then.
            key_id: id of the key that closed it.

        Raises:
            StateError: it was closed by another key, or under another name.
        """
        key = self._keys.get(key_id)
        if key is None:
            raise StateError(
                f"the secret of {name} is closed by master key {key_id}, which is not here",
                hint="add it to the file of master keys",
            )
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return key.cipher.decrypt(nonce, body, name.encode()).decode()
        except InvalidTag:
            raise StateError(
                f"the secret of {name} cannot be opened: it was changed, or master key {key_id} "
                "is another one than it was"
            ) from None

    def digest(self, secret: str) -> bytes:
        """By what a secret is found, with the key in use."""
        return _digest(self._current, secret)

    def digests(self, secret: str) -> tuple[bytes, ...]:
        """By what a secret may be found, with any of the keys."""
        return tuple(_digest(key, secret) for key in self._keys.values())


def _digest(key: _Key, secret: str) -> bytes:
    made = HMAC(key.digest, hashes.SHA256())
    made.update(secret.encode())
    return made.finalize()


def _fresh() -> tuple[str, bytes]:
    return f"m{secrets.token_hex(4)}", secrets.token_bytes(_BYTES)


def read_master_key(path: Path, *, create: bool = True) -> MasterKey:
    """The master key of a file, which is made with one key when it is not there.

    Raises:
        StateError: others can read it, it holds no keys, or it cannot be read or made.
    """
    try:
        text = _read(path)
    except FileNotFoundError:
        if not create:
            raise StateError(f"there is no master key at {path}") from None
        text = _make(path)
    except OSError as error:
        raise StateError(f"the master key {path} cannot be read: {error.strerror}") from None
    keys = [_line(path, number, line) for number, line in enumerate(text.splitlines(), 1) if line]
    if not keys:
        raise StateError(f"{path} holds no master key", hint="a line is ID:BASE64 of 32 bytes")
    return MasterKey(keys)


def _read(path: Path) -> str:
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StateError(f"others can read the master key {path}", hint=f"chmod 600 {path}")
    return path.read_text(encoding="ascii", errors="replace")


def _make(path: Path) -> str:
    key_id, raw = _fresh()
    text = f"{key_id}:{base64.b64encode(raw).decode()}\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(text)
    except FileExistsError:
        return _read(path)
    except OSError as error:
        raise StateError(f"the master key {path} cannot be made: {error.strerror}") from None
    return text


def _line(path: Path, number: int, line: str) -> tuple[str, bytes]:
    key_id, colon, text = line.strip().partition(":")
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raw = b""
    if not colon or not key_id or len(raw) != _BYTES:
        raise StateError(f"{path}:{number} is no master key", hint="write ID:BASE64 of 32 bytes")
    return key_id, raw
