"""Objects no gateway route leads to, and fields that nothing here enforces.

Nothing that was written may be ignored in silence: what linking the gateway routes did not visit
is visited here, so that its own problems show, and fields which belong to proxies that do not run
here are named.
"""

from collections.abc import Iterator
from typing import Any

from pointsman.graph.links.clusters import link_node
from pointsman.graph.links.context import Context
from pointsman.graph.links.linked import Findings, linked
from pointsman.graph.links.names import aws_name
from pointsman.graph.links.same_names import report_same_name
from pointsman.graph.links.services import link_service
from pointsman.resources.codes import enforcement
from pointsman.resources.key import Key
from pointsman.resources.kinds.mesh import MeshSpec
from pointsman.resources.kinds.virtual_gateway import VirtualGatewaySpec
from pointsman.resources.kinds.virtual_node import VirtualNodeSpec
from pointsman.resources.origin import FieldPath
from pointsman.resources.resource import Resource

Note = tuple[FieldPath, str]


def check_unused(context: Context) -> None:
    """Links what no gateway route visited, and notes fields that are not enforced here."""
    for node in context.resources.of("VirtualNode").values():
        link_node(context, node)
    called = {step[1] for step in context.memo.steps() if isinstance(step, tuple) and _calls(step)}
    for service in context.resources.of("VirtualService").values():
        if service.key not in called:
            link_service(context, service, _first_port(context, service))
    for kind, notes in _NOTES.items():
        for key, resource in context.resources.of(kind).items():
            _note(context, key, resource, notes)
    _check_names(context)


def _calls(step: tuple[Any, ...]) -> bool:
    return len(step) == 3 and step[0] == "service"


def _first_port(context: Context, service: Resource[Any]) -> int | None:
    """Any port will do to find what is wrong with a service nobody calls by one."""
    provider = service.spec.provider
    if provider is None:
        return None
    for block, field, kind in (
        (provider.virtual_router, "virtual_router_ref", "VirtualRouter"),
        (provider.virtual_node, "virtual_node_ref", "VirtualNode"),
    ):
        ref = getattr(block, field) if block is not None else None
        if ref is not None:
            key = Key(kind, ref.namespace or service.key.namespace, ref.name)
            found = context.resources.get(key)
            if found is not None and len(found.spec.listeners) > 1:
                port: int = found.spec.listeners[0].port_mapping.port
                return port
    return None


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
    for key, owner in context.same_names.items():
        if key.kind != "VirtualNode":  # whose name matters to the clusters, and is reported there
            _report_name(context, key, owner)


def _report_name(context: Context, key: Key, owner: Key) -> None:
    name = aws_name(key, context.resources.of(key.kind)[key].spec)

    def build() -> Any:
        findings = Findings(key)
        report_same_name(owner, name, findings)
        return linked(None, findings.problems)

    context.memo.get(("name", key), (owner, name), build)
