"""A sidecar's way in: from other proxies to the application."""

from collections.abc import Iterator

from pointsman.envoy import names, pb
from pointsman.envoy.access_log import access_log
from pointsman.envoy.actions import duration, timeouts
from pointsman.envoy.clusters import loads, pool_limits, protocol_options, socket_address
from pointsman.envoy.config_source import HTTP_OPTIONS
from pointsman.envoy.filters.hygiene import (
    body_uses,
    hygienic,
    refused_methods,
    refused_paths,
    shedding_uses,
)
from pointsman.envoy.filters.login import cookies_of_host
from pointsman.envoy.filters.order import http_filters
from pointsman.envoy.guards import guarded, login_rows, uses
from pointsman.envoy.listeners import Place, http_chain, route_specifier
from pointsman.envoy.matchers import Fields
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.redirected import (
    INGRESS_PORT,
    any_addresses,
    original_destination,
    tls_inspector_on,
)
from pointsman.envoy.requests import http_logs
from pointsman.envoy.tcp import tcp_chain
from pointsman.envoy.tls import is_permissive, secured, tls_inspector
from pointsman.envoy.traces import tracing
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.sidecar import IngressListener, Sidecar


def ingress(sidecar: Sidecar, node_class: NodeClass) -> Iterator[pb.Message]:
    """Listeners, routes and clusters for connections from outside."""
    if not sidecar.ingress:
        return
    chains = []
    for item in sidecar.ingress:
        yield _cluster(sidecar, item, node_class)
        table = None if item.protocol == "tcp" else _routes(sidecar, item)
        if table is not None and node_class.wire != "static":
            yield table
        chain = _chain(sidecar, item, table, node_class)
        if node_class.egress is None:
            chain["filter_chain_match"] = {"destination_port": {"value": item.port}}
        secure = secured(chain, item.tls, item.protocol, node_class.wire)
        chains.extend(secure)
        if node_class.egress is not None:
            address = Address(node_class.bind, node_class.local_port(item.port))
            yield pb.Listener(
                name=names.listener(item),
                address=socket_address(address),
                listener_filters=[tls_inspector()] if is_permissive(item.tls) else [],
                filter_chains=secure,
                enable_reuse_port={"value": True},
            )
    if node_class.egress is None:
        yield pb.Listener(
            name=names.INGRESS_CAPTURE,
            listener_filters=[original_destination(), *_inspectors(sidecar)],
            filter_chains=chains,
            enable_reuse_port={"value": True},
            **any_addresses(node_class.bind, sidecar.ip_preference, INGRESS_PORT),
        )


def _inspectors(sidecar: Sidecar) -> list[Fields]:
    ports = [item.port for item in sidecar.ingress if is_permissive(item.tls)]
    return [tls_inspector_on(ports)] if ports else []


def _chain(
    sidecar: Sidecar, item: IngressListener, table: pb.Message | None, node_class: NodeClass
) -> Fields:
    prefix = names.stat_prefix(item, len(sidecar.ingress))
    if table is None:
        name = names.ingress_cluster(sidecar, item)
        logs = access_log(sidecar)
        return tcp_chain(prefix, [(name, 1)], item.timeouts.idle_ms, logs)
    routes = route_specifier(table, node_class.wire)
    routes_hygiene = item.hygiene.routes if item.hygiene is not None else None
    used = frozenset((*uses(item.guards), *body_uses(routes_hygiene)))
    needed = {*used, *shedding_uses(item.hygiene)}
    filters = http_filters(needed, item.extras.compression, wire=node_class.wire)
    return http_chain(
        prefix,
        item.protocol,
        routes,
        http_logs(sidecar, node_class, item.port),
        Place.INSIDE if item.guards.access is None else Place.GUARDED,
        filters,
        item.extras,
        certificates=item.tls is not None and item.tls.trust is not None,
        used=used,
        hygiene=item.hygiene,
        traces=tracing(sidecar),
    )


def _routes(sidecar: Sidecar, item: IngressListener) -> pb.Message:
    """Everything goes to the application, within the listener's time and without retries."""
    name = names.route_config(item)
    action = {"cluster": names.ingress_cluster(sidecar, item), **timeouts(item.timeouts)}
    row = {"name": "application", "match": {"prefix": "/"}, "route": action}
    hygiene = item.hygiene.routes if item.hygiene is not None else None
    logins = [*login_rows((item.guards,))]
    rows = [
        *refused_paths(item.hygiene),
        *logins,
        *refused_methods(row, hygiene),
        *(hygienic(each, hygiene) for each in guarded(row, item.guards)),
    ]
    host: Fields = {"name": name, "domains": ["*"], "routes": rows}
    if logins:
        host["typed_per_filter_config"] = cookies_of_host()
    return pb.RouteConfiguration(name=name, virtual_hosts=[host])


def _cluster(sidecar: Sidecar, item: IngressListener, node_class: NodeClass) -> pb.Message:
    name = names.ingress_cluster(sidecar, item)
    address = dict(node_class.applications).get(item.port) or Address(
        "::1" if (sidecar.ip_preference or "").startswith("IPv6") else "127.0.0.1", item.port
    )
    options = {}
    if item.protocol != "tcp":
        options = {HTTP_OPTIONS: protocol_options(item.protocol)}
    return pb.Cluster(
        name=name,
        connect_timeout=duration(10_000),
        type="STATIC",
        **loads(name, (address,)),
        circuit_breakers={"thresholds": [pool_limits(item.pool)]},
        typed_extension_protocol_options=options,
    )
