"""What a request should hit, told from the graph alone.

This walks the two stages of App Mesh as its manifests describe them: gateway route first, then
the virtual router's route on the rewritten request. The translation to Envoy folds both stages
into one table; that the two always agree is proved by tests against real Envoy.
"""

from dataclasses import dataclass, replace

from pointsman.graph.compose import takes_tunnels
from pointsman.graph.effects import overridden
from pointsman.graph.model.authorization_server import Front
from pointsman.graph.model.cluster import WeightedCluster
from pointsman.graph.model.effects import Abort
from pointsman.graph.model.gateway import (
    Domain,
    DomainKind,
    Gateway,
    GatewayRule,
    Listener,
    VirtualHost,
)
from pointsman.graph.model.guards import NO_GUARDS, Guards, nearest
from pointsman.graph.model.match import ANY_PATH, PathKind
from pointsman.graph.model.route import Route, Service
from pointsman.graph.paths import climbs, normalize, replace_prefix, split_query
from pointsman.graph.request import Request, first_failure
from pointsman.resources.key import Key

Own = int | Abort | None
"""The proxy's own answer: a status, a fault on purpose, or none."""
_PATHLESS = "a tunnel has no path, and the route is for some paths only"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A candidate that was tried before, and the one clause that failed.

    Attributes:
        key: the gateway route, or the router whose route it is.
        route: name of the route in the router; None for a gateway route.
        clause: the condition that did not hold, in words.
    """

    key: Key
    route: str | None
    clause: str


@dataclass(frozen=True, slots=True)
class Share:
    """What becomes of one share of the matching requests.

    Attributes:
        service: the virtual service.
        fraction: its share, 0 to 1.
        request: the request as the backend sees it.
        route: the route that takes it, as policies want it; None when the service has none for
            it (404).
        targets: clusters with their weights.
        guards: what stands before it.
    """

    service: Service
    fraction: float
    request: Request
    route: Route | None
    targets: tuple[WeightedCluster, ...]
    guards: Guards = NO_GUARDS

    @property
    def abort(self) -> Abort | None:
        """The fault by which every such request is answered, if there is one."""
        fault = self.route.effects.fault if self.route is not None else None
        abort = fault.abort if fault is not None else None
        return abort if abort is not None and abort.percent == 100 else None

    @property
    def status(self) -> Own:
        """With what Envoy answers the whole share itself; None when a backend does."""
        if self.route is None:
            return 404
        if self.abort is not None:
            return self.abort
        reachable = any(item.weight and item.cluster.is_found for item in self.targets)
        return None if reachable else 503


@dataclass(frozen=True, slots=True)
class Intent:
    """The decision.

    Attributes:
        gateway: the gateway asked.
        listener: the listener asked.
        host: the virtual host; None when no route serves the host.
        rule: the gateway route; None when none matches.
        shares: what becomes of the request, by virtual service; usually one.
        status: HTTP status when the proxy itself answers every such request; gRPC clients get
            200 and `grpc_status` instead.
        rejected: candidates that were tried before, in order.
        arrived: the request as it arrived, its path normalised.
        front: the authorization server that answers it, before any rule.
    """

    gateway: Gateway
    listener: Listener
    host: VirtualHost | None
    rule: GatewayRule | None
    shares: tuple[Share, ...]
    status: int | None
    rejected: tuple[Rejected, ...]
    arrived: Request | None = None
    front: Front | None = None

    @property
    def guards(self) -> Guards:
        """What stands before the gateway route itself, whatever lies behind it."""
        if self.rule is None:
            return NO_GUARDS
        return nearest(self.rule.guards, self.listener.guards)

    @property
    def grpc_status(self) -> int | None:
        """The status in gRPC's terms: UNIMPLEMENTED for 404, UNAVAILABLE for 503."""
        return None if self.status is None else grpc_status(self.status)


def grpc_status(status: int) -> int:
    """What a gateway's own answers become for gRPC (its `http-grpc-status-mapping.md`)."""
    return _GRPC_STATUS.get(status, 2)


_GRPC_STATUS = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
"""INTERNAL, UNAUTHENTICATED, PERMISSION_DENIED, UNIMPLEMENTED, UNAVAILABLE; the rest UNKNOWN."""


def decide(gateway: Gateway, listener: Listener, request: Request) -> Intent:
    """Where a request would go that arrives at a gateway's listener."""
    if request.method == "CONNECT" and listener.extras.tunnels:
        return _tunnel(gateway, listener, request)
    if request.is_pathless:
        return Intent(gateway, listener, None, None, (), 404, _pathless(listener, request))
    path, query = split_query(request.target)
    normal = normalize(path)
    if normal is None or "#" in query:
        return Intent(gateway, listener, None, None, (), 400, ())
    request = replace(request, target=normal + query)
    host = find_host(listener, request.host)
    front = listener.front
    if front is not None and request.host == front.host and normal in front.paths:
        return Intent(gateway, listener, host, None, (), None, (), front=front)
    rejected: list[Rejected] = []
    for rule in host.rules if host else ():
        failure = first_failure(rule.match, request)
        if failure is None:
            return _follow(gateway, listener, host, rule, request, rejected)
        rejected.append(Rejected(rule.key, None, failure))
    rejected.extend(_hidden(listener, host, request))
    return Intent(gateway, listener, host, None, (), 404, tuple(rejected))


