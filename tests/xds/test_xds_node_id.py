"""Node ids in every form App Mesh proxies give them."""

from dataclasses import dataclass

import pytest

from pointsman.xds.node_id import Directory, NodeId, parse_node_id

ARN = "arn:aws:appmesh:eu-west-1:123456789012:"
NODE = NodeId("shop", "", "virtualNode", "cart_shop")
SHARED = NodeId("shop", "123456789012", "virtualGateway", "front_shop")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("mesh/shop/virtualNode/cart_shop", NODE),
        (ARN + "mesh/shop/virtualNode/cart_shop", NODE),
        ("arn:aws-cn:appmesh:cn-north-1:123456789012:mesh/shop/virtualNode/cart_shop", NODE),
        ("arn:aws-us-gov:appmesh:x-1:123456789012:mesh/shop/virtualNode/cart_shop", NODE),
        (ARN.replace("appmesh", "appmesh-preview") + "mesh/shop/virtualNode/cart_shop", NODE),
        ("mesh/shop@123456789012/virtualGateway/front_shop", SHARED),
        (ARN + "mesh/shop@123456789012/virtualGateway/front_shop", SHARED),
        ("mesh/shop/virtualRouter/cart_shop", None),
        ("mesh/shop/virtualNode/", None),
        ("mesh/shop/virtualNode/a/b", None),
        ("mesh/shop@/virtualNode/a", None),
        ("/mesh/shop/virtualNode/a", None),
        ("mesh/shop/virtualNode/a\n", None),
        ("arn:aws:ecs:eu-west-1:123456789012:mesh/shop/virtualNode/a", None),
        ("arn:aws:appmesh:eu-west-1:1:mesh/shop/virtualNode/a", None),
        ("", None),
    ],
)
def test_forms(text: str, meaning: NodeId | None) -> None:
    assert parse_node_id(text) == meaning


@dataclass(frozen=True)
class Item:
    node_id: str


PLAIN = Item("mesh/shop/virtualNode/cart_shop")
OWN = Item("mesh/shop@123456789012/virtualNode/cart_shop")
FOREIGN = Item("mesh/shop@999999999999/virtualNode/cart_shop")


@pytest.mark.parametrize(
    ("items", "asked", "found"),
    [
        ((PLAIN,), "mesh/shop/virtualNode/cart_shop", PLAIN),
        ((PLAIN,), "mesh/shop@123456789012/virtualNode/cart_shop", PLAIN),
        ((OWN,), "mesh/shop/virtualNode/cart_shop", OWN),
        ((OWN,), ARN + "mesh/shop/virtualNode/cart_shop", OWN),
        ((OWN,), "mesh/shop@999999999999/virtualNode/cart_shop", None),
        ((OWN, FOREIGN), "mesh/shop@999999999999/virtualNode/cart_shop", FOREIGN),
        ((OWN, FOREIGN), "mesh/shop/virtualNode/cart_shop", None),
        ((OWN, PLAIN), "mesh/shop/virtualNode/cart_shop", PLAIN),
        ((PLAIN,), "mesh/shop/virtualGateway/cart_shop", None),
        ((PLAIN,), "mesh/other/virtualNode/cart_shop", None),
        ((PLAIN,), "cart_shop", None),
    ],
)
def test_a_mesh_is_named_with_its_owner_or_without(
    items: tuple[Item, ...], asked: str, found: Item | None
) -> None:
    assert Directory(items).find(asked) is found
