"""Real connections in network namespaces: who reaches what, and what Envoy would be told.

The app's host has servers where Envoy would listen (15000, 15001) and where the app does (8080,
8081); its peer has some on 22, 9000 and 9001.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.intercept.conftest import Host
from tests.support.destination import Reached, open_connection, reach, serving

pytestmark = pytest.mark.netns
ENVOY = 1337
FAMILIES = ["ipv4", "ipv6"]


@pytest.fixture
def served(host: Host) -> Iterator[Host]:
    with (
        serving(host.app, "app", 15000, 15001, 8080, 8081),
        serving(host.peer, "peer", 22, 9000, 9001),
    ):
        yield host


@pytest.mark.parametrize("family", FAMILIES)
def test_without_interception_everything_is_direct(served: Host, family: str) -> None:
    app, peer = getattr(served.app, family), getattr(served.peer, family)
    assert reach(served.app, peer, 9000) == Reached("peer", 9000, peer, 9000)
    assert reach(served.peer, app, 8080) == Reached("app", 8080, app, 8080)
    assert reach(served.app, peer, 9009) is None


@pytest.mark.parametrize("family", FAMILIES)
def test_outbound_goes_to_envoy_and_envoys_own_does_not(served: Host, family: str) -> None:
    served.intercept("--app-port", 8080)
    peer = getattr(served.peer, family)
    assert reach(served.app, peer, 9000) == Reached("app", 15001, peer, 9000)
    assert reach(served.app, peer, 9000, uid=0) == Reached("app", 15001, peer, 9000)
    assert reach(served.app, peer, 9000, uid=ENVOY) == Reached("peer", 9000, peer, 9000)
    # Even where nobody listens: only Envoy decides what becomes of it.
    assert reach(served.app, peer, 9009) == Reached("app", 15001, peer, 9009)


@pytest.mark.parametrize("family", FAMILIES)
def test_inbound_goes_to_envoy_on_app_ports_only(served: Host, family: str) -> None:
    served.intercept("--app-port", 8080)
    app = getattr(served.app, family)
    assert reach(served.peer, app, 8080) == Reached("app", 15000, app, 8080)
    assert reach(served.peer, app, 8081) == Reached("app", 8081, app, 8081)


@pytest.mark.parametrize(("family", "loopback"), [("ipv4", "127.0.0.1"), ("ipv6", "::1")])
def test_the_host_reaches_itself_directly(served: Host, family: str, loopback: str) -> None:
    served.intercept("--app-port", 8080)
    for address in (loopback, getattr(served.app, family)):
        for uid in (1000, ENVOY):
            found = reach(served.app, address, 8080, uid=uid)
            assert found == Reached("app", 8080, address, 8080)


@pytest.mark.parametrize("family", FAMILIES)
def test_ignored_ports_groups_and_users_are_direct(served: Host, family: str) -> None:
    served.intercept("--ignore-port", 9001, "--ignore-gid", 77, "--ignore-uid", 1338)
    peer = getattr(served.peer, family)
    for port in (22, 9001):
        assert reach(served.app, peer, port) == Reached("peer", port, peer, port)
    assert reach(served.app, peer, 9000) == Reached("app", 15001, peer, 9000)
    for uid, gid in ((1338, None), (1000, 77)):
        found = reach(served.app, peer, 9000, uid=uid, gid=gid)
        assert found == Reached("peer", 9000, peer, 9000)


@pytest.mark.parametrize(
    ("metadata", "near", "far", "network"),
    [
        ("169.254.169.254", "198.51.100.7", "198.51.101.7", "198.51.100.0/24"),
        ("fd00:ec2::254", "2001:db8:1::7", "2001:db8:2::7", "2001:db8:1::/48"),
    ],
)
def test_ignored_addresses_are_direct(
    served: Host, metadata: str, near: str, far: str, network: str
) -> None:
    for address in (metadata, near, far):
        served.peer.run("ip", "addr", "add", address, "dev", "lo")
    served.intercept("--ignore-address", network)
    for address in (metadata, near):
        assert reach(served.app, address, 9000) == Reached("peer", 9000, address, 9000)
    assert reach(served.app, far, 9000) == Reached("app", 15001, far, 9000)


def test_other_ports_of_envoy(served: Host) -> None:
    served.intercept("--app-port", 9001, "--ingress-port", 8080, "--egress-port", 8081)
    app, peer = served.app.ipv4, served.peer.ipv4
    assert reach(served.app, peer, 9000) == Reached("app", 8081, peer, 9000)
    assert reach(served.peer, app, 9001) == Reached("app", 8080, app, 9001)


def test_without_ipv6_it_stays_direct_even_if_it_was_intercepted_before(served: Host) -> None:
    peer = served.peer
    served.intercept()
    assert reach(served.app, peer.ipv6, 9000) == Reached("app", 15001, peer.ipv6, 9000)
    served.intercept("--no-ipv6")
    assert reach(served.app, peer.ipv6, 9000) == Reached("peer", 9000, peer.ipv6, 9000)
    assert reach(served.app, peer.ipv4, 9000) == Reached("app", 15001, peer.ipv4, 9000)


@pytest.mark.parametrize("family", FAMILIES)
def test_after_removal_everything_is_direct(served: Host, family: str) -> None:
    served.intercept("--app-port", 8080)
    served.intercept("--remove")
    app, peer = getattr(served.app, family), getattr(served.peer, family)
    assert reach(served.app, peer, 9000) == Reached("peer", 9000, peer, 9000)
    assert reach(served.peer, app, 8080) == Reached("app", 8080, app, 8080)


def test_connections_that_were_open_before_stay_as_they_were(served: Host, tmp_path: Path) -> None:
    app, peer = served.app.ipv4, served.peer.ipv4
    with (
        open_connection(served.app, peer, 9000, tmp_path) as outbound,
        open_connection(served.peer, app, 8080, tmp_path) as inbound,
    ):
        served.intercept("--app-port", 8080)
        assert outbound() == Reached("peer", 9000, peer, 9000)
        assert inbound() == Reached("app", 8080, app, 8080)


def test_connections_through_envoy_outlive_another_run(served: Host, tmp_path: Path) -> None:
    served.intercept("--app-port", 8080)
    peer = served.peer.ipv4
    with open_connection(served.app, peer, 9000, tmp_path) as outbound:
        served.intercept("--egress-port", 8081)
        assert outbound() == Reached("app", 15001, peer, 9000)
