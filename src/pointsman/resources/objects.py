"""One object of one of our kinds, whatever version or dialect, to typed resources.

The only place that knows which schema a document is read with; everything after it sees App
Mesh's kinds as v1beta2 alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pointsman.resources.codes import fields as codes
from pointsman.resources.codes import notes
from pointsman.resources.dialect import extensions, old_mesh_name, unwrap_targets
from pointsman.resources.envelope import identify, unknown_roots
from pointsman.resources.key import Key
from pointsman.resources.kinds.registry import APP_MESH, SPECS
from pointsman.resources.origin import Origin
from pointsman.resources.problem import Problem, has_errors
from pointsman.resources.resource import Resource
from pointsman.resources.rules import RULES
from pointsman.resources.rules.common import control_characters
from pointsman.resources.rules.virtual_router import check_routes
from pointsman.resources.v1beta1 import mesh, virtual_node, virtual_service
from pointsman.resources.validate import validate
from pointsman.resources.words import shown

OLD_KINDS: Final[dict[str, type[Any]]] = {
    "Mesh": mesh.MeshV1Beta1,
    "VirtualNode": virtual_node.VirtualNodeV1Beta1,
    "VirtualService": virtual_service.VirtualServiceV1Beta1,
}
"""The kinds v1beta1 had, with their schemas."""

_CURRENT_SHAPE: Final = {
    "Mesh": ("namespaceSelector", "awsName", "meshOwner", "meshServiceDiscovery"),
    "VirtualNode": ("podSelector", "awsName", "backendGroups"),
    "VirtualService": ("provider", "awsName"),
}
"""Fields by which an object under v1beta1 shows that it is written as v1beta2."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an object.

    Attributes:
        resources: none when there are errors; two for a v1beta1 VirtualService with routes.
        problems: everything found.
        key: the object's key, when it could be told.
    """

    resources: tuple[Resource[Any], ...]
    problems: tuple[Problem, ...]
    key: Key | None


def decode_object(
    tree: dict[str, Any], version: str, kind: str, *, clean: bool, origin: Origin
) -> Outcome:
    """Decodes an object of one of our groups.

    Args:
        tree: the object.
        version: one of its group's versions.
        kind: one of its group's kinds.
        clean: whether no text of the document has control characters.
        origin: where it was written.
    """
    identity = identify(tree, kind)
    key = identity.key
    problems = [*identity.problems, *unknown_roots(tree, key)]
    spec = tree.get("spec", {})
    if not isinstance(spec, dict):
        message = f"spec must be a mapping of fields, not {shown(spec)}"
        problems.append(Problem(codes.WRONG_TYPE, message, "", key, ("spec",)))
        return Outcome((), tuple(problems), key)
    if not clean:
        problems += control_characters(key or Key(kind, "", "?"), spec)
    old = version == "v1beta1" and not _is_current_shape(kind, spec)
    if version == "v1beta1" and not old and kind in APP_MESH.specs:
        problems.append(_dialect_warning(kind, key))
    if kind == "GatewayRoute":
        unwrap_targets(spec)
    typed, found = validate(OLD_KINDS[kind] if old else SPECS[kind], spec, key)
    problems += found
    if typed is None or key is None:
        return Outcome((), tuple(problems), key)
    made = [
        Resource(made_key, identity.labels, made_spec, origin)
        for made_key, made_spec in (_converted(typed, key) if old else ((key, typed),))
    ]
    for resource in made:
        problems += _checked(resource, old=old)
    resources = () if has_errors(problems) else tuple(made)
    return Outcome(resources, tuple(problems), key)


def _checked(resource: Resource[Any], *, old: bool) -> Iterator[Problem]:
    if old and resource.key.kind == "VirtualRouter":
        yield from check_routes(resource)
        return
    yield from RULES[resource.key.kind](resource)
    if not old:
        yield from extensions(resource)
    elif resource.key.kind == "Mesh" and resource.spec.aws_name is not None:
        yield old_mesh_name(resource.key)


def _converted(spec: Any, key: Key) -> Iterator[tuple[Key, Any]]:
    if isinstance(spec, virtual_service.VirtualServiceV1Beta1):
        yield from virtual_service.convert(spec, key)
    elif isinstance(spec, virtual_node.VirtualNodeV1Beta1):
        yield key, virtual_node.convert(spec, key)
    else:
        yield key, mesh.convert(spec)


def _is_current_shape(kind: str, spec: dict[str, Any]) -> bool:
    """Whether an object under v1beta1 is written in the shape of v1beta2."""
    if kind not in OLD_KINDS or any(field in spec for field in _CURRENT_SHAPE[kind]):
        return True
    if kind != "VirtualNode":
        return False
    discovery = spec.get("serviceDiscovery")
    dns = discovery.get("dns") if isinstance(discovery, dict) else None
    return (
        (isinstance(discovery, dict) and "awsCloudMap" in discovery)
        or (isinstance(dns, dict) and "hostname" in dns)
        or _has_references(spec.get("backends"))
    )


def _has_references(backends: Any) -> bool:
    for backend in backends if isinstance(backends, list) else ():
        service = backend.get("virtualService") if isinstance(backend, dict) else None
        if isinstance(service, dict) and "virtualServiceRef" in service:
            return True
    return False


def _dialect_warning(kind: str, key: Key | None) -> Problem:
    never = kind not in OLD_KINDS
    message = (
        f"v1beta1 never had the kind {kind}; it is read as v1beta2"
        if never
        else f"this {kind} has the shape of v1beta2 under apiVersion v1beta1; it is read as v1beta2"
    )
    hint = "write apiVersion: appmesh.k8s.aws/v1beta2"
    return Problem(notes.ARTICLE_DIALECT, message, hint, key, ("apiVersion",))
