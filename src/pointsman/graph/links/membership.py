"""Which mesh an object belongs to, and which gateway a gateway route attaches to.

The controller's webhook decides this once, when an object is created; here it is decided from
what the manifests say now. References the webhook wrote (`meshRef`, `virtualGatewayRef`) and the
extension fields `meshName` and `gatewayName` come before selectors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.graph.links.linked import Findings
from pointsman.graph.links.names import aws_name
from pointsman.graph.links.selectors import selects
from pointsman.resources.codes import references as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.base import LabelSelector
from pointsman.resources.kinds.gateway_route import GatewayRouteSpec
from pointsman.resources.kinds.mesh import MeshSpec
from pointsman.resources.kinds.virtual_gateway import VirtualGatewaySpec
from pointsman.resources.resource import Resource
from pointsman.resources.resource_set import ResourceSet


@dataclass(frozen=True, slots=True)
class Mesh:
    """A mesh as its members see it.

    Attributes:
        key: the Mesh object.
        name: its name inside App Mesh.
        ip_preference: the IP version its members use, if one is preferred.
        is_open: whether traffic that no backend describes may leave.
        selector: namespaces whose objects belong to it; None for none.
    """

    key: Key
    name: str
    node_id_name: str
    ip_preference: str | None
    is_open: bool
    selector: LabelSelector | None


@dataclass(frozen=True, slots=True)
class GatewaySelector:
    """A gateway and which routes it takes."""

    key: Key
    name: str
    mesh: Key | None
    namespaces: LabelSelector | None
    routes: LabelSelector | None


@dataclass(frozen=True, slots=True)
class Membership:
    """Everything membership depends on; equal values decide equally."""

    meshes: tuple[Mesh, ...]
    gateways: tuple[GatewaySelector, ...]
    namespaces: Mapping[str, Mapping[str, str]]

    def mesh_of(self, key: Key, spec: Any, findings: Findings) -> Mesh | None:
        """The mesh of an object; without exactly one, None and a problem."""
        if spec.mesh_ref is not None:
            return self._named_mesh(spec.mesh_ref.name, ("spec", "meshRef"), findings)
        if spec.mesh_name is not None:
            return self._named_mesh(spec.mesh_name, ("spec", "meshName"), findings)
        labels = self.namespaces.get(key.namespace)
        if labels is None:
            return self._assumed_mesh(key, findings)
        found = [m for m in self.meshes if m.selector is not None and selects(m.selector, labels)]
        if len(found) > 1:
            self._report_meshes(key, found, findings)
            return None
        if not found:
            findings.add(codes.NO_MESH, (), *self._why_no_mesh(key.namespace, labels))
            return None
        return found[0]

    def _named_mesh(self, name: str, path: tuple[str, ...], findings: Findings) -> Mesh | None:
        for mesh in self.meshes:
            if name in (mesh.key.name, mesh.name):
                return mesh
        known = ", ".join(mesh.key.name for mesh in self.meshes) or "none"
        findings.add(codes.MISSING, path, f"there is no Mesh {name}", f"meshes given: {known}")
        return None

    def _assumed_mesh(self, key: Key, findings: Findings) -> Mesh | None:
        candidates = [mesh for mesh in self.meshes if mesh.selector is not None]
        certain = [mesh for mesh in candidates if mesh.selector and _is_everything(mesh.selector)]
        if len(certain) > 1:
            self._report_meshes(key, certain, findings)
            return None
        if len(candidates) == 1:
            selector = candidates[0].selector
            if selector is not None and not _is_everything(selector):
                findings.add(
                    codes.ASSUMED_MESH,
                    (),
                    f"the labels of namespace {key.namespace} are unknown; "
                    f"mesh {candidates[0].key.name} is assumed",
                    f"add the Namespace object {key.namespace} with its labels",
                )
            return candidates[0]
        findings.add(codes.NO_MESH, (), *self._why_no_mesh(key.namespace, None))
        return None

    def _report_meshes(self, key: Key, found: list[Mesh], findings: Findings) -> None:
        names = ", ".join(mesh.key.name for mesh in found)
        message = f"namespace {key.namespace} is selected by {len(found)} meshes: {names}"
        findings.add(codes.SEVERAL_MESHES, (), message)

    def _why_no_mesh(self, namespace: str, labels: Mapping[str, str] | None) -> tuple[str, str]:
        if not self.meshes:
            return "there is no Mesh object", "add a Mesh with `spec.namespaceSelector: {}`"
        if labels is None and any(mesh.selector is not None for mesh in self.meshes):
            return (
                f"the labels of namespace {namespace} are unknown, so no mesh can be chosen",
                f"add the Namespace object {namespace} with its labels",
            )
        shown = ", ".join(f"{name}={value}" for name, value in sorted((labels or {}).items()))
        return (
            f"no mesh selects namespace {namespace} (labels: {shown or 'none'})",
            "label the namespace as a Mesh's `spec.namespaceSelector` asks, or use `{}` there",
        )

    def gateway_of(
        self, route: Resource[GatewayRouteSpec], mesh: Mesh, findings: Findings
    ) -> Key | None:
        """The gateway of a route; without exactly one, None and a problem."""
        spec, key = route.spec, route.key
        if spec.virtual_gateway_ref is not None:
            ref = spec.virtual_gateway_ref
            return self._named_gateway(
                ref.name, ref.namespace or key.namespace, ("spec", "virtualGatewayRef"), findings
            )
        if spec.gateway_name is not None:
            path = ("spec", "gatewayName")
            return self._named_gateway(spec.gateway_name, key.namespace, path, findings)
        labels = self.namespaces.get(key.namespace)
        found = [
            gateway
            for gateway in self.gateways
            if gateway.mesh == mesh.key
            and gateway.namespaces is not None
            and (labels is None or selects(gateway.namespaces, labels))
            and (gateway.routes is None or selects(gateway.routes, route.labels))
        ]
        if len(found) != 1:
            self._report_gateways(key, mesh, found, findings)
            return None
        namespaces = found[0].namespaces
        if labels is None and namespaces is not None and not _is_everything(namespaces):
            findings.add(
                codes.ASSUMED_GATEWAY,
                (),
                f"the labels of namespace {key.namespace} are unknown; "
                f"gateway {found[0].key.path} is assumed",
                f"add the Namespace object {key.namespace} with its labels",
            )
        return found[0].key

    def _named_gateway(
        self, name: str, namespace: str, path: tuple[str, ...], findings: Findings
    ) -> Key | None:
        for gateway in self.gateways:
            if gateway.key.namespace == namespace and name in (gateway.key.name, gateway.name):
                return gateway.key
        known = ", ".join(gateway.key.path for gateway in self.gateways) or "none"
        findings.add(
            codes.MISSING,
            path,
            f"there is no VirtualGateway {namespace}/{name}",
            f"gateways given: {known}",
        )
        return None

    def _report_gateways(
        self, key: Key, mesh: Mesh, found: list[GatewaySelector], findings: Findings
    ) -> None:
        if found:
            names = ", ".join(gateway.key.path for gateway in found)
            findings.add(
                codes.SEVERAL_GATEWAYS, (), f"{len(found)} gateways select this route: {names}"
            )
            return
        hint = "add a VirtualGateway to the mesh"
        for gateway in self.gateways:
            if gateway.mesh == mesh.key:
                hint = (
                    f"gateway {gateway.key.path} has no `namespaceSelector`, which selects nothing"
                    if gateway.namespaces is None
                    else f"compare the selectors of gateway {gateway.key.path} with the labels of "
                    f"namespace {key.namespace} and of this route"
                )
                break
        findings.add(codes.NO_GATEWAY, (), f"no gateway of mesh {mesh.key.name} selects it", hint)


def _is_everything(selector: LabelSelector) -> bool:
    return not selector.match_labels and not selector.match_expressions


def read_membership(resources: ResourceSet) -> Membership:
    """What membership depends on, from everything that was written."""
    meshes = tuple(_mesh(key, item.spec) for key, item in sorted(resources.of("Mesh").items()))
    gateways = []
    alone = Membership(meshes, (), resources.namespaces)
    for key, item in sorted(resources.of("VirtualGateway").items()):
        spec: VirtualGatewaySpec = item.spec
        mesh = alone.mesh_of(key, spec, Findings(key))
        gateways.append(
            GatewaySelector(
                key,
                aws_name(key, spec),
                mesh.key if mesh else None,
                spec.namespace_selector,
                spec.gateway_route_selector,
            )
        )
    return Membership(meshes, tuple(gateways), resources.namespaces)


def _mesh(key: Key, spec: MeshSpec) -> Mesh:
    name = aws_name(key, spec)
    discovery = spec.mesh_service_discovery
    return Mesh(
        key,
        name,
        f"{name}@{spec.mesh_owner}" if spec.mesh_owner else name,
        discovery.ip_preference if discovery else None,
        spec.egress_filter is not None and spec.egress_filter.type == "ALLOW_ALL",
        spec.namespace_selector,
    )
