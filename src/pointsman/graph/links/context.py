"""What every step of linking can look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.graph.links.certificates import CertificateMap
from pointsman.graph.links.linked import Findings
from pointsman.graph.links.membership import Membership, Mesh
from pointsman.graph.links.policies import Policies
from pointsman.graph.memo import Memo
from pointsman.graph.model.authorization_server import AuthorizationServer
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
        registered: whether there is a registry for all that these do not name.
        bare: whether those of `by_node` are the applications themselves rather than the nodes'
            proxies, so that nobody there speaks TLS.
    """

    by_name: Mapping[tuple[str, int], Address] = field(default_factory=dict)
    by_node: Mapping[tuple[Key, int], Address] = field(default_factory=dict)
    registered: bool = False
    bare: bool = True


@dataclass(frozen=True, slots=True)
class Named:
    """A name inside App Mesh, which is unique for a kind within a mesh (None outside of any)."""

    kind: str
    mesh: Key | None
    name: str

    @classmethod
    def host(cls, mesh: Key | None, name: str) -> "Named":
        """The name of a virtual service: a host, so that its case does not matter."""
        return cls("VirtualService", mesh, name.lower())


@dataclass(frozen=True, slots=True)
class Context:
    """The resources, who belongs where, and the memory of the run.

    Attributes:
        resources: what was written.
        membership: meshes and gateways.
        given: addresses that come before discovery.
        memo: results by step.
        policies: by what they are attached to.
        certificates: what stands for certificates of AWS.
        named: who has a name inside App Mesh.
        owners: object whose name inside App Mesh is taken -> the object that has it.
        servers: authorization servers, by key.
        closed: policies of access that never could be read, so that nobody knows what they protect.
        calls: services as gateway routes call them, by service, port and mesh; of this run only.
    """

    resources: ResourceSet
    membership: Membership
    given: GivenEndpoints
    memo: Memo
    policies: Policies = field(default_factory=Policies)
    certificates: CertificateMap = field(default_factory=CertificateMap)
    named: dict[Named, Key] = field(default_factory=dict)
    owners: dict[Key, Key] = field(default_factory=dict)
    servers: Mapping[Key, AuthorizationServer] = field(default_factory=dict)
    closed: frozenset[Key] = frozenset()
    calls: dict[tuple[Key, int | None, Key], Any] = field(default_factory=dict)

    def mesh_of(self, key: Key, spec: Any) -> Mesh | None:
        """The mesh of an object that reports its own problems with it elsewhere."""
        step = ("mesh", key)
        found: tuple[Mesh | None] | None = self.memo.seen(step)
        if found is None:
            found = self.memo.get(
                step,
                (spec, self.membership),
                lambda: (self.membership.mesh_of(key, spec, Findings(key)),),
            )
        return found[0]


def follow(
    ref: Reference | None, arn: str | None, kind: str, path: FieldPath, findings: Findings
) -> Key | None:
    """The key a reference block points at, or None and a problem.

    Args:
        ref: the reference, whose namespace defaults to that of the object it stands in.
        arn: its ARN twin.
        kind: kind of the object referred to.
        path: where the block stands.
        findings: takes the problem; its key is the object that refers.
    """
    if ref is not None:
        return Key(kind, ref.namespace or findings.key.namespace, ref.name)
    if arn is not None:
        findings.add(
            codes.ARN,
            path,
            f"{arn} lies outside these manifests",
            f"write the {kind} as a manifest and refer to it by name",
        )
    else:
        findings.add(codes.NO_TARGET, path, f"no {kind} is named")
    return None


def report_missing(key: Key, resources: ResourceSet, path: FieldPath, findings: Findings) -> None:
    """Adds the problem that an object does not exist, with the nearest one as hint.

    One that was written but has errors of its own is not called missing: its errors say more.
    """
    if key in resources.broken:
        message = f"{key} has errors of its own and cannot be used"
        findings.add(codes.MISSING, path, message, "mend them first")
        return
    elsewhere = [other for other in resources.of(key.kind) if other.name == key.name]
    if elsewhere:
        hint = f"there is one in namespace {elsewhere[0].namespace}: name it in the reference"
    else:
        names = sorted(
            other.name for other in resources.of(key.kind) if other.namespace == key.namespace
        )
        where = f"in namespace {key.namespace} there are" if key.namespace else "there are"
        hint = f"{where}: {', '.join(names[:8]) or 'none'}"
    findings.add(codes.MISSING, path, f"there is no {key}", hint)
