"""apiVersion, kind and metadata: what an object is and what it is called.

What belongs to Kubernetes (annotations, finalizers, managed fields, …) is left alone.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pointsman.resources.codes import fields as codes
from pointsman.resources.codes import reading
from pointsman.resources.key import CLUSTER_SCOPED, Key
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.words import nearest, shown

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\Z")
_NAMESPACE = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?\Z")
_ROOT: Final = ("apiVersion", "kind", "metadata", "spec", "status")


@dataclass(frozen=True, slots=True)
class Identity:
    """What `metadata` says.

    Attributes:
        key: the object's key, or None when it has no usable name.
        labels: its labels.
        problems: what is wrong; errors mean that the object cannot be used.
    """

    key: Key | None
    labels: Mapping[str, str]
    problems: tuple[Problem, ...]


def api(tree: Any) -> tuple[str, str] | Problem:
    """The apiVersion and kind of a document, or why it has none."""
    if not isinstance(tree, dict):
        message = f"the document is {shown(tree)}, not a Kubernetes object"
        hint = "an object is a mapping with apiVersion, kind, metadata and spec"
        return Problem(reading.NOT_AN_OBJECT, message, hint)
    for name in ("apiVersion", "kind"):
        value = tree.get(name)
        if not isinstance(value, str) or not value:
            near = nearest(name, (key for key in tree if key not in _ROOT))
            what = f"must be text, not {shown(value)}" if name in tree else "is missing"
            hint = f"write {name} instead of {near}" if near else "every object has one"
            return Problem(reading.NOT_AN_OBJECT, f"{name} {what}", hint, path=(name,))
    return tree["apiVersion"], tree["kind"]


def identify(tree: dict[str, Any], kind: str) -> Identity:
    """Key and labels of an object of one of our kinds, or of a Namespace."""
    metadata = tree.get("metadata", {})
    if not isinstance(metadata, dict):
        message = f"metadata must be a mapping of fields, not {shown(metadata)}"
        problem = Problem(codes.WRONG_TYPE, message, "", None, ("metadata",))
        return Identity(None, {}, (problem,))
    scoped = kind not in CLUSTER_SCOPED and kind != "Namespace"
    namespace = metadata.get("namespace", "default") if scoped else ""
    problems = [*_check_name(metadata), *(_check_namespace(namespace) if scoped else ())]
    key = None if problems else Key(kind, namespace, metadata["name"])
    labels, wrong = _labels(metadata.get("labels", {}), key)
    return Identity(key, labels, (*problems, *wrong))


def unknown_roots(tree: Mapping[str, Any], key: Key | None) -> Iterator[Problem]:
    """Warnings about fields beside apiVersion, kind, metadata, spec and status."""
    for name in tree:
        if name not in _ROOT:
            near = nearest(name, _ROOT)
            hint = f"did you mean {near}?" if near else "the fields of an object are below spec"
            message = f"{name} is not a field and has no effect"
            yield Problem(codes.UNKNOWN_FIELD, message, hint, key, (name,))


def _check_name(metadata: Mapping[str, Any]) -> Iterator[Problem]:
    path: FieldPath = ("metadata", "name")
    if "name" not in metadata:
        generated = "generateName" in metadata
        hint = "generateName works in Kubernetes only; write a name" if generated else ""
        yield Problem(codes.MISSING_FIELD, "metadata.name is missing", hint, None, path)
        return
    name = metadata["name"]
    if not isinstance(name, str):
        yield _not_text(path, name)
    elif len(name) > 253 or not _NAME.match(name):
        yield _bad_name(path, name, "letters a-z, digits, - and .")


def _check_namespace(namespace: Any) -> Iterator[Problem]:
    path: FieldPath = ("metadata", "namespace")
    if not isinstance(namespace, str):
        yield _not_text(path, namespace)
    elif len(namespace) > 63 or not _NAMESPACE.match(namespace):
        yield _bad_name(path, namespace, "letters a-z, digits and -")


def _labels(labels: Any, key: Key | None) -> tuple[Mapping[str, str], list[Problem]]:
    path: FieldPath = ("metadata", "labels")
    if not isinstance(labels, dict):
        message = f"metadata.labels must be a mapping, not {shown(labels)}"
        return {}, [Problem(codes.WRONG_TYPE, message, "", key, path)]
    wrong = [
        _not_text((*path, name), value, key)
        for name, value in labels.items()
        if not isinstance(value, str)
    ]
    return ({}, wrong) if wrong else (labels, [])


def _not_text(path: FieldPath, value: Any, key: Key | None = None) -> Problem:
    hint = "" if isinstance(value, (dict, list)) else f'quote it: "{shown(value)}"'
    message = f"{show_path(path)} must be text, not {shown(value)}"
    return Problem(codes.WRONG_TYPE, message, hint, key, path)


def _bad_name(path: FieldPath, name: str, allowed: str) -> Problem:
    kept = r"[^a-z0-9.-]+" if path[-1] == "name" else r"[^a-z0-9-]+"
    lowered = re.sub(kept, "-", name.lower()).strip("-.")
    hint = f"write {lowered}, for instance" if 0 < len(lowered) <= 63 else ""
    message = (
        f"{show_path(path)} is {shown(name)}; it may have {allowed}, and no others at its ends"
    )
    if not name:
        message, hint = f"{show_path(path)} is empty", ""
    return Problem(codes.BAD_NAME, message, hint, None, path)
