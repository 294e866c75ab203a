"""Which of several services on one port a connection is for, by the address it goes to."""

import pytest

from pointsman.graph.call import Way, decide_call
from pointsman.graph.link import link
from pointsman.graph.request import Request
from tests.support.manifests import MESH, Document, document, node, policy, resources, service
from tests.support.scenes import key

ADDRESSES = {"wide": ["10.0.0.0/8"], "narrow": ["10.1.0.0/16", "fd00::1"]}


def mesh(*names: str, **protocols: str) -> list[Document]:
    backends = [{"virtualService": {"virtualServiceRef": {"name": name}}} for name in names]
    documents = [MESH, document("Namespace", "shop", {}), node("app", 80, backends=backends)]
    for name in names:
        documents += [node(name, 5432, protocol=protocols.get(name, "tcp"))]
        documents += [service(name, node=name)]
        if name in ADDRESSES:
            target = f"VirtualService/{name}"
            documents.append(policy("AddressPolicy", name, target, addresses=ADDRESSES[name]))
    return documents


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("10.9.9.9", "wide"),
        ("10.1.9.9", "narrow"),
        ("[fd00::1]:5432", "narrow"),
        ("192.0.2.1:5432", "rest"),
        ("db.test", "rest"),
    ],
)
def test_the_narrowest_range_has_a_connection(address: str, wanted: str) -> None:
    result = link(resources(mesh("wide", "narrow", "rest")))
    assert {problem.code.id for problem in result.problems} == {"PM423"}
    sidecar = result.graph.sidecars[key("VirtualNode", "app")]
    call = decide_call(sidecar, 5432, Request("GET", address, "/"))
    assert call.way is Way.TCP
    assert call.tcp is not None
    assert call.tcp.key.name == wanted


def test_http_has_what_is_left() -> None:
    result = link(resources(mesh("narrow", "web", web="http")))
    sidecar = result.graph.sidecars[key("VirtualNode", "app")]
    assert decide_call(sidecar, 5432, Request("GET", "10.1.0.1", "/")).way is Way.TCP
    call = decide_call(sidecar, 5432, Request("GET", "web.shop", "/"))
    assert call.way is Way.SERVICE
    assert decide_call(sidecar, 5432, Request("GET", "10.2.0.1", "/")).status == 404


def test_other_addresses_are_called_by_nobody() -> None:
    result = link(resources(mesh("narrow")))
    sidecar = result.graph.sidecars[key("VirtualNode", "app")]
    assert decide_call(sidecar, 5432, Request("GET", "10.2.0.1", "/")).way is Way.CLOSED
