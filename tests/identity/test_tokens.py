import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from pointsman.errors import IdentityError
from pointsman.identity.keys import PrivateKey
from pointsman.identity.tokens import Tokens

NOW = datetime(2026, 11, 23, tzinfo=UTC)
NODE = "mesh/shop@123/virtualNode/cart"
KEY = PrivateKey.generate()
TOKENS = Tokens(KEY)


def test_a_token_names_its_node_until_it_expires() -> None:
    token = TOKENS.make(NODE, NOW, timedelta(minutes=5))
    assert TOKENS.verify(token, NOW) == NODE
    assert TOKENS.verify(token, NOW + timedelta(minutes=5, seconds=-1)) == NODE
    with pytest.raises(IdentityError, match="expired 0:00:00 ago"):
        TOKENS.verify(token, NOW + timedelta(minutes=5))
    with pytest.raises(IdentityError, match="expired 0:55:00 ago"):
        TOKENS.verify(token, NOW + timedelta(hours=1))


def test_two_tokens_for_a_node_differ() -> None:
    assert TOKENS.make(NODE, NOW) != TOKENS.make(NODE, NOW)


def test_what_is_no_node_gets_no_token() -> None:
    with pytest.raises(IdentityError, match="not a node id"):
        TOKENS.make("cart", NOW)


def test_tokens_of_others_are_refused() -> None:
    token = Tokens(PrivateKey.generate()).make(NODE, NOW)
    with pytest.raises(IdentityError, match="signed by somebody else"):
        TOKENS.verify(token, NOW)
    with pytest.raises(IdentityError, match="for 'other', not for 'pointsman-control'"):
        TOKENS.verify(Tokens(KEY, "other").make(NODE, NOW), NOW)


def test_a_changed_token_is_refused() -> None:
    head, body, signature = TOKENS.make(NODE, NOW).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["sub"] = "mesh/shop/virtualNode/payment"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    with pytest.raises(IdentityError, match="signed by somebody else"):
        TOKENS.verify(f"{head}.{forged}.{signature}", NOW)


def claims(**changes: Any) -> dict[str, Any]:
    seconds = int(NOW.timestamp())
    made = {"sub": NODE, "aud": "pointsman-control", "iat": seconds, "exp": seconds + 60}
    return {k: v for k, v in {**made, **changes}.items() if v is not None}


def signed(contents: dict[str, Any]) -> str:
    key = ECKey.import_key(KEY.pem())
    return jwt.encode({"alg": "ES256"}, contents, key, algorithms=["ES256"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sub": None}, "names no node"),
        ({"sub": 7}, "names no node"),
        ({"sub": "cart"}, "not a node id"),
        ({"aud": None}, "for None"),
        ({"aud": ["pointsman-control"]}, "not for"),
        ({"exp": None}, "has no 'exp'"),
        ({"exp": "soon"}, "has no 'exp'"),
        ({"exp": True}, "has no 'exp'"),
        ({"iat": None}, "has no 'iat'"),
        ({"iat": int(NOW.timestamp()) + 3600}, "from the future"),
    ],
)
def test_claims_are_checked(changes: dict[str, Any], reason: str) -> None:
    assert TOKENS.verify(signed(claims()), NOW) == NODE
    with pytest.raises(IdentityError, match=reason):
        TOKENS.verify(signed(claims(**changes)), NOW)


def test_the_header_does_not_choose_the_algorithm() -> None:
    public = ECKey.import_key(KEY.pem()).as_pem(private=False)
    key = OctKey.import_key(base64.urlsafe_b64encode(public))
    confused = jwt.encode({"alg": "HS256"}, claims(), key, algorithms=["HS256"])
    part = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    unsigned = f"{part}.{confused.split('.')[1]}."
    for token in (confused, unsigned):
        with pytest.raises(IdentityError, match="not signed with ES256"):
            TOKENS.verify(token, NOW)


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "....", "é.é.é", "a" * 5000, "{}"])
def test_rubbish_is_refused_without_being_quoted(token: str) -> None:
    with pytest.raises(IdentityError, match="no join token") as caught:
        TOKENS.verify(token, NOW)
    assert not token or len(token) == 1 or token not in str(caught.value)
