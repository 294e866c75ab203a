"""Every problem linking can find: a mesh that has it, and the same mesh without it."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from pointsman.graph.link import LinkResult, link
from pointsman.graph.links.certificates import CertificateMap
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.cluster import Address
from pointsman.resources.codes import enforcement, references, routing
from pointsman.resources.key import Key
from pointsman.resources.kinds.tls import FileTrust
from pointsman.resources.problem import Code
from tests.support.manifests import (
    MESH,
    document,
    gateway,
    gateway_route,
    node,
    resources,
    route,
    router,
    service,
)

Documents = dict[str, dict[str, Any]]
"""Documents by `Kind/name`, to be changed by a case."""
FILE_TLS = {"mode": "STRICT", "certificate": {"file": {"certificateChain": "c", "privateKey": "k"}}}
ACM_TLS = {"mode": "STRICT", "certificate": {"acm": {"certificateARN": "arn:x"}}}


def trusting(*arns: str) -> dict[str, Any]:
    """A client policy that trusts authorities of AWS."""
    return {"tls": {"validation": {"trust": {"acm": {"certificateAuthorityARNs": list(arns)}}}}}


CERTIFICATES = CertificateMap(
    authorities={
        "arn:a": FileTrust(certificate_chain="/a.pem"),
        "arn:b": FileTrust(certificate_chain="/b.pem"),
    }
)
DEMO = GivenEndpoints(by_node={(Key("VirtualNode", "shop", "b"), 80): Address("127.0.0.1", 9)})


def sound() -> Documents:
    """A mesh without problems."""
    documents = [
        MESH,
        document("Namespace", "shop", {}),
        gateway(),
        node("a", 80),
        node("b", 80),
        service("svc", router="svc"),
        service("direct", node="b"),
        router("svc", route("all", {"prefix": "/"}, ("a", 1))),
        gateway_route("g", {"prefix": "/"}, "svc"),
        gateway_route("h", {"prefix": "/direct"}, "direct"),
    ]
    return {
        f"{each['kind']}/{each['metadata']['name']}": deepcopy(dict(each)) for each in documents
    }


def codes_in(documents: Documents) -> set[str]:
    return {problem.code.id for problem in mesh(documents).problems}


def mesh(documents: Documents) -> LinkResult:
    """All of it linked: node b has a demo backend, arn:a and arn:b stand for files."""
    return link(resources(documents.values()), DEMO, certificates=CERTIFICATES)


def edit(name: str, path: str, value: Any) -> Callable[[Documents], None]:
    """A change of one field; numbers in the path are list indexes."""

    def change(documents: Documents) -> None:
        place: Any = documents[name]["spec"]
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in steps:
            place = place[step]
        place[last] = value

    return change


def remove(name: str) -> Callable[[Documents], None]:
    def change(documents: Documents) -> None:
        del documents[name]

    return change


def add(*more: Any) -> Callable[[Documents], None]:
    def change(documents: Documents) -> None:
        documents.update({f"{each['kind']}/{each['metadata']['name']}": each for each in more})

    return change


def together(*changes: Callable[[Documents], None]) -> Callable[[Documents], None]:
    def change(documents: Documents) -> None:
        for each in changes:
            each(documents)

    return change


TARGET = "httpRoute.action.target.virtualService"
WEIGHTED = "routes.0.httpRoute.action.weightedTargets"
TWO_PORTS = [{"portMapping": {"port": port, "protocol": "http"}} for port in (80, 81)]
HEALTH = {
    "healthyThreshold": 2,
    "unhealthyThreshold": 2,
    "intervalMillis": 5000,
    "timeoutMillis": 2000,
    "protocol": "grpc",
}
CLOUD_MAP = {"awsCloudMap": {"namespaceName": "n", "serviceName": "s"}}
CASES: list[tuple[Code, Callable[[Documents], None]]] = [
    (references.NO_MESH, edit("Mesh/mesh", "namespaceSelector", None)),
    (references.SEVERAL_MESHES, add(document("Mesh", "two", {"namespaceSelector": {}}))),
    (
        references.ASSUMED_MESH,
        together(
            remove("Namespace/shop"),
            edit("Mesh/mesh", "namespaceSelector", {"matchLabels": {"a": "b"}}),
        ),
    ),
    (references.NO_GATEWAY, edit("VirtualGateway/gateway", "namespaceSelector", None)),
    (references.SEVERAL_GATEWAYS, add(gateway(name="two"))),
    (
        references.ASSUMED_GATEWAY,
        together(
            remove("Namespace/shop"),
            edit("VirtualGateway/gateway", "namespaceSelector", {"matchLabels": {"a": "b"}}),
        ),
    ),
    (references.MISSING, remove("VirtualService/svc")),
    (references.MISSING, remove("VirtualRouter/svc")),
    (references.MISSING, remove("VirtualNode/a")),
    (references.MISSING, remove("VirtualNode/b")),
    (references.MISSING, edit("GatewayRoute/g", "gatewayName", "nobody")),
    (references.MISSING, edit("GatewayRoute/g", "meshName", "nobody")),
    (
        references.OTHER_MESH,
        together(
            add(document("Mesh", "two", {})), edit("VirtualNode/a", "meshRef", {"name": "two"})
        ),
    ),
    (references.ARN, edit("GatewayRoute/g", TARGET, {"virtualServiceARN": "arn:aws:x"})),
    (
        references.ARN,
        edit("VirtualRouter/svc", f"{WEIGHTED}.0", {"virtualNodeARN": "arn:aws:x", "weight": 1}),
    ),
    (references.NO_TARGET, edit("GatewayRoute/g", TARGET, {})),
    (references.SAME_AWS_NAME, edit("VirtualNode/a", "awsName", "b_shop")),
    (routing.PORT_REQUIRED, edit("VirtualNode/a", "listeners", TWO_PORTS)),
    (routing.PORT_REQUIRED, edit("VirtualGateway/gateway", "listeners", TWO_PORTS)),
    (routing.PORT_REQUIRED, edit("VirtualRouter/svc", "listeners", TWO_PORTS)),
    (routing.NO_SUCH_PORT, edit("GatewayRoute/g", "httpRoute.match.port", 9)),
    (routing.NO_SUCH_PORT, edit("GatewayRoute/g", "httpRoute.action.target.port", 9)),
    (routing.NO_SUCH_PORT, edit("VirtualRouter/svc", f"{WEIGHTED}.0.port", 9)),
    (routing.NO_LISTENER, edit("VirtualNode/a", "listeners", [])),
    (routing.NO_DISCOVERY, edit("VirtualNode/a", "serviceDiscovery", None)),
    (routing.TCP_BEHIND_HTTP, edit("VirtualNode/a", "listeners.0.portMapping.protocol", "tcp")),
    (routing.TCP_BEHIND_HTTP, edit("VirtualNode/b", "listeners.0.portMapping.protocol", "tcp")),
    (
        routing.PROTOCOL_MISMATCH,
        edit("VirtualGateway/gateway", "listeners.0.portMapping.protocol", "grpc"),
    ),
    (routing.NO_WEIGHT, edit("VirtualRouter/svc", f"{WEIGHTED}.0.weight", 0)),
    (
        routing.NO_WEIGHT,
        edit(
            "GatewayRoute/g",
            "httpRoute.action",
            {
                "weightedTargets": [
                    {"targetRef": {"virtualServiceRef": {"name": "svc"}}, "weight": 0}
                ]
            },
        ),
    ),
    (routing.NO_PROVIDER, edit("VirtualService/svc", "provider", None)),
    (
        routing.TCP_ROUTE_UNREACHABLE,
        edit(
            "VirtualRouter/svc",
            "routes.0",
            {
                "name": "tcp",
                "tcpRoute": {
                    "action": {"weightedTargets": [{"virtualNodeRef": {"name": "a"}, "weight": 1}]}
                },
            },
        ),
    ),
    (routing.SAME_PORT, edit("VirtualGateway/gateway", "listeners", [TWO_PORTS[0]] * 2)),
    (routing.ENDPOINTS_UNKNOWN, edit("VirtualNode/a", "serviceDiscovery", CLOUD_MAP)),
    (routing.HEALTH_CHECK_PROTOCOL, edit("VirtualNode/a", "listeners.0.healthCheck", HEALTH)),
    (
        enforcement.CERTIFICATE_UNMAPPED,
        edit("VirtualGateway/gateway", "listeners.0.tls", ACM_TLS),
    ),
    (
        enforcement.AUTHORITY_UNMAPPED,
        edit("VirtualGateway/gateway", "backendDefaults", {"clientPolicy": trusting("arn:c")}),
    ),
    (
        enforcement.AUTHORITIES_APART,
        edit(
            "VirtualGateway/gateway",
            "backendDefaults",
            {"clientPolicy": trusting("arn:a", "arn:b")},
        ),
    ),
    (enforcement.BARE_BACKEND, edit("VirtualNode/b", "listeners.0.tls", FILE_TLS)),
    (
        enforcement.BARE_BACKEND,
        edit("VirtualGateway/gateway", "backendDefaults", {"clientPolicy": trusting("arn:a")}),
    ),
    (
        enforcement.INFORMATIONAL,
        edit("VirtualGateway/gateway", "listeners.0.healthCheck", {**HEALTH, "protocol": "http"}),
    ),
    (enforcement.KUBERNETES_ONLY, edit("VirtualNode/a", "podSelector", {})),
]


def test_a_sound_mesh_has_no_problems() -> None:
    assert codes_in(sound()) == set()


@pytest.mark.parametrize(
    ("code", "change"),
    CASES,
    ids=[f"{code.id}-{index}" for index, (code, _) in enumerate(CASES)],
)
def test_a_problem_is_found(code: Code, change: Callable[[Documents], None]) -> None:
    documents = sound()
    change(documents)
    assert code.id in codes_in(documents)


def test_a_listener_without_its_certificate_is_not_served_in_plaintext() -> None:
    documents = sound()
    edit("VirtualGateway/gateway", "listeners.0.tls", ACM_TLS)(documents)
    (found,) = mesh(documents).graph.gateways.values()
    assert found.listeners == ()


@pytest.mark.parametrize("arns", [("arn:c",), ("arn:a", "arn:b")])
def test_backends_that_cannot_be_verified_are_not_called(arns: tuple[str, ...]) -> None:
    documents = sound()
    edit("VirtualGateway/gateway", "backendDefaults", {"clientPolicy": trusting(*arns)})(documents)
    (found,) = mesh(documents).graph.gateways.values()
    assert {rule.targets for host in found.listeners[0].hosts for rule in host.rules} == {()}


@pytest.mark.parametrize("name", ["VirtualService/svc", "VirtualRouter/svc", "VirtualNode/a"])
def test_linking_goes_on_without_what_is_missing(name: str) -> None:
    documents = sound()
    remove(name)(documents)
    (found,) = link(resources(documents.values())).graph.gateways.values()
    names = {rule.key.name for host in found.listeners[0].hosts for rule in host.rules}
    assert names == {"g", "h"}
