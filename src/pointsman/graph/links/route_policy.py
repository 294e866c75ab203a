"""RoutePolicy: what takes the place of routes' timeouts and retries, and what happens besides."""

from collections.abc import Iterator
from typing import Any

from pointsman.graph.effects import overridden
from pointsman.graph.links.clusters import Node
from pointsman.graph.links.context import Context
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.membership import Mesh
from pointsman.graph.links.policies import Attached, Target
from pointsman.graph.links.targets import choose_cluster, find_node
from pointsman.graph.model.cluster import Cluster, CookieHash, HeaderHash, SourceHash, Stickiness
from pointsman.graph.model.effects import (
    Abort,
    Cors,
    Delay,
    Effects,
    Fault,
    HeaderChange,
    Mirror,
)
from pointsman.graph.model.route import Override, RetryPolicy, Route
from pointsman.resources.codes import notes, routing
from pointsman.resources.key import Key
from pointsman.resources.kinds.gateway_route import GatewayRouteSpec
from pointsman.resources.kinds.route_policy import Cohort as CohortSpec
from pointsman.resources.kinds.route_policy import Cors as CorsSpec
from pointsman.resources.kinds.route_policy import Fault as FaultSpec
from pointsman.resources.kinds.route_policy import HeaderChange as ChangeSpec
from pointsman.resources.kinds.route_policy import Retry, RoutePolicySpec
from pointsman.resources.kinds.virtual_router import Route as RouteSpec

KIND = "RoutePolicy"
_NO_LINK: Linked[Override | None] = Linked(None)


def gateway_route_override(
    context: Context, key: Key, mesh: Mesh | None
) -> Linked[Override | None]:
    """What the policy of a gateway route says; None without one."""
    attached = context.policies.at(KIND, Target(key))
    if attached is None or mesh is None:
        return _NO_LINK
    override = _override(context, attached, mesh)
    route = context.resources.get(key)
    if attached.spec.cohort is None or route is None or not _has_shares(route.spec):
        return override

    def build() -> Linked[Override | None]:
        message = f"{key} shares requests among services by chance; cohorts stay with nodes"
        hint = "attach it to the virtual router of a service, and weigh its nodes there"
        findings = Findings(attached.policy)
        findings.add(notes.NO_EFFECT, ("spec", "cohort"), message, hint)
        return linked(override.value, findings.problems, override)

    step = ("cohort of services", key)
    result: Linked[Override | None] = context.memo.get(step, (override, attached), build)
    return result


def _has_shares(spec: GatewayRouteSpec) -> bool:
    body = spec.http_route or spec.http2_route or spec.grpc_route
    return body is not None and len(body.action.weighted_targets) > 1


def with_policies(
    context: Context,
    service: Key,
    router: Key | None,
    mesh: Mesh,
    port: int | None,
    routes: tuple[Route, ...],
) -> tuple[tuple[Route, ...], list[Linked[Any]]]:
    """A service's routes as their policies want them, and the policies that were used.

    Of a route's own policy, its router's and the service's the first one counts.
    """
    if not context.policies.by_kind.get(KIND):
        return routes, []
    found = tuple(_policy_of(context, service, router, route) for route in routes)
    used = {item.policy: _override(context, item, mesh) for item in found if item is not None}
    if not used:
        return routes, []

    def build() -> Linked[tuple[Route, ...]]:
        changed = []
        findings = _Reports()
        for route, attached in zip(routes, found, strict=True):
            if attached is None:
                changed.append(route)
                continue
            changed.append(overridden(route, used[attached.policy].value))
            findings.compare(attached, route, _written(context, route))
        return linked(tuple(changed), findings.problems)

    result: Linked[tuple[Route, ...]] = context.memo.get(
        ("policed", service, port), (routes, found, tuple(used.values())), build
    )
    return result.value, [*used.values(), result]


def _policy_of(context: Context, service: Key, router: Key | None, route: Route) -> Attached | None:
    targets = [Target(service)]
    if router is not None:
        targets = [Target(router, route.name), Target(router), *targets]
    found = context.policies.effective(KIND, targets)
    return found.origins[0] if found else None


def _written(context: Context, route: Route) -> RouteSpec | None:
    """The route in the manifest of its router."""
    if route.key.kind != "VirtualRouter":
        return None
    router = context.resources.get(route.key)
    index = route.path[-1]
    assert router is not None
    assert isinstance(index, int)
    written: RouteSpec = router.spec.routes[index]
    return written


class _Reports(Findings):
    """What a policy puts out of force, and what keeps it from working."""

    def __init__(self) -> None:
        super().__init__(Key(KIND, "", ""))

    def compare(self, attached: Attached, route: Route, written: RouteSpec | None) -> None:
        """Compares a policy with a route it is for."""
        self.key = attached.policy
        spec: RoutePolicySpec = attached.spec
        for field, name in _replaced(spec, written):
            message = f"{name} of route {route.name} of {route.key} is not in force"
            self.add(routing.OVERRIDDEN, ("spec", field), message)
        if spec.cors is not None and route.match.method not in (None, "OPTIONS"):
            message = f"route {route.name} of {route.key} is for {route.match.method} only"
            self.add(routing.NO_PREFLIGHT, ("spec", "cors"), message)


