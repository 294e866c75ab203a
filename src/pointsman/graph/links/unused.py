"""Objects that no gateway route and no backend leads to, and fields that nothing enforces.

Nothing that was written may be ignored in silence: what linking did not visit is visited here, so
that its own problems show.
"""

from collections.abc import Iterator
from typing import Any

from pointsman.graph.links.address_policy import check_addresses
from pointsman.graph.links.backends import members
from pointsman.graph.links.clusters import link_node
from pointsman.graph.links.context import Context, report_missing
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.membership import Mesh
from pointsman.graph.links.names import aws_name, report_taken
from pointsman.graph.links.routes import link_routes, router_ports
from pointsman.graph.links.services import link_service, service_listeners
from pointsman.graph.links.tcp import link_tcp_routes, link_tcp_service
from pointsman.resources.codes import enforcement
from pointsman.resources.key import Key
from pointsman.resources.kinds.backend_group import BackendGroupSpec
from pointsman.resources.kinds.virtual_gateway import VirtualGatewaySpec
from pointsman.resources.kinds.virtual_node import VirtualNodeSpec
from pointsman.resources.origin import FieldPath
from pointsman.resources.resource import Resource


def check_unused(context: Context) -> None:
    """Links what no gateway route visited, and notes fields that are not enforced here."""
    for node in context.resources.of("VirtualNode").values():
        link_node(context, node)
    called = {service for service, _, _ in context.calls}
    for service in context.resources.of("VirtualService").values():
        if service.key not in called:
            _link_service(context, service)
    for router in context.resources.of("VirtualRouter").values():
        _link_router(context, router)
    for group in context.resources.of("BackendGroup").values():
        _check_members(context, group)
    for kind, notes in _NOTES.items():
        for key, resource in context.resources.of(kind).items():
            _note(context, key, resource, notes)
    _check_names(context)
    check_addresses(context)


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
            link_tcp_routes(context, router, mesh, port)


def _link_service(context: Context, service: Resource[Any]) -> None:
    """Any port will do to find what is wrong with a service nobody calls."""
    mapping = next(iter(service_listeners(context, service)), None)
    if mapping is not None and mapping.protocol == "tcp":
        link_tcp_service(context, service, mapping.port)
    else:
        link_service(context, service, mapping.port if mapping else None)


def _check_members(context: Context, group: Resource[BackendGroupSpec]) -> None:
    findings = Findings(group.key)
    for key, path in members(group):
        if context.resources.get(key) is None:
            report_missing(key, context.resources, path, findings)
    context.memo.get(
        ("members", group.key),
        (tuple(findings.problems),),
        lambda: linked(None, findings.problems),
    )


def _note(context: Context, key: Key, resource: Resource[Any], notes: Any) -> None:
    def build() -> Any:
        findings = Findings(key)
        for code, path, message in notes(resource.spec):
            findings.add(code, path, message)
        return linked(None, findings.problems)

    context.memo.get(("notes", key), (resource.spec,), build)


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


_NOTES = {"VirtualGateway": _gateway_notes, "VirtualNode": _node_notes}


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
