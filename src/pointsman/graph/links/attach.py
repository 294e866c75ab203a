"""From `targetRefs` to the index of policies, and what is wrong with them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pointsman.graph.links.context import report_missing
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.policies import Attached, Policies, Target
from pointsman.graph.memo import Memo
from pointsman.resources.codes import references as codes
from pointsman.resources.kinds.registry import POLICIES
from pointsman.resources.kinds.targets import SECTIONS, TargetRef
from pointsman.resources.origin import FieldPath
from pointsman.resources.resource import Resource
from pointsman.resources.resource_set import ResourceSet

_SHOWN: Final = 8
"""Names a hint lists at most."""


def read_policies(resources: ResourceSet, memo: Memo) -> Policies:
    """Attaches all policies; their problems go into the memo.

    A target that does not exist is a problem of the policy; its other targets have it all the
    same.
    """
    by_kind: dict[str, dict[Target, Attached]] = {}
    for kind in POLICIES:
        taken: dict[Target, Attached] = by_kind.setdefault(kind, {})
        for _, policy in sorted(resources.of(kind).items()):
            result = _attach(resources, policy, taken, memo)
            taken.update((attached.target, attached) for attached in result.value)
    return Policies(by_kind)


def _attach(
    resources: ResourceSet,
    policy: Resource[Any],
    taken: Mapping[Target, Attached],
    memo: Memo,
) -> Linked[tuple[Attached, ...]]:
    findings = Findings(policy.key)
    found = tuple(_targets(resources, policy, taken, findings))
    result: Linked[tuple[Attached, ...]] = memo.get(
        ("policy", policy.key),
        (found, tuple(findings.problems)),
        lambda: linked(found, findings.problems),
    )
    return result


def _targets(
    resources: ResourceSet,
    policy: Resource[Any],
    taken: Mapping[Target, Attached],
    findings: Findings,
) -> Iterator[Attached]:
    refs: tuple[TargetRef, ...] = policy.spec.target_refs
    for index, ref in enumerate(refs):
        path: FieldPath = ("spec", "targetRefs", index)
        target = Target(ref.key(policy.key.namespace), ref.section_name)
        if not _exists(target, resources, path, findings):
            continue
        other = taken.get(target)
        if other is not None:
            message = f"{other.policy} is attached to {_shown(target)} and comes first"
            findings.add(codes.SAME_TARGET, path, message, "keep one of the two")
            continue
        yield Attached(policy.key, path, target, policy.spec)


def _exists(target: Target, resources: ResourceSet, path: FieldPath, findings: Findings) -> bool:
    resource = resources.get(target.key)
    if resource is None:
        report_missing(target.key, resources, path, findings)
        return False
    if target.section is None:
        return True
    known = sections(resource)
    if target.section not in known:
        what = SECTIONS[target.key.kind]
        message = f"{target.key} has no {what} {target.section}"
        hint = f"its {what}s: {', '.join(known[:_SHOWN]) or 'none'}"
        findings.add(codes.MISSING, (*path, "sectionName"), message, hint)
    return target.section in known


def sections(resource: Resource[Any]) -> list[str]:
    """Names of the sections of an object that has any."""
    if resource.key.kind == "VirtualRouter":
        return [route.name for route in resource.spec.routes]
    return [str(listener.port_mapping.port) for listener in resource.spec.listeners]


def _shown(target: Target) -> str:
    if target.section is None:
        return str(target.key)
    return f"{SECTIONS[target.key.kind]} {target.section} of {target.key}"
