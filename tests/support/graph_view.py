"""A linked graph as a small tree of plain values, defaults left out, for people to judge."""

from typing import Any

from pointsman.graph.model.cluster import Cluster, WeightedCluster
from pointsman.graph.model.gateway import Gateway, GatewayRule, Listener, Rewrite
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.match import (
    ANY_PATH,
    HeaderCondition,
    HeaderTest,
    QueryCondition,
    RequestMatch,
)
from pointsman.graph.model.route import (
    DEFAULT_RETRY,
    DEFAULT_TIMEOUT_MS,
    RetryPolicy,
    Route,
    Timeouts,
)
from pointsman.graph.model.sidecar import EgressPort, Sidecar
from pointsman.graph.model.tls import Certificate, ClientTls, ServerTls, Trust
from pointsman.resources.kinds.listeners import HealthCheck, LogFormat
from pointsman.resources.kinds.tls import FileCertificate, FileTrust, SdsCertificate
from pointsman.resources.kinds.virtual_gateway import GatewayConnectionPool
from pointsman.resources.kinds.virtual_node import (
    CloudMapServiceDiscovery,
    DnsServiceDiscovery,
    NodeConnectionPool,
)
from tests.support.policy_view import (
    balancing_words,
    effects_words,
    extras_words,
    guards_words,
    override_words,
)

Tree = dict[str, Any]


def graph_view(graph: Graph) -> Tree:
    """`{gateway: {id, listeners, log}}` and the clusters they call, both by name."""
    clusters = {_cluster_name(cluster): cluster for cluster in _clusters(graph)}
    return _given(
        gateways={key.path: _gateway(gateway) for key, gateway in graph.gateways.items()},
        sidecars={
            key.path: tree for key, sidecar in graph.sidecars.items() if (tree := _sidecar(sidecar))
        },
        clusters={name: _cluster(clusters[name]) for name in sorted(clusters)},
    )


def _given(**fields: Any) -> Tree:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value not in (None, {}, [], "")}


def _gateway(gateway: Gateway) -> Tree:
    log = gateway.access_log
    return _given(
        id=gateway.node_id,
        backends=_client_tls(gateway.tls),
        log=None if log is None else f"{log.path} {_log_format(log.format)}".strip(),
        listeners={f"{item.port} {item.protocol}": _listener(item) for item in gateway.listeners},
    )


def _sidecar(sidecar: Sidecar) -> Tree:
    """What a sidecar does besides passing its application's requests in as they are."""
    log = sidecar.access_log
    return _given(
        log=None if log is None else f"{log.path} {_log_format(log.format)}".strip(),
        ip=sidecar.ip_preference,
        ingress={
            f"{item.port} {item.protocol}": tree
            for item in sidecar.ingress
            if (
                tree := _given(
                    pool=_pool(item.pool),
                    timeouts=_timeouts(item.timeouts),
                    extras=extras_words(item.extras),
                    guards=guards_words(item.guards),
                )
            )
        },
        egress={item.port: _egress(item) for item in sidecar.egress},
        open="yes" if sidecar.open else "",
    )


def _egress(port: EgressPort) -> Tree:
    tree: Tree = {
        backend.service.name: [_route(route) for route in backend.service.routes]
        for backend in port.http
    }
    for item in port.tcp:
        at = ", ".join(item.addresses)
        tree[f"tcp {at}" if at else "tcp"] = _given(
            service=item.name,
            to=[_target(target, len(item.targets)) for target in item.targets],
            idle_ms=item.idle_ms,
        )
    return tree


def _log_format(form: LogFormat | None) -> str:
    if form is None:
        return ""
    if form.json is not None:
        return " ".join(f"{item.key}={item.value}" for item in form.json)
    return repr(form.text)


def _listener(listener: Listener) -> Tree:
    return _given(
        tls=_server_tls(listener.tls),
        pool=_pool(listener.pool),
        extras=extras_words(listener.extras),
        guards=guards_words(listener.guards),
        hosts={str(host.domain): [_rule(rule) for rule in host.rules] for host in listener.hosts},
    )


def _server_tls(tls: ServerTls | None) -> str:
    if tls is None:
        return ""
    words = [f"{tls.mode} shows {_material(tls.certificate)}"]
    if tls.trust is not None:
        words.append(_verified("clients", tls.trust, tls.names))
    if tls.authority is not None:
        words.append(f"signed by {_material(tls.authority)}")
    return ", ".join(words)


def _client_tls(tls: ClientTls | None) -> str:
    if tls is None:
        return ""
    words = ["TLS always" if tls.enforce else "TLS where spoken"]
    words += [f"on ports {', '.join(map(str, tls.ports))}"] if tls.ports else []
    words += [f"shows {_material(tls.certificate)}"] if tls.certificate is not None else []
    return ", ".join([*words, _verified("servers", tls.trust, tls.names)])


def _verified(whom: str, trust: Trust, names: tuple[str, ...]) -> str:
    named = f" named {' or '.join(names)}" if names else ""
    return f"{whom}{named} signed by {_material(trust)}"


def _material(material: Certificate | Trust | None) -> str:
    match material:
        case FileCertificate():
            return f"{material.certificate_chain} with {material.private_key}"
        case FileTrust():
            return material.certificate_chain
        case SdsCertificate():
            return f"secret {material.secret_name}"
    return "nothing" if material is None else "what the mesh issues"


