"""Registry files as people write them."""

import pytest

from pointsman.registry.document import parse
from pointsman.registry.instance import Instance, ServiceName
from tests.registry.instances import CART
from tests.support.problems import problem_line

TEXT = """\
# Two copies of the cart.
namespace: shop.local
services:
  cart:
    cart-1: {address: 10.0.1.17, zone: eu-central-1a, region: eu-central-1}
    cart-2:
      address: [10.0.1.18, "fd00::18"]
      healthy: false
      ports: {8080: 18080}
      attributes: {version: v1}
  quiet: {}
---
namespace: other
services: {cart: {x: {attributes: {AWS_INSTANCE_IPV4: 10.9.0.1}}}}
"""


def test_instances() -> None:
    found = parse("registry.yaml", TEXT)
    assert found.problems == ()
    other = ServiceName("other", "cart")
    assert found.held == {
        CART: (
            Instance(
                CART,
                "cart-1",
                {
                    "AWS_INSTANCE_IPV4": "10.0.1.17",
                    "AVAILABILITY_ZONE": "eu-central-1a",
                    "REGION": "eu-central-1",
                },
            ),
            Instance(
                CART,
                "cart-2",
                {
                    "AWS_INSTANCE_IPV4": "10.0.1.18",
                    "AWS_INSTANCE_IPV6": "fd00::18",
                    "pointsman.dev/port.8080": "18080",
                    "version": "v1",
                },
                healthy=False,
            ),
        ),
        ServiceName("shop.local", "quiet"): (),
        other: (Instance(other, "x", {"AWS_INSTANCE_IPV4": "10.9.0.1"}),),
    }


def body(text: str) -> str:
    return f"namespace: shop.local\nservices:\n  cart:\n    a: {text}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (body("{address: 10.0.0.256}"), "4:9: error PM701: services.cart.a.address[0]: 10.0.0"),
        (body("{adress: 10.0.0.1}"), "4:9: error PM701: services.cart.a.adress: there is no such"),
        (body("{zone: a}"), "4:5: error PM701: instance a has no address (write `address:"),
        (
            body("{address: 10.0.0.1, attributes: {version: 1.10}}"),
            "services.cart.a.attributes.version: 1.1 is not text; quote it",
        ),
        (
            body("{address: 10.0.0.1, healthy: maybe}"),
            "healthy: 'maybe' is neither true nor false",
        ),
        (body("{address: 10.0.0.1, ports: {80: 0}}"), "ports.80: "),
        (body("10.0.0.1"), "services.cart.a: a mapping is needed here"),
        ("services: {}", "1:1: error PM701: namespace: this field is needed"),
        ("- a", "1:1: error PM701: a mapping is needed here"),
        ("namespace: x: y", "registry.yaml:1:13: error PM1"),
        (TEXT + "---\nnamespace: x: y", "registry.yaml:16:13: error PM1"),
        (
            TEXT + "---\n" + body("{address: 10.0.0.1}") + "    a: {address: 10.0.0.2}\n",
            "a is written twice",
        ),
        (
            TEXT + "---\n" + body("{address: 10.0.0.1}").replace("a:", "cart-1:"),
            "error PM701: instance cart-1 of cart.shop.local is written twice",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, said: str) -> None:
    lines = [problem_line(item) for item in parse("registry.yaml", text).problems]
    assert any(said in line for line in lines), lines
    assert all(line.startswith("registry.yaml:") for line in lines)
