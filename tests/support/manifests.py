"""Manifests as YAML text or mappings, decoded to a ResourceSet without the reading layer.

Tests of linking and translating want manifests as people write them, and no part of the program
that reads files. What is decoded here is valid by construction or fails the test at once.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from pydantic import TypeAdapter

from pointsman.resources.key import CLUSTER_SCOPED, Key
from pointsman.resources.kinds.registry import SPECS
from pointsman.resources.origin import Origin
from pointsman.resources.resource import Resource
from pointsman.resources.resource_set import ResourceSet

Document = Mapping[str, Any]

_SPECS = {kind: TypeAdapter[Any](spec) for kind, spec in SPECS.items()}
NAMESPACE = "shop"


def read(*texts: str) -> ResourceSet:
    """Documents in YAML; those that name no namespace are in `shop`."""
    return resources(doc for text in texts for doc in yaml.safe_load_all(text) if doc)


def resources(documents: Iterable[Document]) -> ResourceSet:
    """Documents as mappings; a Namespace gives labels, the rest become resources."""
    by_kind: dict[str, dict[Key, Resource[Any]]] = {}
    namespaces: dict[str, dict[str, str]] = {}
    for document in documents:
        kind, metadata = document["kind"], document["metadata"]
        if kind == "Namespace":
            namespaces[metadata["name"]] = metadata.get("labels") or {}
            continue
        namespace = "" if kind in CLUSTER_SCOPED else metadata.get("namespace", NAMESPACE)
        key = Key(kind, namespace, metadata["name"])
        spec = _SPECS[kind].validate_python(document.get("spec") or {})
        resource = Resource(key, metadata.get("labels") or {}, spec, Origin("test", 1))
        by_kind.setdefault(kind, {})[key] = resource
    return ResourceSet(by_kind, namespaces)


def document(kind: str, name: str, spec: Document, **metadata: Any) -> Document:
    """One object."""
    return {"kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def node(name: str, *ports: int, protocol: str = "http", **spec: Any) -> Document:
    """A virtual node that listens on some ports and is found by DNS."""
    return document(
        "VirtualNode",
        name,
        {
            "listeners": [{"portMapping": {"port": p, "protocol": protocol}} for p in ports],
            "serviceDiscovery": {"dns": {"hostname": f"{name}.test"}},
            **spec,
        },
    )


MESH = document("Mesh", "mesh", {"namespaceSelector": {}})


def gateway(*listeners: tuple[int, str], name: str = "gateway", **spec: Any) -> Document:
    """A virtual gateway that takes all gateway routes; listeners are (port, protocol)."""
    mapped = [
        {"portMapping": {"port": p, "protocol": q}} for p, q in listeners or ((8080, "http"),)
    ]
    return document("VirtualGateway", name, {"namespaceSelector": {}, "listeners": mapped, **spec})


def service(name: str, *, router: str | None = None, node: str | None = None) -> Document:
    """A virtual service provided by a router, by a node, or by nothing."""
    provider: dict[str, Any] = {}
    if router is not None:
        provider = {"virtualRouter": {"virtualRouterRef": {"name": router}}}
    elif node is not None:
        provider = {"virtualNode": {"virtualNodeRef": {"name": node}}}
    return document("VirtualService", name, {"provider": provider} if provider else {})


def gateway_route(name: str, match: Document, target: str, **more: Any) -> Document:
    """An HTTP gateway route; `rewrite` goes into its action, the rest into its spec."""
    action: dict[str, Any] = {"target": {"virtualService": {"virtualServiceRef": {"name": target}}}}
    if "rewrite" in more:
        action["rewrite"] = more.pop("rewrite")
    return document("GatewayRoute", name, {"httpRoute": {"match": match, "action": action}, **more})


def router(name: str, *routes: Document, ports: tuple[int, ...] = (80,)) -> Document:
    """A virtual router."""
    listeners = [{"portMapping": {"port": port, "protocol": "http"}} for port in ports]
    return document("VirtualRouter", name, {"listeners": listeners, "routes": list(routes)})


def route(name: str, match: Document, *targets: tuple[str, int], **more: Any) -> Document:
    """An HTTP route to nodes by weight; `priority` goes beside it, the rest into it."""
    weighted = [{"virtualNodeRef": {"name": node}, "weight": weight} for node, weight in targets]
    outside = {"priority": more.pop("priority")} if "priority" in more else {}
    body = {"match": match, "action": {"weightedTargets": weighted}, **more}
    return {"name": name, "httpRoute": body, **outside}


def policy(kind: str, name: str, *targets: str, **spec: Any) -> Document:
    """A policy attached to `Kind/name` or `Kind/name/section`."""
    refs = []
    for target in targets:
        words = target.split("/")
        refs.append(dict(zip(("kind", "name", "sectionName"), words, strict=False)))
    return document(kind, name, {"targetRefs": refs, **spec})
