"""Secrets that people carry around: how they look, and how they are made.

A key is `pm_` with 43 letters and digits of 256 random bits and a checksum of six. The beginning
lets scanners of repositories find it; the checksum tells a slip of the pen from a key that was
revoked, without a look at any list.
"""

import secrets
import zlib
from dataclasses import dataclass, field
from typing import Final

from pointsman.errors import RefusedError

PREFIX: Final = "pm_"
VISIBLE: Final = 10
"""Characters of a secret that lists show."""
LEAST: Final = 24
"""Characters of a secret that was made elsewhere."""
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM: Final = 43
_CHECK: Final = 6


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret, which no log or traceback shows."""

    text: str = field(repr=False)

    @property
    def prefix(self) -> str:
        """What lists show of it."""
        return self.text[:VISIBLE]


def new_secret() -> Secret:
    """A new one."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return Secret(f"{PREFIX}{random}{_checksum(random)}")


def imported(text: str) -> Secret:
    """One that was made elsewhere.

    Raises:
        RefusedError: it is too short to be one, or cannot stand in a header.
    """
    if len(text) < LEAST:
        raise RefusedError(f"a secret has at least {LEAST} characters", status=422)
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > 1024:
        raise RefusedError("a secret has up to 1024 printable characters of ASCII", status=422)
    return Secret(text)


def is_mistyped(text: str) -> bool:
    """Whether something looks like a secret made here, and is none."""
    if not text.startswith(PREFIX):
        return False
    body = text.removeprefix(PREFIX)
    return len(body) != _RANDOM + _CHECK or _checksum(body[:_RANDOM]) != body[_RANDOM:]


def new_id(letter: str) -> str:
    """An id that is no secret: a letter for the kind, and twelve characters."""
    return f"{letter}_" + "".join(secrets.choice(_ALPHABET) for _ in range(12))


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    digits = ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
