"""What may leave a node, row by row of App Mesh's rules, under both egress filters."""

from collections.abc import Iterator

import pytest

from tests.mesh.conftest import AMAZON, COLOR, DB, STRANGER, Mesh
from tests.mesh.place import Answer, Place
from tests.support.up import until

pytestmark = [pytest.mark.netns, pytest.mark.envoy, pytest.mark.xdist_group("mesh")]

UNUSED_WEB, UNUSED_TCP, HTTP, TCP, WRONG = 9080, 2525, 8080, 3306, 8081
NO_CHAIN = "listener.127.0.0.1_15001.no_filter_chain_match"
PASSED = "cds_egress_shop_mesh-allow-all.upstream_cx_total"
AWS = "cds_egress_shop_amazonaws.upstream_cx_total"


@pytest.fixture(params=["DROP_ALL", "ALLOW_ALL"])
def egress(request: pytest.FixtureRequest, mesh: Mesh) -> Iterator[str]:
    """The egress filter in force; it is changed while everything runs."""
    front = mesh["front"]
    status = {"DROP_ALL": (404, ""), "ALLOW_ALL": (200, "outside")}[request.param]
    if request.param == "ALLOW_ALL":
        mesh.allow_all()
    until(lambda: front.ask(STRANGER, HTTP).short == status, 20, request.param)
    yield request.param


def test_backends_are_routed(mesh: Mesh, egress: str) -> None:
    front = mesh["front"]
    assert front.ask(COLOR, HTTP, headers={"color": "red"}).short == (200, "red")
    assert front.ask(COLOR, HTTP, headers={"host": f"{COLOR}:{HTTP}"}).app.startswith("blue")
    assert front.greeted(DB, TCP) == "red"
    assert egress


def test_a_backend_on_a_port_it_has_not_got(mesh: Mesh, egress: str) -> None:
    answer = mesh["front"].ask(COLOR, WRONG)
    passes(answer, egress, mesh["front"])


def test_an_unknown_host_on_the_port_of_a_backend(mesh: Mesh, egress: str) -> None:
    answer = mesh["front"].ask(STRANGER, HTTP)
    assert answer.short == ((404, "") if egress == "DROP_ALL" else (200, "outside"))
    assert mesh["front"].ask(mesh["outside"].namespace.ipv4, HTTP).short == answer.short


def test_a_tcp_backend_takes_its_port_whatever_the_address(mesh: Mesh, egress: str) -> None:
    for address in (STRANGER, mesh["outside"].namespace.ipv4, "10.99.0.1"):
        assert mesh["front"].greeted(address, TCP) == "red"
    assert egress


def test_a_port_that_nobody_uses(mesh: Mesh, egress: str) -> None:
    passes(mesh["front"].ask(STRANGER, UNUSED_WEB), egress, mesh["front"])
    passes(mesh["front"].ask(mesh["outside"].namespace.ipv4, UNUSED_WEB), egress, mesh["front"])


def test_a_server_that_speaks_first_on_a_port_that_nobody_uses(mesh: Mesh, egress: str) -> None:
    greeted = mesh["front"].greeted(STRANGER, UNUSED_TCP)
    assert greeted == ("" if egress == "DROP_ALL" else "outside")


def test_services_of_aws_are_told_by_their_names(mesh: Mesh, egress: str) -> None:
    front = mesh["front"]
    before = front.count(AWS)
    assert front.greeted(AMAZON, 443, sni=AMAZON) == "outside"
    assert front.count(AWS) == before + 1
    # The name counts, not the address; without it, 443 is a port like any other.
    assert front.greeted("10.99.0.1", 443, sni=AMAZON) == ""
    closed = "" if egress == "DROP_ALL" else "outside"
    for name in (STRANGER, "amazonaws.com", "amazonaws.com.test"):
        assert front.greeted(AMAZON, 443, sni=name) == closed
    assert front.count(AWS) == before + 2


def test_an_address_that_nobody_has(mesh: Mesh, egress: str) -> None:
    answer = mesh["front"].ask("10.99.0.1", UNUSED_WEB)
    assert answer.short == (0, "")
    # A port of a backend is read as HTTP, so there is somebody to answer.
    status = mesh["front"].ask("10.99.0.1", HTTP).status
    assert status == (404 if egress == "DROP_ALL" else 503)


def test_nothing_that_is_dialled_at_the_proxy_itself_comes_round(mesh: Mesh, egress: str) -> None:
    front, outside = mesh["front"], mesh["outside"]
    own = front.namespace
    before = front.count("downstream_cx_total", "upstream_cx_total")
    for port in (15000, 15001):
        for address in ("127.0.0.1", own.ipv4, "::1", own.ipv6):
            assert front.ask(address, port, headers={"host": COLOR}).short == (0, "")
        for address in (own.ipv4, own.ipv6):
            assert outside.ask(address, port, headers={"host": COLOR}).short == (0, "")
        # From one node to the other's proxy.
        peer = mesh["red"].namespace.ipv4
        assert front.ask(peer, port, headers={"host": COLOR}).short == (0, "")
    more = front.count("downstream_cx_total", "upstream_cx_total") - before
    assert more <= 20, "connections beget connections"
    until(lambda: front.count("listener.127.0.0.1_15001.downstream_cx_active") == 0)
    assert egress


def passes(answer: Answer, egress: str, front: Place) -> None:
    """It went where it was going, or nowhere."""
    if egress == "ALLOW_ALL":
        assert answer.short == (200, "outside")
        assert front.count(PASSED) > 0
    else:
        assert answer.short == (0, "")
        assert front.count(NO_CHAIN) > 0
