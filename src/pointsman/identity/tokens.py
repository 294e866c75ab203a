"""Join tokens: how a proxy that has no certificate yet says who it is.

A token is a JWT (RFC 7519) signed with ES256. Only this algorithm is accepted, whatever a token's
header asks for. A token lets its bearer be that node, so it is short-lived and never logged;
errors do not quote it.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc import errors, jwt
from joserfc.jwk import ECKey

from pointsman.errors import IdentityError
from pointsman.graph import spiffe
from pointsman.identity.ca import SKEW
from pointsman.identity.keys import PrivateKey

ALGORITHM: Final = "ES256"
AUDIENCE: Final = "pointsman-control"
TOKEN_LIFETIME: Final = timedelta(hours=1)
_LONGEST: Final = 4096
_ID_BYTES: Final = 12


class Tokens:
    """Makes and checks join tokens.

    Args:
        key: signs them, on the curve P-256.
        audience: for whom they are meant.
    """

    def __init__(self, key: PrivateKey, audience: str = AUDIENCE) -> None:
        self._key = ECKey.import_key(key.pem())
        self._audience = audience

    def make(self, node_id: str, now: datetime, lifetime: timedelta = TOKEN_LIFETIME) -> str:
        """A token for a node.

        Raises:
            IdentityError: this is no node id.
        """
        spiffe.spiffe_id(node_id)
        issued = int(now.timestamp())
        claims = {
            "sub": node_id,
            "aud": self._audience,
            "iat": issued,
            "exp": issued + int(lifetime.total_seconds()),
            "jti": secrets.token_urlsafe(_ID_BYTES),
        }
        return jwt.encode({"alg": ALGORITHM}, claims, self._key, algorithms=[ALGORITHM])

    def verify(self, token: str, now: datetime) -> str:
        """The node id a token is for.

        Raises:
            IdentityError: the token is not believed, and why.
        """
        claims = self._claims(token)
        audience = claims.get("aud")
        if audience != self._audience:
            raise IdentityError(f"the join token is for {audience!r}, not for {self._audience!r}")
        seconds = now.timestamp()
        expires = _number(claims, "exp")
        if expires <= seconds:
            ago = timedelta(seconds=round(seconds - expires))
            raise IdentityError(f"the join token expired {ago} ago", hint="ask for a new one")
        if _number(claims, "iat") > seconds + SKEW.total_seconds():
            raise IdentityError("the join token is from the future", hint="compare the clocks")
        node_id = claims.get("sub")
        if not isinstance(node_id, str):
            raise IdentityError("the join token names no node")
        spiffe.spiffe_id(node_id)
        return node_id

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > _LONGEST:
            raise IdentityError("this is no join token: it is too long")
        try:
            return jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
        except errors.BadSignatureError:
            message = "the join token is signed by somebody else"
        except (errors.UnsupportedAlgorithmError, errors.ConflictAlgorithmError):
            message = f"the join token is not signed with {ALGORITHM}"
        except (errors.JoseError, ValueError, TypeError, KeyError):
            message = "this is no join token"
        raise IdentityError(message)


def _number(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise IdentityError(f"the join token has no {name!r}")
    return float(value)