def _tunnel(gateway: Gateway, listener: Listener, request: Request) -> Intent:
    """Where a tunnel would go, by the rules and routes that take every path."""
    request = replace(request, target="/")
    host = find_host(listener, request.host)
    rejected: list[Rejected] = []
    for rule in host.rules if host else ():
        failure = first_failure(rule.match, request)
        if not takes_tunnels(rule):
            failure = _PATHLESS
        if failure is None:
            return _follow(gateway, listener, host, rule, request, rejected)
        rejected.append(Rejected(rule.key, None, failure))
    return Intent(gateway, listener, host, None, (), 404, tuple(rejected))


def _pathless(listener: Listener, request: Request) -> tuple[Rejected, ...]:
    host = find_host(listener, request.host)
    reason = f"this {request.method} request has no path to match"
    return tuple(Rejected(rule.key, None, reason) for rule in (host.rules if host else ()))


def find_host(listener: Listener, host: str) -> VirtualHost | None:
    """The virtual host that serves a host: exact, else the longest suffix, else any."""
    matching = [item for item in listener.hosts if _serves(item.domain, host)]
    return min(matching, key=_nearness, default=None)


def _serves(domain: Domain, host: str) -> bool:
    match domain.kind:
        case DomainKind.EXACT:
            return host == domain.value
        case DomainKind.SUFFIX:
            return len(host) > len(domain.value) and host.endswith(domain.value)
        case DomainKind.ANY:
            return True


def _nearness(host: VirtualHost) -> tuple[int, int]:
    rank = {DomainKind.EXACT: 0, DomainKind.SUFFIX: 1, DomainKind.ANY: 2}
    return rank[host.domain.kind], -len(host.domain.value)


def _hidden(listener: Listener, host: VirtualHost | None, request: Request) -> list[Rejected]:
    """Rules of wider hosts that would match, were it not for the host's own rules."""
    return [
        Rejected(rule.key, None, f"host {request.host} has gateway routes of its own")
        for other in listener.hosts
        if host is not None and other is not host and _serves(other.domain, request.host)
        for rule in other.rules
        if first_failure(rule.match, request) is None
    ] + [
        Rejected(rule.key, None, f"host {request.host} is not {other.domain}")
        for other in listener.hosts
        if not _serves(other.domain, request.host)
        for rule in other.rules
        if first_failure(rule.match, request) is None
    ]


def _follow(
    gateway: Gateway,
    listener: Listener,
    host: VirtualHost | None,
    rule: GatewayRule,
    request: Request,
    rejected: list[Rejected],
) -> Intent:
    if rule.version is not None and rule.version.retired:
        return Intent(gateway, listener, host, rule, (), 410, tuple(rejected), request)
    total = sum(target.weight for target in rule.targets)
    if total == 0:
        return Intent(gateway, listener, host, rule, (), 503, tuple(rejected), request)
    if request.method != "CONNECT" and _climbs(rule, request.path):
        reason = f"path {request.path} has a dot right behind the prefix to be rewritten"
        rejected.append(Rejected(rule.key, None, reason))
        return Intent(gateway, listener, host, rule, (), 400, tuple(rejected))
    shares = tuple(
        _share(listener, rule, target.service, target.weight / total, request, rejected)
        for target in rule.targets
        if target.weight
    )
    statuses = {_http(share.status) for share in shares}
    status = statuses.pop() if len(statuses) == 1 else None
    return Intent(gateway, listener, host, rule, shares, status, tuple(rejected), request)


def _share(
    listener: Listener,
    rule: GatewayRule,
    service: Service,
    fraction: float,
    request: Request,
    rejected: list[Rejected],
) -> Share:
    found = share_of(service, fraction, rewrite(rule, service, request), rejected)
    if found.route is None:
        return replace(found, guards=nearest(rule.guards, listener.guards))
    return replace(
        found,
        route=overridden(found.route, rule.override),
        guards=nearest(found.route.guards, rule.guards, listener.guards),
    )


def share_of(
    service: Service, fraction: float, request: Request, rejected: list[Rejected]
) -> Share:
    """What becomes of a share of requests that reach a service.

    Args:
        service: the service.
        fraction: the share, 0 to 1.
        request: the request as the service's routes see it.
        rejected: takes the routes that were tried before.
    """
    for route in service.routes:
        failure = first_failure(route.match, request)
        if request.method == "CONNECT" and route.match.path != ANY_PATH:
            failure = _PATHLESS
        if failure is None:
            return Share(service, fraction, request, route, route.targets)
        rejected.append(Rejected(route.key, route.name, failure))
    return Share(service, fraction, request, None, ())


def _http(answer: Own) -> int | None:
    return (answer.status or 200) if isinstance(answer, Abort) else answer


def _climbs(rule: GatewayRule, path: str) -> bool:
    value = _new_prefix(rule)
    return value is not None and climbs(path, rule.match.path.value, value)


def rewrite(rule: GatewayRule, service: Service, request: Request) -> Request:
    """The request as the virtual service's routes and backends see it."""
    if request.method == "CONNECT":
        return request  # a tunnel's bytes go on as they are
    path, query = split_query(request.target)
    authority = service.name if rule.rewrite.host else request.authority
    return replace(request, authority=authority, target=_new_path(rule, path) + query)


def _new_path(rule: GatewayRule, path: str) -> str:
    if rule.rewrite.path is not None:
        return rule.rewrite.path
    value = _new_prefix(rule)
    return path if value is None else replace_prefix(path, rule.match.path.value, value)


def _new_prefix(rule: GatewayRule) -> str | None:
    """What the matched prefix becomes, or None when it is not a prefix that is rewritten."""
    replaces = rule.rewrite.path is None and rule.match.path.kind is PathKind.PREFIX
    return rule.rewrite.prefix if replaces else None
