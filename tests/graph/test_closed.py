"""A policy of access that cannot be read: closed at the start, and harmless later."""

from dataclasses import replace

from pointsman.graph.link import link
from pointsman.resources.key import Key
from pointsman.resources.resource_set import ResourceSet
from tests.support.manifests import MESH, gateway, gateway_route, node, policy, resources, service

SCENE = (
    MESH,
    gateway(),
    node("books", 80),
    service("books", node="books"),
    gateway_route("books", {"prefix": "/"}, "books"),
)
POLICY = Key("AccessPolicy", "shop", "p")


def written(*broken: Key) -> ResourceSet:
    return replace(resources(SCENE), broken=frozenset(broken))


def is_closed(result: object) -> bool:
    (found,) = result.graph.gateways.values()  # type: ignore[attr-defined]
    return not found.listeners[0].hosts[0].rules[0].targets


def test_it_closes_the_gateways_of_its_namespace_at_the_start_until_it_can_be_read() -> None:
    first = link(written(POLICY))
    assert is_closed(first)
    again = link(written(POLICY), previous=first)
    assert is_closed(again)
    mended = link(
        resources((*SCENE, policy("AccessPolicy", "p", "GatewayRoute/books", default="allow"))),
        previous=again,
    )
    assert not is_closed(mended)
    assert not is_closed(link(written(), previous=again))


def test_one_of_another_namespace_closes_nothing_and_neither_does_one_that_breaks_later() -> None:
    assert not is_closed(link(written(Key("AccessPolicy", "other", "p"))))
    serving = link(written())
    assert not is_closed(link(written(POLICY), previous=serving))
