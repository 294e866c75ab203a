"""Who may have the configuration of which node."""

import pytest

from pointsman.errors import PointsmanError
from pointsman.graph.spiffe import node_id as node_of_spiffe_id
from pointsman.xds.admission import Caller, Cause, Proven, bearer_token

CART = "mesh/shop/virtualNode/cart_shop"
URI = f"spiffe://pointsman.local/{CART}"


def node_of_token(token: str) -> str:
    if token == "old":
        raise PointsmanError("the token expired at noon")
    return CART


BOTH = Proven(node_of_spiffe_id, node_of_token)


@pytest.mark.parametrize(
    ("caller", "asked", "cause", "words"),
    [
        (Caller((URI,)), CART, None, ""),
        (Caller((URI,)), "mesh/shop@123456789012/virtualNode/cart_shop", None, ""),
        (Caller((URI,)), f"arn:aws:appmesh:a-1:123456789012:{CART}", None, ""),
        (Caller((URI,)), "mesh/shop/virtualNode/other", Cause.FORBIDDEN, "which may not be"),
        (Caller((URI,)), "whatever", Cause.FORBIDDEN, "which may not be"),
        (Caller((URI, URI)), CART, Cause.UNPROVEN, "certificate with one URI name"),
        (Caller(), CART, Cause.UNPROVEN, "no bearer token"),
        (Caller(token="new"), CART, None, ""),
        (Caller(token="new"), "mesh/shop/virtualNode/other", Cause.FORBIDDEN, "may not be"),
        (Caller(token="old"), CART, Cause.UNPROVEN, "expired at noon"),
        (Caller(("spiffe://x/" + CART,)), CART, Cause.UNPROVEN, "is of trust domain x"),
    ],
)
def test_what_is_proven_has_to_be_what_is_asked_for(
    caller: Caller, asked: str, cause: Cause | None, words: str
) -> None:
    refusal = BOTH.refusal(caller, asked)
    assert (refusal.cause if refusal else None) is cause
    assert words in (refusal.reason if refusal else "")


def test_what_is_not_asked_for_is_not_believed() -> None:
    assert Proven(node_of_spiffe_id).refusal(Caller(token="new"), CART) is not None
    assert Proven(node_of_token=node_of_token).refusal(Caller((URI,)), CART) is not None


def test_a_token_is_not_shown() -> None:
    assert "secret" not in repr(Caller(token="secret"))


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc.def", "abc.def"),
        ("bearer  abc ", "abc"),
        ("Bearer", None),
        ("Bearer a b", None),
        ("AWS4-HMAC-SHA256 Credential=AKID/x, Signature=00", None),
        ("Basic abc", None),
    ],
)
def test_only_bearer_tokens_are_tokens(header: str, token: str | None) -> None:
    assert bearer_token(header) == token
