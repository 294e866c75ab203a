"""Fields nobody knows: said, then dropped, or read as the field that was meant.

Kubernetes drops unknown fields without a word, so manifests in the wild have them. They never
keep an object from being used; a field that is wrong only in its capitals (`hostName` in
v1beta2, `certificateArn`, `virtualServices`) is taken for the right one.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.shape import fields_at
from pointsman.resources.words import listed, nearest

_FEW: Final = 8


def _milliseconds(value: Any) -> Any:
    return {"unit": "ms", "value": value}


_RENAMED: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "perRetryTimeoutMillis": ("perRetryTimeout", _milliseconds),
}
"""Fields of v1beta1 whose value can be carried over: name -> new name, new value."""

_ELSEWHERE: Final[Mapping[str, str]] = {
    "virtualNodeName": "v1beta2 names a node by virtualNodeRef: {name: …, namespace: …}",
    "virtualServiceName": "v1beta2 names a service by virtualServiceRef: {name: …, namespace: …}",
    "cloudMap": "v1beta2 calls it awsCloudMap, with attributes as a list of {key, value}",
    "http": "v1beta2 calls it httpRoute",
    "http2": "v1beta2 calls it http2Route",
    "grpc": "v1beta2 calls it grpcRoute",
    "tcp": "v1beta2 calls it tcpRoute",
    "retries": "attempts are set by retryPolicy beside match and action",
    "weightedTarget": "the list is called weightedTargets",
}
"""What became of fields of v1beta1, and of names people try."""


def resolve(tree: Any, path: FieldPath, schema: type[Any], key: Key | None) -> Problem | None:
    """Removes the unknown field at `path` (below spec) from a tree, or gives it its right name.

    Args:
        tree: the spec; changed in place.
        path: the field, from the spec.
        schema: schema class of the spec.
        key: the object, for the problem.

    Returns:
        The warning, or None when the field is no longer there.
    """
    parent = _at(tree, path[:-1])
    name = path[-1]
    if not isinstance(parent, dict) or not isinstance(name, str) or name not in parent:
        return None
    value = parent.pop(name)
    known = fields_at(schema, path[:-1])
    where: FieldPath = ("spec", *path)
    right, converted = _right_name(name, value, known)
    if right and right not in parent:
        parent[right] = converted
        return Problem(
            codes.UNKNOWN_FIELD,
            f"{show_path(where)} is not a field; it is read as {right}",
            f"write {right}",
            key,
            where,
        )
    message = f"{show_path(where)} is not a field and has no effect"
    return Problem(codes.UNKNOWN_FIELD, message, _advice(name, known), key, where)


def _right_name(name: str, value: Any, known: Mapping[str, Any]) -> tuple[str | None, Any]:
    if name in _RENAMED and _RENAMED[name][0] in known:
        right, convert = _RENAMED[name]
        return right, convert(value)
    lowered = name.lower()
    return next((field for field in known if field.lower() == lowered), None), value


def _advice(name: str, known: Mapping[str, Any]) -> str:
    if name in known:
        return ""
    near = nearest(name, known)
    if name in _ELSEWHERE and (near is None or near.lower() != name.lower()):
        return _ELSEWHERE[name]
    if near:
        return f"did you mean {near}?"
    return f"known here: {listed(known, 'and')}" if 0 < len(known) <= _FEW else ""


def _at(tree: Any, path: FieldPath) -> Any:
    for step in path:
        try:
            tree = tree[step]
        except (KeyError, IndexError, TypeError):
            return None
    return tree
