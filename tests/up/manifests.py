"""Manifests of a small shop, piece by piece, as a person would keep them in files."""

from collections.abc import Mapping
from typing import Any

import yaml

NAMESPACE = "shop"


def text(*objects: dict[str, Any]) -> str:
    """The objects as one file."""
    return yaml.safe_dump_all(objects, sort_keys=False)


def _object(kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    head = {"name": name} if kind == "Mesh" else {"name": name, "namespace": NAMESPACE}
    return {
        "apiVersion": "appmesh.k8s.aws/v1beta2",
        "kind": kind,
        "metadata": head | metadata,
        "spec": spec,
    }


def mesh() -> dict[str, Any]:
    """A mesh that takes everything."""
    return _object("Mesh", "shop", {"namespaceSelector": {}})


def gateway(name: str, *ports: int, **spec: Any) -> dict[str, Any]:
    """A gateway with HTTP listeners; it takes the routes labelled with its name."""
    listeners = [{"portMapping": {"port": port, "protocol": "http"}} for port in ports]
    selectors = {
        "namespaceSelector": {},
        "gatewayRouteSelector": {"matchLabels": {"gateway": name}},
    }
    return _object("VirtualGateway", name, {**selectors, "listeners": listeners, **spec})


def route(
    name: str, *, service: str = "", gateway: str = "front", port: int | None = None, **match: Any
) -> dict[str, Any]:
    """`/NAME...` to a service, of the route's name by default; the path stays as it is."""
    where: dict[str, Any] = {"prefix": f"/{name}", **match}
    if port is not None:
        where["port"] = port
    target = {"virtualService": {"virtualServiceRef": {"name": service or name}}}
    rewrite = {"prefix": {"defaultPrefix": "DISABLED"}}
    spec = {"httpRoute": {"match": where, "action": {"target": target, "rewrite": rewrite}}}
    return _object("GatewayRoute", name, spec, labels={"gateway": gateway})


def service(name: str, node: str = "") -> dict[str, Any]:
    """A service that one node provides, of the service's name by default."""
    provider = {"virtualNode": {"virtualNodeRef": {"name": node or name}}}
    return _object("VirtualService", name, {"awsName": f"{name}.shop", "provider": provider})


def routed(name: str, **weights: int) -> list[dict[str, Any]]:
    """A service whose router splits its requests."""
    targets = [{"virtualNodeRef": {"name": n}, "weight": w} for n, w in weights.items()]
    listeners = [{"portMapping": {"port": 8080, "protocol": "http"}}]
    match = {"prefix": "/"}
    routes = [
        {"name": "all", "httpRoute": {"match": match, "action": {"weightedTargets": targets}}}
    ]
    provider = {"virtualRouter": {"virtualRouterRef": {"name": name}}}
    return [
        _object("VirtualService", name, {"awsName": f"{name}.shop", "provider": provider}),
        _object("VirtualRouter", name, {"listeners": listeners, "routes": routes}),
    ]


def rollout(
    router: str,
    stable: str,
    candidate: str,
    strategy: Mapping[str, Any],
    analysis: Mapping[str, Any],
    **more: Any,
) -> dict[str, Any]:
    """A rollout of a router's route, called like it; a look each second by default."""
    return {
        "apiVersion": "pointsman.dev/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": router, "namespace": NAMESPACE},
        "spec": {
            "targetRef": {"kind": "VirtualRouter", "name": router},
            "stable": {"name": stable},
            "candidate": {"name": candidate},
            "strategy": strategy,
            "analysis": {"interval": {"unit": "s", "value": 1}, "minRequests": 20, **analysis},
            **more,
        },
    }


def node(name: str) -> dict[str, Any]:
    """A node that exists in a cluster only."""
    listeners = [{"portMapping": {"port": 8080, "protocol": "http"}}]
    discovery = {"dns": {"hostname": f"{name}.shop.svc.cluster.local"}}
    return _object("VirtualNode", name, {"listeners": listeners, "serviceDiscovery": discovery})


def shop(*names: str) -> list[dict[str, Any]]:
    """Route, service and node for each name."""
    return [item for name in names for item in (route(name), service(name), node(name))]
