"""IPv6: where proxies listen and what flows, by App Mesh's IP preference, while it changes."""

import json

import pytest

from tests.mesh.conftest import COLOR, DB, Mesh
from tests.mesh.place import Place
from tests.support.up import until

pytestmark = [pytest.mark.netns, pytest.mark.envoy, pytest.mark.xdist_group("mesh")]

RED = {"host": COLOR, "color": "red"}
IPV4, IPV6 = "::ffff:127.0.0.1", "::1"
"""How an application that listens on `::` sees its proxy."""
LISTENERS = {
    None: ({"0.0.0.0:15000"}, {"127.0.0.1:15001"}),
    "IPv4_PREFERRED": ({"0.0.0.0:15000", "[::]:15000"}, {"127.0.0.1:15001", "[::1]:15001"}),
    "IPv6_ONLY": ({"[::]:15000"}, {"127.0.0.1:15001", "[::1]:15001"}),
}


def test_without_a_preference_proxies_listen_on_ipv4(mesh: Mesh) -> None:
    front, red, outside = mesh["front"], mesh["red"], mesh["outside"]
    assert listeners(red) == LISTENERS[None]
    # Redirected all the same, so it reaches nobody, neither in nor out.
    assert outside.ask(red.namespace.ipv6, headers=RED).short == (0, "")
    assert front.ask(outside.namespace.ipv6, headers=RED).short == (0, "")


@pytest.mark.parametrize(("preference", "seen"), [("IPv4_PREFERRED", IPV4), ("IPv6_ONLY", IPV6)])
def test_both_families_flow(mesh: Mesh, preference: str, seen: str) -> None:
    front, red, outside = mesh["front"], mesh["red"], mesh["outside"]
    if preference == "IPv6_ONLY":
        mesh.edit("color.yaml", ("red.shop", "red.six"), ("blue.shop", "blue.six"))
    prefer(mesh, preference)
    until(lambda: listeners(red) == listeners(front) == LISTENERS[preference], 20)
    dialled = outside.namespace
    until(lambda: front.ask(dialled.ipv6, headers=RED).short == (200, "red"), 20)
    for address in (dialled.ipv4, dialled.ipv6):
        answer = front.ask(address, headers=RED)
        assert (answer.app, answer.body["client"]) == ("red", seen)
        assert front.ask(address, headers={"host": COLOR}).app.startswith("blue")
    assert front.greeted(dialled.ipv6, 3306) == front.greeted(DB, 3306) == "red"
    for address in (red.namespace.ipv4, red.namespace.ipv6):
        assert outside.ask(address).body["client"] == seen


def test_what_passes_passes_on_over_ipv6(mesh: Mesh) -> None:
    front, outside = mesh["front"], mesh["outside"]
    prefer(mesh, "IPv4_PREFERRED")
    mesh.allow_all()
    address = outside.namespace.ipv6
    until(lambda: front.ask(address, 9080).short == (200, "outside"), 20)
    # Read as HTTP, for no service: its routes come after the listener.
    until(lambda: front.ask(address, 8080).short == (200, "outside"), 20)
    assert front.greeted(address, 2525) == "outside"
    for own in ("::1", front.namespace.ipv6):
        assert front.ask(own, 15001, headers={"host": COLOR}).short == (0, "")


def prefer(mesh: Mesh, preference: str) -> None:
    block = f"namespaceSelector: {{}}\n  meshServiceDiscovery: {{ipPreference: {preference}}}"
    mesh.edit("mesh.yaml", ("namespaceSelector: {}", block))


def listeners(place: Place) -> tuple[set[str], set[str]]:
    """Addresses of both listeners."""
    found: dict[str, set[str]] = {}
    for item in json.loads(place.admin("/listeners?format=json"))["listener_statuses"]:
        addresses = [item["local_address"], *item.get("additional_local_addresses", ())]
        found[item["name"]] = {written(**address["socket_address"]) for address in addresses}
    return found["lds_ingress_0.0.0.0_15000"], found["lds_egress_0.0.0.0_15001"]


def written(address: str, port_value: int, **_: object) -> str:
    return f"[{address}]:{port_value}" if ":" in address else f"{address}:{port_value}"
