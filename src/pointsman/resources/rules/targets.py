"""Rules of `targetRefs`, the same for every kind of policy."""

from collections.abc import Iterator
from typing import Any

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import CLUSTER_SCOPED, Key
from pointsman.resources.kinds.targets import SECTIONS, TargetRef, Targets
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.common import SPEC, unique
from pointsman.resources.words import listed, nearest, shown


def check_targets(resource: Resource[Any]) -> Iterator[Problem]:
    """Kinds the policy attaches to, sections where there are any, no target named twice."""
    key, refs = resource.key, resource.spec.target_refs
    path: FieldPath = (*SPEC, "targetRefs")
    for index, ref in enumerate(refs):
        yield from _check(key, (*path, index), ref, resource.spec.TARGETS)
    names = (f"{ref.key(key.namespace)} {ref.section_name or ''}".rstrip() for ref in refs)
    yield from unique(key, path, (), names, "target")


def _check(key: Key, path: FieldPath, ref: TargetRef, allowed: Targets) -> Iterator[Problem]:
    if ref.kind not in allowed.kinds:
        where = (*path, "kind")
        message = (
            f"{show_path(where)} is {shown(ref.kind)}; a {key.kind} attaches to a "
            f"{listed(allowed.kinds)}"
        )
        near = nearest(ref.kind, allowed.kinds)
        yield Problem(
            codes.NOT_ALLOWED, message, f"did you mean {near}?" if near else "", key, where
        )
        return
    if ref.namespace is not None and ref.kind in CLUSTER_SCOPED:
        where = (*path, "namespace")
        message = f"{show_path(where)}: a {ref.kind} has no namespace"
        yield Problem(codes.DEPENDENT_FIELD, message, "remove it", key, where)
    if ref.section_name is not None and ref.kind not in allowed.sections:
        where = (*path, "sectionName")
        what = SECTIONS.get(ref.kind)
        reason = f"a {key.kind} attaches to the whole of it" if what else "it has no sections"
        message = f"{show_path(where)} does not go with {ref.kind}: {reason}"
        yield Problem(codes.DEPENDENT_FIELD, message, "remove it", key, where)
