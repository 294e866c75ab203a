"""Private keys, wrapped so that they are shown nowhere by accident.

No repr, no log line, no pickle and no comparison of a `PrivateKey` shows or copies what is inside;
whoever needs the key asks for it by `pem`.
"""

from typing import Final, NoReturn

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pointsman.errors import IdentityError

_LEAST_RSA_BITS: Final = 2048

Signing = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class PrivateKey:
    """A private key that does not show itself."""

    __slots__ = ("_key",)

    def __init__(self, key: Signing) -> None:
        self._key = key

    @classmethod
    def generate(cls) -> "PrivateKey":
        """A new key on the curve P-256."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def read(cls, pem: bytes, where: str) -> "PrivateKey":
        """A key in PEM.

        Raises:
            IdentityError: there is none, or none of use; nothing of the text is quoted.
        """
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            # The reasons of the library may quote what it read.
            message = f"{where} holds no private key in PEM without a passphrase"
            raise IdentityError(message) from None
        if isinstance(key, rsa.RSAPrivateKey) and key.key_size < _LEAST_RSA_BITS:
            raise IdentityError(f"the RSA key in {where} is shorter than {_LEAST_RSA_BITS} bits")
        if not isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
            raise IdentityError(f"the key in {where} is neither ECDSA nor RSA")
        return cls(key)

    @property
    def signing(self) -> Signing:
        """The key itself, for signing."""
        return self._key

    def pem(self) -> bytes:
        """The key as PKCS#8 in PEM, without a passphrase."""
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def __repr__(self) -> str:
        return "PrivateKey(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is not pickled")
