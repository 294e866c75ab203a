"""Who may have the configuration of which node."""

from dataclasses import dataclass

import pytest

from pointsman.errors import PointsmanError
from pointsman.graph.spiffe import node_id as node_of_spiffe_id
from pointsman.xds.admission import Caller, Cause, Proven, Refusal, bearer_token
from pointsman.xds.node_id import Directory

CART = "mesh/shop/virtualNode/cart_shop"
URI = f"spiffe://pointsman.local/{CART}"


@dataclass(frozen=True)
class Named:
    node_id: str


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
    admitted = BOTH.admitted(caller, asked)
    refusal = admitted if isinstance(admitted, Refusal) else None
    assert (refusal.cause if refusal else None) is cause
    assert words in (refusal.reason if refusal else "")


@pytest.mark.parametrize("asked", [CART, "mesh/shop@123456789012/virtualNode/cart_shop"])
def test_of_meshes_of_one_name_a_proxy_gets_the_one_it_has_proved(asked: str) -> None:
    ours, theirs = "mesh/shop", "mesh/shop@123456789012"
    nodes = Directory([Named(f"{mesh}/virtualNode/cart_shop") for mesh in (ours, theirs)])
    for proven in ours, theirs:
        node = f"{proven}/virtualNode/cart_shop"
        admitted = Proven(node_of_token=str).admitted(Caller(token=node), asked)
        assert isinstance(admitted, str)
        assert nodes.find(admitted) == Named(node)


def test_what_is_not_asked_for_is_not_believed() -> None:
    for proven, caller in (
        (Proven(node_of_spiffe_id), Caller(token="new")),
        (Proven(node_of_token=node_of_token), Caller((URI,))),
    ):
        assert isinstance(proven.admitted(caller, CART), Refusal)


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
