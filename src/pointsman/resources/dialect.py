"""Pointsman's extensions of App Mesh's schema, known from articles: accepted, and said.

The warnings show how App Mesh itself expresses the same.
"""

from collections.abc import Iterator
from typing import Any, Final

from pointsman.resources.codes import notes
from pointsman.resources.key import Key
from pointsman.resources.kinds.gateway_route import GatewayRouteSpec
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.common import SPEC

_ROUTES: Final = ("httpRoute", "http2Route", "grpcRoute")


def unwrap_targets(tree: Any) -> None:
    """`targetRef.virtualService.virtualServiceRef` as `targetRef.virtualServiceRef`, in place.

    Both spellings are found. Only the spec of a GatewayRoute is passed here.
    """
    for name in _ROUTES:
        route = tree.get(name) if isinstance(tree, dict) else None
        action = route.get("action") if isinstance(route, dict) else None
        targets = action.get("weightedTargets") if isinstance(action, dict) else None
        for target in targets if isinstance(targets, list) else ():
            reference = target.get("targetRef") if isinstance(target, dict) else None
            if isinstance(reference, dict) and list(reference) == ["virtualService"]:
                target["targetRef"] = reference["virtualService"]


def extensions(resource: Resource[Any]) -> Iterator[Problem]:
    """Warnings about extension fields of a v1beta2 object."""
    key, spec = resource.key, resource.spec
    mesh = getattr(spec, "mesh_name", None)
    if mesh is not None:
        hint = (
            f"in App Mesh the mesh chooses: Mesh.spec.namespaceSelector: "
            f"{{matchLabels: {{mesh: {mesh}}}}}, and that label on namespace {key.namespace}"
        )
        yield _extension(key, (*SPEC, "meshName"), hint)
    if isinstance(spec, GatewayRouteSpec):
        yield from _gateway_route(key, spec)


def old_mesh_name(key: Key) -> Problem:
    """The warning about `spec.meshName` of a v1beta1 Mesh."""
    hint = "in App Mesh the name of a Mesh is metadata.name, or spec.awsName of v1beta2"
    return _extension(key, (*SPEC, "meshName"), hint)


def _gateway_route(key: Key, spec: GatewayRouteSpec) -> Iterator[Problem]:
    if spec.gateway_name is not None:
        hint = (
            f"in App Mesh the gateway chooses: VirtualGateway.spec.namespaceSelector: "
            f"{{matchLabels: {{gateway: {spec.gateway_name}}}}}, and that label on namespace "
            f"{key.namespace}"
        )
        yield _extension(key, (*SPEC, "gatewayName"), hint)
    bodies = zip(_ROUTES, (spec.http_route, spec.http2_route, spec.grpc_route), strict=True)
    for name, body in bodies:
        if body is not None and body.action.weighted_targets:
            hint = (
                "in App Mesh a route has one target: {virtualService: {virtualServiceRef: {name: "
                "NAME}}}; weights are set for virtual nodes, in a VirtualRouter's weightedTargets"
            )
            yield _extension(key, (*SPEC, name, "action", "weightedTargets"), hint)


def _extension(key: Key, path: FieldPath, hint: str) -> Problem:
    message = f"{show_path(path)} is an extension that App Mesh does not have"
    return Problem(notes.EXTENSION_FIELD, message, hint, key, path)
