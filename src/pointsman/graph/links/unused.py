"""Objects no gateway route leads to, and fields that nothing here enforces.

Nothing that was written may be ignored in silence: what linking the gateway routes did not visit
is visited here, so that its own problems show, and fields which belong to proxies that do not run
here are named.
"""

from collections.abc import Iterator
from typing import Any

from pointsman.graph.links.clusters import link_node
from pointsman.graph.links.context import Context, report_missing
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.membership import Mesh
from pointsman.graph.links.names import aws_name, report_taken
from pointsman.graph.links.routes import link_routes, router_ports
from pointsman.graph.links.services import link_service, service_ports
from pointsman.resources.codes import enforcement
from pointsman.resources.key import Key
from pointsman.resources.kinds.backend_group import BackendGroupSpec
from pointsman.resources.kinds.mesh import MeshSpec
from pointsman.resources.kinds.virtual_gateway import VirtualGatewaySpec
from pointsman.resources.kinds.virtual_node import VirtualNodeSpec
from pointsman.resources.origin import FieldPath
from pointsman.resources.resource import Resource

EVERY_SERVICE = "*"
"""As the name of a backend group: all services of its namespace."""


def check_unused(context: Context) -> None:
    """Links what no gateway route visited, and notes fields that are not enforced here."""
    for node in context.resources.of("VirtualNode").values():
        link_node(context, node)
    called = {service for service, _, _ in context.calls}
    for service in context.resources.of("VirtualService").values():
        if service.key not in called:
            # Any port will do to find what is wrong with a service nobody calls.
            link_service(context, service, next(iter(service_ports(context, service)), None))
    for router in context.resources.of("VirtualRouter").values():
        _link_router(context, router)
    for kind, check in (("VirtualNode", _backends), ("BackendGroup", _members)):
        for resource in context.resources.of(kind).values():
            _check_references(context, resource, check)
    for kind, notes in _NOTES.items():
        for key, resource in context.resources.of(kind).items():
            _note(context, key, resource, notes)
    _check_names(context)


def _link_router(context: Context, router: Resource[Any]) -> None:
    def belongs() -> Linked[Mesh | None]:
        findings = Findings(router.key)
        mesh = context.membership.mesh_of(router.key, router.spec, findings)
        return linked(mesh, findings.problems)

    step = ("member", router.key)
    found: Linked[Mesh | None] = context.memo.get(step, (router.spec, context.membership), belongs)
    mesh = found.value
    if mesh is not None:
        for port in router_ports(context, router):
            link_routes(context, router, mesh, port)


def _check_references(context: Context, resource: Resource[Any], check: Any) -> None:
    """What a sidecar would call must exist, though no sidecar runs here."""
    findings = Findings(resource.key)
    for key, path in check(resource):
        if context.resources.get(key) is None and key.name != EVERY_SERVICE:
            report_missing(key, context.resources, path, findings)
    context.memo.get(
        ("references", resource.key),
        (tuple(findings.problems),),
        lambda: linked(None, findings.problems),
    )


def _backends(node: Resource[VirtualNodeSpec]) -> Iterator[tuple[Key, FieldPath]]:
    home = node.key.namespace
    path: FieldPath = ("spec", "backendGroups")
    for index, backend in enumerate(node.spec.backends):
        ref = backend.virtual_service.virtual_service_ref
        if ref is not None:
            where: FieldPath = ("spec", "backends", index, "virtualService", "virtualServiceRef")
            yield Key("VirtualService", ref.namespace or home, ref.name), where
    for index, group in enumerate(node.spec.backend_groups):
        yield Key("BackendGroup", group.namespace or home, group.name), (*path, index)


def _members(group: Resource[BackendGroupSpec]) -> Iterator[tuple[Key, FieldPath]]:
    for index, ref in enumerate(group.spec.virtual_services):
        key = Key("VirtualService", ref.namespace or group.key.namespace, ref.name)
        yield key, ("spec", "virtualservices", index)


def _note(context: Context, key: Key, resource: Resource[Any], notes: Any) -> None:
    def build() -> Any:
        findings = Findings(key)
        for code, path, message in notes(resource.spec):
            findings.add(code, path, message)
        return linked(None, findings.problems)

    context.memo.get(("notes", key), (resource.spec,), build)


def _mesh_notes(spec: MeshSpec) -> Iterator[tuple[Any, FieldPath, str]]:
    if spec.egress_filter is not None:
        yield (
            enforcement.EGRESS_NOTE,
            ("spec", "egressFilter"),
            "the egress filter applies to sidecars, which are not run here",
        )


def _gateway_notes(spec: VirtualGatewaySpec) -> Iterator[tuple[Any, FieldPath, str]]:
    if spec.pod_selector is not None:
        yield enforcement.KUBERNETES_ONLY, ("spec", "podSelector"), "pods are not looked up here"
    for index, listener in enumerate(spec.listeners):
        if listener.health_check is not None:
            yield (
                enforcement.INFORMATIONAL,
                ("spec", "listeners", index, "healthCheck"),
                "the gateway's own health is not acted upon",
            )


def _node_notes(spec: VirtualNodeSpec) -> Iterator[tuple[Any, FieldPath, str]]:
    if spec.pod_selector is not None:
        yield enforcement.KUBERNETES_ONLY, ("spec", "podSelector"), "pods are not looked up here"
    for field in ("backends", "backendGroups", "backendDefaults", "logging"):
        attribute = {"backendGroups": "backend_groups", "backendDefaults": "backend_defaults"}
        if getattr(spec, attribute.get(field, field)):
            yield enforcement.NODE_PROXY_FIELD, ("spec", field), f"{field} belongs to the sidecar"
    for index, listener in enumerate(spec.listeners):
        for field, value in (
            ("connectionPool", listener.connection_pool),
            ("timeout", listener.timeout),
        ):
            if value is not None:
                path = ("spec", "listeners", index, field)
                yield enforcement.NODE_PROXY_FIELD, path, f"{field} belongs to the sidecar"


_NOTES = {"Mesh": _mesh_notes, "VirtualGateway": _gateway_notes, "VirtualNode": _node_notes}


def _check_names(context: Context) -> None:
    """Names that are taken; those of nodes are reported where the nodes are linked."""
    for key, owner in context.owners.items():
        resource = context.resources.get(key)
        if key.kind != "VirtualNode" and resource is not None:
            _report_name(context, key, owner, aws_name(key, resource.spec))


def _report_name(context: Context, key: Key, owner: Key, name: str) -> None:
    def build() -> Any:
        findings = Findings(key)
        report_taken(owner, name, findings)
        return linked(None, findings.problems)

    context.memo.get(("name", key), (owner, name), build)
