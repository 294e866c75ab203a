"""What a virtual node calls: backends and backend groups, as services."""

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.graph.links.context import Context, Named, follow, report_missing
from pointsman.graph.links.linked import Findings
from pointsman.graph.links.membership import Mesh
from pointsman.resources.codes import notes
from pointsman.resources.codes.references import OTHER_MESH
from pointsman.resources.key import Key
from pointsman.resources.kinds.backend_group import BackendGroupSpec
from pointsman.resources.kinds.tls import ClientPolicy
from pointsman.resources.kinds.virtual_node import VirtualNodeSpec, VirtualServiceBackend
from pointsman.resources.origin import FieldPath
from pointsman.resources.resource import Resource

EVERY_SERVICE = "*"
"""As the name of a backend group: all services of its namespace."""


@dataclass(frozen=True, slots=True)
class NamedBackend:
    """A service that a node calls.

    Attributes:
        service: the virtual service; it may be missing, but is in no other mesh.
        path: where the node names it.
        policy: the policy of connections towards it, with the field it stands in.
    """

    service: Key
    path: FieldPath
    policy: tuple[ClientPolicy, FieldPath] | None


def named_backends(
    context: Context, node: Resource[VirtualNodeSpec], mesh: Mesh, findings: Findings
) -> tuple[NamedBackend, ...]:
    """Everything a node calls, once each and in the order of their keys.

    A backend of its own comes before the same service in a group, and its policy before the
    node's default one, which it replaces as a whole.
    """
    found: dict[Key, NamedBackend] = {}
    defaults = node.spec.backend_defaults
    default = defaults.client_policy if defaults else None
    inherited = (default, ("spec", "backendDefaults", "clientPolicy")) if default else None
    for index, backend in enumerate(node.spec.backends):
        block = backend.virtual_service
        path: FieldPath = ("spec", "backends", index, "virtualService")
        key = _own(context, block, mesh, path, findings)
        if key is not None:
            own = (block.client_policy, (*path, "clientPolicy")) if block.client_policy else None
            found.setdefault(key, NamedBackend(key, path, own or inherited))
    for key, path in _grouped(context, node, mesh, findings):
        found.setdefault(key, NamedBackend(key, path, inherited))
    return tuple(found[key] for key in sorted(found))


def _own(
    context: Context, block: VirtualServiceBackend, mesh: Mesh, path: FieldPath, findings: Findings
) -> Key | None:
    ref = block.virtual_service_ref
    key = follow(ref, block.virtual_service_arn, "VirtualService", path, findings)
    if key is None:
        return None
    return _member(context, key, mesh, (*path, "virtualServiceRef"), findings)


def _member(
    context: Context, key: Key, mesh: Mesh, path: FieldPath, findings: Findings
) -> Key | None:
    """The service itself; or the one whose name inside App Mesh is meant, as v1beta1 refers."""
    service = context.resources.get(key)
    if service is None:
        named = context.named.get(Named.host(mesh.key, key.name))
        if named is None:
            report_missing(key, context.resources, path, findings)
        return named or key
    other = context.mesh_of(key, service.spec)
    if other is not None and other.key != mesh.key:
        findings.add(OTHER_MESH, path, f"{key} belongs to mesh {other.key.name}")
        return None
    return key


def _grouped(
    context: Context, node: Resource[VirtualNodeSpec], mesh: Mesh, findings: Findings
) -> Iterator[tuple[Key, FieldPath]]:
    for index, ref in enumerate(node.spec.backend_groups):
        path: FieldPath = ("spec", "backendGroups", index)
        namespace = ref.namespace or node.key.namespace
        if ref.name == EVERY_SERVICE:
            everyone = tuple(_everyone(context, namespace, mesh))
            if not everyone:
                message = f"namespace {namespace} has no virtual service of mesh {mesh.key.name}"
                findings.add(notes.NO_EFFECT, path, message)
            yield from ((key, path) for key in everyone)
            continue
        group = context.resources.get(Key("BackendGroup", namespace, ref.name))
        if group is None:
            key = Key("BackendGroup", namespace, ref.name)
            report_missing(key, context.resources, path, findings)
            continue
        home = context.mesh_of(group.key, group.spec)
        if home is not None and home.key != mesh.key:
            findings.add(OTHER_MESH, path, f"{group.key} belongs to mesh {home.key.name}")
            continue
        for key, _ in members(group):
            told = Findings(node.key)
            own = _member(context, key, mesh, path, told)
            # What a group lacks is said of the group, once, not of each node that uses it.
            findings.problems += [item for item in told.problems if item.code is OTHER_MESH]
            if own is not None:
                yield own, path


def _everyone(context: Context, namespace: str, mesh: Mesh) -> Iterator[Key]:
    for key, service in sorted(context.resources.of("VirtualService").items()):
        home = context.mesh_of(key, service.spec)
        if key.namespace == namespace and home is not None and home.key == mesh.key:
            yield key


def members(group: Resource[BackendGroupSpec]) -> Iterator[tuple[Key, FieldPath]]:
    """Services a backend group names, with the fields they stand in."""
    for index, ref in enumerate(group.spec.virtual_services):
        key = Key("VirtualService", ref.namespace or group.key.namespace, ref.name)
        yield key, ("spec", "virtualservices", index)
