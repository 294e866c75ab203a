"""TCP services on one port, told apart by the address an application calls."""

import json
from pathlib import Path
from typing import Any

import pytest

from pointsman.envoy import pb
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.translate import translate
from pointsman.graph.link import link
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.cluster import Address
from tests.intercept.conftest import Host
from tests.intercept.test_envoy import running_envoy
from tests.support.destination import Reached, reach, serving
from tests.support.instrument import unsealed
from tests.support.manifests import MESH, Document, node, policy, resources, service
from tests.support.scenes import key

pytestmark = [pytest.mark.netns, pytest.mark.envoy]
BACKENDS = {"first": 9101, "second": 9102, "rest": 9103}
"""Where the nodes really are; all are called on port 9000."""


def database(name: str) -> tuple[Document, Document]:
    return node(name, 9000, protocol="tcp"), service(name, node=name)


async def test_the_address_tells_services_apart(host: Host, tmp_path: Path) -> None:
    backends = [{"virtualService": {"virtualServiceRef": {"name": name}}} for name in BACKENDS]
    documents = (
        MESH,
        node("app", 8080, backends=backends),
        *(each for name in BACKENDS for each in database(name)),
        policy("AddressPolicy", "a", "VirtualService/first", addresses=["10.99.0.1"]),
        policy(
            "AddressPolicy", "b", "VirtualService/second", addresses=["10.99.1.0/24", "fd99::7"]
        ),
    )
    peer = host.peer.ipv4
    given = {(key("VirtualNode", name), 9000): Address(peer, at) for name, at in BACKENDS.items()}
    result = link(resources(documents), GivenEndpoints(by_node=given))
    messages = unsealed(translate(result.graph, NodeClass(key("VirtualNode", "app"), "static")))
    folder = tmp_path / "envoy"
    folder.mkdir()
    configuration: dict[str, Any] = {
        "admin": {"address": {"pipe": {"path": str(folder / "admin.sock")}}},
        "static_resources": {
            "listeners": [pb.to_dict(item) for item in messages.listeners],
            "clusters": [pb.to_dict(item) for item in messages.clusters],
        },
    }
    (folder / "envoy.json").write_text(json.dumps(configuration))
    folder.chmod(0o777)
    with (
        serving(host.peer, "first", 9101),
        serving(host.peer, "second", 9102),
        serving(host.peer, "rest", 9103),
    ):
        async with running_envoy(host.app, folder):
            host.intercept("--app-port", 8080)
            for address, name in (
                ("10.99.0.1", "first"),
                ("10.99.1.1", "second"),
                ("10.99.1.255", "second"),
                ("10.99.2.1", "rest"),
                (peer, "rest"),
            ):
                at = BACKENDS[name]
                assert reach(host.app, address, 9000) == Reached(name, at, peer, at), address