def _replaced(spec: RoutePolicySpec, written: RouteSpec | None) -> Iterator[tuple[str, str]]:
    body = written and (written.http_route or written.http2_route or written.grpc_route)
    if not body:
        return
    if spec.retry is not None and body.retry_policy is not None:
        yield "retry", "retryPolicy"
    if spec.timeout is not None and body.timeout is not None:
        for name, here, there in (
            ("perRequest", spec.timeout.per_request, body.timeout.per_request),
            ("idle", spec.timeout.idle, body.timeout.idle),
        ):
            if here is not None and there is not None:
                yield "timeout", f"timeout.{name}"


def _override(context: Context, attached: Attached, mesh: Mesh) -> Linked[Override | None]:
    """What a policy says; remembered."""
    step = ("override", attached.policy, mesh.key)
    seen: Linked[Override | None] | None = context.memo.seen(step)
    if seen is not None:
        return seen
    spec: RoutePolicySpec = attached.spec
    findings = Findings(attached.policy)
    node: Linked[Node] | None = None
    if spec.mirror is not None:
        ref = spec.mirror.virtual_node_ref
        key = Key("VirtualNode", ref.namespace or attached.policy.namespace, ref.name)
        node = find_node(context, key, mesh.key, ("spec", "mirror", "virtualNodeRef"), findings)
    problems = tuple(findings.problems)

    def build() -> Linked[Override | None]:
        found = Findings(attached.policy, *problems)
        mirrored = _mirrored(spec, node, found)
        return linked(_read(attached, mirrored), found.problems, *((node,) if node else ()))

    result: Linked[Override | None] = context.memo.get(step, (spec, node, problems), build)
    return result


def _mirrored(
    spec: RoutePolicySpec, node: Linked[Node] | None, findings: Findings
) -> Cluster | None:
    if node is None or spec.mirror is None:
        return None
    cluster = choose_cluster(node.value, spec.mirror.port, ("spec", "mirror"), findings)
    if cluster is not None and cluster.protocol == "tcp":
        message = f"{cluster.node} listens for TCP on port {cluster.port}"
        findings.add(routing.TCP_BEHIND_HTTP, ("spec", "mirror"), message)
        return None
    return cluster


def _read(attached: Attached, mirrored: Cluster | None) -> Override:
    spec: RoutePolicySpec = attached.spec
    request = spec.timeout.per_request if spec.timeout else None
    idle = spec.timeout.idle if spec.timeout else None
    return Override(
        policy=attached.policy,
        request_ms=None if request is None else request.ms,
        idle_ms=None if idle is None else idle.ms,
        retry=None if spec.retry is None else _retry(spec.retry),
        effects=Effects(
            request_headers=tuple(_changes(spec.request_headers)),
            response_headers=tuple(_changes(spec.response_headers)),
            mirror=Mirror(mirrored, spec.mirror.percent) if mirrored and spec.mirror else None,
            trace_percent=None if spec.traces is None else spec.traces.sample_percent,
            cohort=None if spec.cohort is None else _cohort(spec.cohort),
            fault=None if spec.fault is None else _fault(spec.fault),
            cors=None if spec.cors is None else _cors(spec.cors),
        ),
    )


def _retry(retry: Retry) -> RetryPolicy:
    each = retry.per_retry_timeout
    events = (*retry.http_retry_events, *retry.tcp_retry_events, *retry.grpc_retry_events)
    return RetryPolicy(
        retry.max_retries, None if each is None else each.ms, events, retry.status_codes
    )


def _cohort(cohort: CohortSpec) -> Stickiness:
    if cohort.header is not None:
        return HeaderHash(cohort.header.lower())
    return SourceHash() if cohort.cookie is None else CookieHash(cohort.cookie)


def _changes(change: ChangeSpec | None) -> Iterator[HeaderChange]:
    if change is None:
        return
    yield from (HeaderChange("remove", name.lower()) for name in change.remove)
    yield from (HeaderChange("set", item.name.lower(), item.value) for item in change.set)
    yield from (HeaderChange("add", item.name.lower(), item.value) for item in change.add)


def _fault(fault: FaultSpec) -> Fault:
    delay, abort = fault.delay, fault.abort
    return Fault(
        None if delay is None else Delay(delay.duration.ms, delay.percent),
        None if abort is None else Abort(abort.http_status, abort.grpc_status, abort.percent),
    )


def _cors(cors: CorsSpec) -> Cors:
    return Cors(
        origins=cors.allow_origins,
        methods=cors.allow_methods,
        headers=cors.allow_headers,
        exposed=cors.expose_headers,
        max_age_s=None if cors.max_age is None else cors.max_age.ms // 1000,
        credentials=cors.allow_credentials,
    )
