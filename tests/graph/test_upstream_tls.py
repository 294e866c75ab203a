"""Whose word counts about TLS towards a backend at an address that was given."""

from dataclasses import replace

import pytest

from pointsman.graph.link import link
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.cluster import Address, Cluster
from pointsman.graph.model.tls import ClientTls, Issued, ServerTls
from pointsman.graph.tls import UpstreamTls, upstream_tls
from pointsman.resources.key import Key
from tests.support.manifests import MESH, gateway, gateway_route, node, resources, service

TLS = {"mode": "STRICT", "certificate": {"sds": {"secretName": "s"}}}
NODE = Key("VirtualNode", "shop", "a")
HERE = Address("127.0.0.1", 9)


def found(given: GivenEndpoints) -> Cluster:
    """Node a, which speaks TLS, as a gateway calls it."""
    listener = {"portMapping": {"port": 80, "protocol": "http"}, "tls": TLS}
    documents = (
        MESH,
        gateway(),
        node("a", listeners=[listener]),
        service("a", node="a"),
        gateway_route("a", {"prefix": "/"}, "a"),
    )
    (edge,) = link(resources(documents), given).graph.gateways.values()
    (host,) = edge.listeners[0].hosts
    return host.rules[0].targets[0].service.routes[0].targets[0].cluster


@pytest.mark.parametrize(
    ("given", "speaks"),
    [
        (GivenEndpoints(), True),
        (GivenEndpoints(by_node={(NODE, 80): HERE}), False),
        (GivenEndpoints(by_node={(NODE, 80): HERE}, bare=False), True),
        (GivenEndpoints(by_name={("a.test", 80): HERE}), True),
        (GivenEndpoints({("a.test", 80): HERE}, {(NODE, 80): HERE}), True),
    ],
)
def test_only_an_application_without_its_proxy_speaks_plaintext(
    given: GivenEndpoints, speaks: bool
) -> None:
    cluster = found(given)
    policy = ClientTls(enforce=True, ports=(), certificate=None, trust=Issued())
    assert (upstream_tls(None, cluster) is not None) == speaks
    assert (upstream_tls(policy, cluster) is not None) == speaks


def test_a_node_that_is_not_discovered_is_verified_by_its_own_name() -> None:
    cluster = replace(found(GivenEndpoints()), discovery=None)
    policy = ClientTls(enforce=True, ports=(), certificate=Issued(), trust=Issued())
    assert upstream_tls(policy, cluster) == UpstreamTls(Issued(), Issued(), ("a_shop",), "")


def test_who_signed_a_servers_certificate_is_enough_without_a_policy() -> None:
    tls = ServerTls("STRICT", Issued(), authority=Issued())
    cluster = replace(found(GivenEndpoints()), tls=tls)
    assert upstream_tls(None, cluster) == UpstreamTls(None, Issued(), (), "a.test")
