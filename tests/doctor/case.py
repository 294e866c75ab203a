"""Manifests that a check must find something in, and their healthy twins."""

from dataclasses import dataclass

from pointsman.doctor.engine import diagnose
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding
from pointsman.graph.link import link
from pointsman.resources.store import Store

BASE = """\
apiVersion: appmesh.k8s.aws/v1beta2
kind: Mesh
metadata: {name: m}
spec: {namespaceSelector: {}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualGateway
metadata: {name: edge, namespace: shop}
spec:
  namespaceSelector: {}
  listeners: [{portMapping: {port: 8088, protocol: http}}]
"""


@dataclass(frozen=True)
class Case:
    """A way in which a check may find something.

    Attributes:
        check: its code.
        name: what is wrong, in a word or two.
        bad: documents with one mistake.
        good: the same without it.
        says: what the finding's message says, in part.
        base: documents before both.
    """

    check: str
    name: str
    bad: str
    good: str
    says: str
    base: str = BASE


def examined(*texts: str) -> tuple[Finding, ...]:
    """Everything found in some files."""
    store = Store({})
    for number, text in enumerate(texts):
        store.replace(f"{number}.yaml", text)
    result = link(store.resources())
    problems = tuple(map(store.locate, (*store.problems(), *result.problems)))
    return diagnose(Evidence(store.resources(), result.graph, problems))


def of(kind: str, name: str, spec: str, version: str = "appmesh.k8s.aws/v1beta2") -> str:
    """A document; the spec is indented by two blanks, or in braces."""
    head = (
        f"---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\n"
    )
    body = f" {spec}" if spec.startswith("{") else "\n" + spec.rstrip("\n")
    return f"{head}spec:{body}\n"


def policy(kind: str, name: str, spec: str) -> str:
    """A document of one of Pointsman's own kinds."""
    return of(kind, name, spec, "pointsman.dev/v1alpha1")


def node(name: str, listener: str = "", **more: str) -> str:
    """A virtual node on port 8080; what is given goes into its listener, the rest into its spec."""
    inside = f", {listener}" if listener else ""
    spec = {
        "listeners": f"[{{portMapping: {{port: 8080, protocol: http}}{inside}}}]",
        "serviceDiscovery": f"{{dns: {{hostname: {name}.shop.local}}}}",
        **more,
    }
    fields = ", ".join(f"{field}: {value}" for field, value in spec.items())
    return of("VirtualNode", name, f"{{{fields}}}")


def service(name: str, provider: str = "") -> str:
    """A virtual service; the node of its name provides it, or `VirtualRouter/NAME`."""
    router = provider.partition("/")[2]
    if router:
        spec = f"{{provider: {{virtualRouter: {{virtualRouterRef: {{name: {router}}}}}}}}}"
    else:
        spec = f"{{provider: {{virtualNode: {{virtualNodeRef: {{name: {provider or name}}}}}}}}}"
    return of("VirtualService", name, spec)


def gateway_route(name: str, match: str, target: str = "cart", **more: str) -> str:
    """A gateway route for HTTP; the rest goes into its spec."""
    action = f"{{target: {{virtualService: {{virtualServiceRef: {{name: {target}}}}}}}}}"
    body = f"{{match: {match}, action: {action}}}"
    fields = ", ".join(f"{field}: {value}" for field, value in {"httpRoute": body, **more}.items())
    return of("GatewayRoute", name, f"{{{fields}}}")


def route(name: str, match: str, *targets: str, **more: str) -> str:
    """A route of a router, to `NODE` or `NODE=WEIGHT`; `priority` beside it, the rest into it."""
    weighted = [
        f"{{virtualNodeRef: {{name: {each.partition('=')[0]}}}, weight: "
        f"{each.partition('=')[2] or 1}}}"
        for each in targets or ("cart",)
    ]
    outside = f", priority: {more.pop('priority')}" if "priority" in more else ""
    action = f"{{weightedTargets: [{', '.join(weighted)}]}}"
    inside = "".join(f", {field}: {value}" for field, value in more.items())
    return f"{{name: {name}, httpRoute: {{match: {match}, action: {action}{inside}}}{outside}}}"


def router(name: str, *routes: str) -> str:
    """A virtual router on port 8080."""
    listeners = "[{portMapping: {port: 8080, protocol: http}}]"
    return of("VirtualRouter", name, f"{{listeners: {listeners}, routes: [{', '.join(routes)}]}}")


CART = node("cart") + service("cart")
"""A node and the service it provides."""


def routed(*routes: str, nodes: str = "") -> str:
    """A service `cart` with a router in front of its node, and a gateway route to it."""
    return (
        (nodes or node("cart"))
        + service("cart", "VirtualRouter/cart")
        + router("cart", *routes)
        + gateway_route("all", "{prefix: /}")
    )
