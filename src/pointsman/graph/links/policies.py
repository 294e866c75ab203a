"""Policies by what they are attached to, and which of them counts; `attach` fills the index.

A policy of pointsman.dev names its targets in `targetRefs`. Of one kind, one policy counts for a
target: where two name the same one, the first in order of namespace and name. Of several targets
on the way to a thing (a listener, its virtual node, the mesh) the most specific one that has a
policy counts, as a whole: specs are not merged. What a policy means is decided where its target
is linked:

    found = context.policies.effective("MeshTLS", targets)
    memo.get(step, (node.spec, found, …), …)

Steps should state the policy they found as their input, not all policies, so that an edit of one
policy links anew only what it governs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath


class Target(NamedTuple):
    """An object, or one section of it (a listener by its port, a route by its name)."""

    key: Key
    section: str | None = None


@dataclass(frozen=True, slots=True)
class Attached:
    """A policy at one of its targets.

    Attributes:
        policy: key of the policy.
        path: where the policy names the target, from its root: its origin is there.
        target: what it is attached to.
        spec: the policy's spec, one of the dataclasses of `resources.kinds`.
    """

    policy: Key
    path: FieldPath
    target: Target
    spec: Any


@dataclass(frozen=True, slots=True)
class Effective:
    """The policy that counts, and those it takes the place of.

    Attributes:
        spec: the spec of the most specific policy.
        origins: policies at all of the targets, the most specific first: the first one decides.
    """

    spec: Any
    origins: tuple[Attached, ...]


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies in force, by kind and target."""

    by_kind: Mapping[str, Mapping[Target, Attached]] = field(default_factory=dict)

    def at(self, kind: str, target: Target) -> Attached | None:
        """The policy of a kind at exactly this target."""
        return self.by_kind.get(kind, {}).get(target)

    def effective(self, kind: str, targets: Iterable[Target]) -> Effective | None:
        """The policy that counts; None when none is attached to any of the targets.

        Args:
            kind: kind of policy.
            targets: from the most to the least specific, e.g. listener, virtual node, mesh.
        """
        found = tuple(filter(None, (self.at(kind, target) for target in targets)))
        return Effective(found[0].spec, found) if found else None
