"""The App Mesh walkthroughs, unmodified: through real Envoy where they have a gateway, else linked.

Walkthroughs whose requests start at a node's application get a gateway of our own in front, in a
document beside theirs, so that the routes of their virtual services can be asked for a decision.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pointsman.cli.main import main
from pointsman.graph.intent import Intent, decide
from pointsman.graph.link import LinkResult, link
from pointsman.graph.model.cluster import Cluster
from pointsman.graph.model.route import Route
from pointsman.graph.request import Request
from pointsman.resources.problem import Severity
from pointsman.resources.store import Store
from tests.support.corpus import CORPUS, WALKTHROUGHS, Walkthrough, needed
from tests.support.up import Up, ask, running

pytestmark = [pytest.mark.corpus, needed]

GATEWAY = """
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualGateway
metadata: {{name: test, namespace: {namespace}}}
spec:
  meshName: {mesh}
  namespaceSelector: {{}}
  listeners: [{{portMapping: {{port: 1, protocol: {protocol}}}}}]
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: GatewayRoute
metadata: {{name: test, namespace: {namespace}}}
spec: {{meshName: {mesh}, {route}}}
"""
HTTP = """httpRoute: {{match: {{prefix: /}}, action: {{
target: {{virtualService: {{virtualServiceRef: {{name: {service}}}}}}}}}}}"""
GRPC = """grpcRoute: {{match: {{serviceName: color.ColorService}}, action: {{
target: {{virtualService: {{virtualServiceRef: {{name: {service}}}}}}}}}}}"""


def entering(walkthrough: Walkthrough, way: str) -> list[dict[str, Any]]:
    return [dict(r) for r in walkthrough.requests if r["via"].startswith(way)]


AT_GATEWAY = [name for name, w in WALKTHROUGHS.items() if entering(w, "gateway")]
REQUESTS = [(name, r) for name in AT_GATEWAY for r in entering(WALKTHROUGHS[name], "gateway")]


@pytest.fixture(scope="module")
def gateways() -> Iterator[dict[str, Up]]:
    """The walkthroughs with a gateway, each served once."""
    stack: dict[str, Iterator[Up]] = {}
    served: dict[str, Up] = {}

    def serve(name: str) -> Iterator[Up]:
        arguments = WALKTHROUGHS[name].arguments
        with running(*arguments, "--echo", "--listen", "8088=0") as up:
            yield up

    for name in AT_GATEWAY:
        stack[name] = serve(name)
        served[name] = next(stack[name])
    yield served
    for run in stack.values():
        assert next(run, None) is None


@pytest.mark.envoy
@pytest.mark.xdist_group("corpus")
@pytest.mark.parametrize(("name", "request_"), REQUESTS, ids=lambda value: str(value)[:90])
def test_a_request_at_the_gateway(
    gateways: dict[str, Up], name: str, request_: dict[str, Any]
) -> None:
    address = gateways[name].address("ingress-gw")
    answer = ask(address, request_["get"], request_.get("headers"))
    if "status" in request_:
        assert answer.status == request_["status"]
        return
    assert answer.status == 200
    assert answer.seen["virtualNode"] == request_["node"]
    assert answer.seen["path"] == request_.get("path", answer.seen["path"])
    seen = answer.seen["authority"]
    assert seen == request_.get("authority_seen", seen)


@pytest.mark.parametrize("name", WALKTHROUGHS)
def test_check_accepts_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *WALKTHROUGHS[name].arguments, "--json"]) == 0
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [p for p in problems if p["severity"] == "error"] == []


def gateway_before(walkthrough: Walkthrough, service: str, *, grpc: bool = False) -> str:
    """A gateway in front of a service; the mesh is named, since v1beta1 has no selectors."""
    return GATEWAY.format(
        namespace=walkthrough.variables.get("APP_NAMESPACE", walkthrough.name),
        mesh=walkthrough.variables.get("MESH_NAME", walkthrough.name),
        protocol="grpc" if grpc else "http",
        route=(GRPC if grpc else HTTP).format(service=service),
    )


def linked(walkthrough: Walkthrough, service: str, *, grpc: bool = False) -> LinkResult:
    """The graph of a walkthrough and of a gateway in front of one of its services."""
    store = Store(walkthrough.variables)
    for file in walkthrough.files:
        store.replace(str(file), file.read_text(encoding="utf-8"))
    store.replace("gateway.yaml", gateway_before(walkthrough, service, grpc=grpc))
    result = link(store.resources())
    problems = [*store.problems(), *result.problems]
    assert [p for p in problems if p.code.severity is Severity.ERROR] == []
    return result


def ask_graph(result: LinkResult, request: Request) -> Intent:
    (gateway,) = result.graph.gateways.values()
    return decide(gateway, gateway.listeners[0], request)


def nodes(intent: Intent) -> list[str]:
    return [t.cluster.node.name for share in intent.shares for t in share.targets if t.weight]


AT_NODE = [
    (name, dict(request))
    for name, walkthrough in WALKTHROUGHS.items()
    for request in entering(walkthrough, "node")
]


@pytest.mark.parametrize(("name", "request_"), AT_NODE, ids=lambda value: str(value)[:90])
def test_a_request_of_a_node_is_decided(name: str, request_: dict[str, Any]) -> None:
    walkthrough = WALKTHROUGHS[name]
    headers = tuple(request_.get("headers", {}).items())
    request = Request("GET", walkthrough.authority, request_["get"], headers)
    intent = ask_graph(linked(walkthrough, "color"), request)
    assert nodes(intent) == [request_["node"]]
    assert intent.status is None


def test_retries_of_both_versions_are_twins(capsys: pytest.CaptureFixture[str]) -> None:
    walkthrough = WALKTHROUGHS["howto-k8s-retry-policy"]
    assert CORPUS is not None
    old = replace(walkthrough, files=tuple((CORPUS / walkthrough.name).glob("v1beta1/*.template")))
    assert main(["check", *old.arguments]) == 0
    assert "error" not in capsys.readouterr().out

    def table(result: LinkResult) -> list[Route]:
        (rule,) = result.rules.values()
        return list(rule.targets[0].service.routes)

    def clusters(route: Route) -> list[tuple[Cluster, int]]:
        # The old controller joined name and namespace in another way.
        return [(replace(t.cluster, node_name=""), t.weight) for t in route.targets]

    named = walkthrough.authority.partition(":")[0]
    for ours, theirs in zip(
        table(linked(walkthrough, "color")), table(linked(old, named)), strict=True
    ):
        assert (ours.name, ours.match) == (theirs.name, theirs.match)
        assert (ours.timeouts, ours.retry) == (theirs.timeouts, theirs.retry)
        assert ours.retry.max_retries == 2
        assert clusters(ours) == clusters(theirs)


def test_retries_once_enabled_are_twins() -> None:
    walkthrough = WALKTHROUGHS["howto-k8s-retry-policy"]
    assert CORPUS is not None
    policies = []
    for version, service in (("v1beta2", "color"), ("v1beta1", walkthrough.authority[:-5])):
        (file,) = (CORPUS / walkthrough.name).glob(f"{version}/*.template")
        lines = file.read_text(encoding="utf-8").splitlines()
        start = next(i for i, line in enumerate(lines) if "retryPolicy" in line)
        indent = lines[start].index("#")
        for index in range(start, len(lines)):
            if not lines[index].lstrip().startswith("#"):
                break
            kept = lines[index][indent + 1 :]
            lines[index] = " " * indent + (kept[1:] if version == "v1beta1" else kept)
        store = Store(walkthrough.variables)
        store.replace("manifest.yaml", "\n".join(lines))
        store.replace("gateway.yaml", gateway_before(walkthrough, service))
        result = link(store.resources())
        assert store.problems() == () or all(
            p.code.severity is not Severity.ERROR for p in store.problems()
        )
        (rule,) = result.rules.values()
        policies.append(rule.targets[0].service.routes[0].retry)
    assert policies[0] == policies[1]
    assert (policies[0].max_retries, policies[0].per_retry_ms) == (4, 2000)
    assert policies[0].events == ("server-error",)


@pytest.mark.parametrize(("method", "status"), [("GetColor", None), ("SetColor", 404)])
def test_grpc_methods_of_a_router(method: str, status: int | None) -> None:
    result = linked(WALKTHROUGHS["howto-k8s-grpc"], "color", grpc=True)
    headers = (("content-type", "application/grpc"),)
    request = Request("POST", "color", f"/color.ColorService/{method}", headers)
    intent = ask_graph(result, request)
    (share,) = intent.shares
    assert (share.route is None) == (status == 404)
    if status is None:
        assert [t.cluster.node.name for t in share.targets] == ["server"]


@pytest.mark.parametrize(
    ("name", "service", "headers", "node"),
    [
        ("howto-k8s-egress", "external", (), "blue"),
        ("howto-k8s-tls-file-based", "color", (("color_header", "blue"),), "blue"),
        ("howto-k8s-tls-file-based", "color", (("color_header", "green"),), "green"),
        ("howto-k8s-envoy-logging-custom-format", "color", (), "blue"),
    ],
)
def test_a_service_called_by_a_node_leads_to(
    name: str, service: str, headers: tuple[tuple[str, str], ...], node: str
) -> None:
    intent = ask_graph(linked(WALKTHROUGHS[name], service), Request("GET", "x", "/", headers))
    assert nodes(intent) == [node]
