"""What every step of linking can look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pointsman.graph.links.linked import Findings
from pointsman.graph.links.membership import Membership
from pointsman.graph.memo import Memo
from pointsman.graph.model.cluster import Address
from pointsman.resources.codes import references as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.base import Reference
from pointsman.resources.origin import FieldPath
from pointsman.resources.resource_set import ResourceSet


@dataclass(frozen=True, slots=True)
class GivenEndpoints:
    """Addresses the operator gave, which come before any discovery.

    Attributes:
        by_name: (host, port) -> address, as `--resolve` gives them.
        by_node: (virtual node, port) -> address, as demo backends have them.
    """

    by_name: Mapping[tuple[str, int], Address] = field(default_factory=dict)
    by_node: Mapping[tuple[Key, int], Address] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """The resources, who belongs where, and the memory of the run.

    Attributes:
        owners: object whose name inside App Mesh is taken -> the object that has it.
    """

    resources: ResourceSet
    membership: Membership
    given: GivenEndpoints
    memo: Memo
    owners: Mapping[Key, Key] = field(default_factory=dict)


def follow(
    ref: Reference | None, arn: str | None, kind: str, path: FieldPath, findings: Findings
) -> Key | None:
    """The key a reference block points at, or None and a problem.

    Args:
        ref: the reference, whose namespace defaults to that of the object it stands in.
        arn: its ARN twin; decoding has seen to it that there is one of the two.
        kind: kind of the object referred to.
        path: where the block stands.
        findings: takes the problem; its key is the object that refers.
    """
    if ref is not None:
        return Key(kind, ref.namespace or findings.key.namespace, ref.name)
    findings.add(
        codes.ARN,
        path,
        f"{arn} lies outside these manifests",
        f"write the {kind} as a manifest and refer to it by name",
    )
    return None


def report_missing(key: Key, resources: ResourceSet, path: FieldPath, findings: Findings) -> None:
    """Adds the problem that an object does not exist, with the nearest one as hint."""
    elsewhere = [other for other in resources.of(key.kind) if other.name == key.name]
    if elsewhere:
        hint = f"there is one in namespace {elsewhere[0].namespace}: name it in the reference"
    else:
        names = sorted(
            other.name for other in resources.of(key.kind) if other.namespace == key.namespace
        )
        hint = f"in namespace {key.namespace} there are: {', '.join(names[:8]) or 'none'}"
    findings.add(codes.MISSING, path, f"there is no {key}", hint)