def _pool(pool: GatewayConnectionPool | NodeConnectionPool | None) -> str:
    if pool is None:
        return ""
    if isinstance(pool, NodeConnectionPool) and pool.tcp is not None:
        return f"{pool.tcp.max_connections} connections"
    if pool.http is not None:
        pending = pool.http.max_pending_requests
        waiting = "" if pending is None else f", {pending} pending"
        return f"{pool.http.max_connections} connections{waiting}"
    limit = pool.http2 or pool.grpc
    return "" if limit is None else f"{limit.max_requests} requests"


def _rule(rule: GatewayRule) -> Tree:
    return _given(
        route=rule.key.path,
        priority=rule.priority,
        match=match_words(rule.match),
        rewrite=_rewrite(rule.rewrite),
        policy=rule.override and override_words(rule.override),
        guards=guards_words(rule.guards),
        to=[
            {
                _weighed(target.service.key.path, target.weight, len(rule.targets)): _given(
                    host=target.service.name,
                    router=target.service.router and target.service.router.path,
                    routes=[_route(route) for route in target.service.routes],
                )
            }
            for target in rule.targets
        ],
    )


def _rewrite(rewrite: Rewrite) -> str:
    words = [] if rewrite.host else ["keeps host"]
    if rewrite.prefix is not None:
        words.append(f"prefix {rewrite.prefix}")
    if rewrite.path is not None:
        words.append(f"path {rewrite.path}")
    return ", ".join(words)


def _route(route: Route) -> Tree:
    return _given(
        route=route.name,
        match=match_words(route.match),
        to=[_target(item, len(route.targets)) for item in route.targets],
        timeouts=_timeouts(route.timeouts),
        retry=_retry(route.retry),
        effects=effects_words(route.effects),
        guards=guards_words(route.guards),
    )


def _target(target: WeightedCluster, siblings: int) -> str:
    return _weighed(_cluster_name(target.cluster), target.weight, siblings)


def _weighed(name: str, weight: int, siblings: int) -> str:
    """The weight is left out where it is the default of a lone target."""
    return name if siblings == 1 and weight else f"{name} weight {weight}"


def _timeouts(limits: Timeouts) -> str:
    words = []
    if limits.request_ms != DEFAULT_TIMEOUT_MS:
        words.append(f"request {limits.request_ms} ms")
    if limits.idle_ms is not None:
        words.append(f"idle {limits.idle_ms} ms")
    return ", ".join(words)


def _retry(policy: RetryPolicy) -> str:
    if policy == DEFAULT_RETRY:
        return ""
    on = ", ".join((*policy.events, *map(str, policy.statuses)))
    return f"{policy.max_retries} times of {policy.per_retry_ms} ms on {on}"


def match_words(match: RequestMatch) -> str:
    """Conditions in words; nothing for a match of all requests."""
    words = [] if match.path == ANY_PATH else [f"{match.path.kind} {match.path.value}"]
    words += [word for word in (match.method, match.scheme) if word is not None]
    words += [_header(header) for header in match.headers]
    words += [_query(query) for query in match.queries]
    return " & ".join(words)


def _header(header: HeaderCondition) -> str:
    value = f" {header.value}" if header.value else ""
    if header.test is HeaderTest.RANGE:
        value = f" {header.start}..{header.end}"
    return f"{header.name}: {'not ' if header.invert else ''}{header.test}{value}"


def _query(query: QueryCondition) -> str:
    return f"?{query.name}" if query.exact is None else f"?{query.name}={query.exact}"


def _clusters(graph: Graph) -> list[Cluster]:
    called = [
        weighted.cluster
        for sidecar in graph.sidecars.values()
        for port in sidecar.egress
        for weighted in (
            *(item for backend in port.http for r in backend.service.routes for item in r.targets),
            *(item for backend in port.tcp for item in backend.targets),
        )
    ]
    return called + [
        weighted.cluster
        for gateway in graph.gateways.values()
        for listener in gateway.listeners
        for host in listener.hosts
        for rule in host.rules
        for target in rule.targets
        for route in target.service.routes
        for weighted in route.targets
    ]


def _cluster_name(cluster: Cluster) -> str:
    return f"{cluster.node.path}:{cluster.port}"


def _cluster(cluster: Cluster) -> Tree:
    outliers = cluster.outlier_detection
    return _given(
        protocol=None if cluster.protocol == "http" else cluster.protocol,
        found=_discovery(cluster),
        ip=cluster.ip_preference,
        tls=_server_tls(cluster.tls),
        balancing=balancing_words(cluster),
        health=cluster.health_check and _health(cluster.health_check),
        outliers=outliers
        and f"{outliers.max_server_errors} errors, every {outliers.interval.ms} ms, "
        f"for {outliers.base_ejection_duration.ms} ms, at most {outliers.max_ejection_percent} %",
    )


def _discovery(cluster: Cluster) -> str:
    if cluster.endpoints is not None:
        return "at " + (", ".join(map(str, cluster.endpoints)) or "no endpoint")
    match cluster.discovery:
        case DnsServiceDiscovery() as dns:
            return f"dns {dns.hostname}" + (" every" if dns.response_type == "ENDPOINTS" else "")
        case CloudMapServiceDiscovery() as cloud:
            wanted = "".join(f" {item.key}={item.value}" for item in cloud.attributes)
            return f"cloud map {cloud.service_name}.{cloud.namespace_name}{wanted}"
        case _:
            return "nowhere"


def _health(check: HealthCheck) -> str:
    return (
        f"{check.protocol} {check.path or ''}".rstrip()
        + f", every {check.interval_millis} ms within {check.timeout_millis} ms,"
        f" up after {check.healthy_threshold}, down after {check.unhealthy_threshold}"
    )
