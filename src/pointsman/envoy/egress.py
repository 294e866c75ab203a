"""A sidecar's way out: from the application to the services it calls."""

from collections.abc import Iterable, Iterator

from pointsman.envoy import names, pb
from pointsman.envoy.access_log import access_log
from pointsman.envoy.called import CalledClusters
from pointsman.envoy.clusters import socket_address
from pointsman.envoy.filters.order import http_filters, used_by_service
from pointsman.envoy.listeners import Place, http_chain, route_specifier
from pointsman.envoy.matchers import Fields
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.passthrough import (
    allow_all_host,
    forward_cluster,
    forward_filter,
    nowhere_cluster,
    original_cluster,
)
from pointsman.envoy.redirected import (
    EGRESS_PORT,
    TLS_PORT,
    loopback_addresses,
    original_destination,
    tls_inspector_on,
)
from pointsman.envoy.requests import http_logs
from pointsman.envoy.tcp import tcp_chain
from pointsman.envoy.traces import tracing
from pointsman.envoy.virtual_hosts import service_host
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.sidecar import EgressPort, HttpBackend, Sidecar, TcpBackend

HTTP_PORT = 80
NO_LIMIT_MS = 0


def egress(
    sidecar: Sidecar, node_class: NodeClass, clusters: CalledClusters
) -> Iterator[pb.Message]:
    """Listeners and routes for connections of the application, and the way past all services."""
    tables = {item.port: _routes(sidecar, item, clusters) for item in sidecar.egress if item.http}
    if node_class.wire != "static":
        yield from tables.values()
    chains = {
        item.port: _chain(sidecar, item, tables.get(item.port), node_class, clusters)
        for item in sidecar.egress
    }
    if node_class.egress is None:
        rows = [
            row
            for item in sidecar.egress
            for row in _rows(sidecar, item, chains[item.port], clusters)
        ]
        yield from _captured(sidecar, rows)
    else:
        yield from _dialled(sidecar, node_class, node_class.egress, chains, clusters)


def _rows(
    sidecar: Sidecar, item: EgressPort, rest: Fields, clusters: CalledClusters
) -> Iterator[Fields]:
    """Filter chains of a port: TCP services by address, and the one for all other addresses."""
    port = {"destination_port": {"value": item.port}}
    prefix = names.egress_stat_prefix(item.port, len(sidecar.egress))
    for backend in item.tcp:
        if backend.addresses:
            ranges = {"prefix_ranges": [_range(address) for address in backend.addresses]}
            chain = _tcp_chain(sidecar, backend, prefix, clusters)
            yield {**chain, "filter_chain_match": {**port, **ranges}}
    if item.http or not item.tcp[-1].addresses:
        yield {**rest, "filter_chain_match": port}


def _range(address: str) -> Fields:
    prefix, _, length = address.partition("/")
    return {"address_prefix": prefix, "prefix_len": {"value": int(length)}}


def _captured(sidecar: Sidecar, rows: list[Fields]) -> Iterator[pb.Message]:
    """One listener for everything the kernel redirects, whatever its port.

    Args:
        sidecar: the sidecar.
        rows: the filter chains of its services.
    """
    logs = access_log(sidecar)
    aws = tcp_chain("egress", [(names.amazonaws(sidecar), 1)], NO_LIMIT_MS, logs)
    by_name = {"destination_port": {"value": TLS_PORT}, "server_names": ["*.amazonaws.com"]}
    rows.append({**aws, "filter_chain_match": by_name})
    yield original_cluster(names.amazonaws(sidecar))
    fields: Fields = {}
    if sidecar.open:
        name = names.allow_all(sidecar)
        yield original_cluster(name)
        yield nowhere_cluster()
        # Whoever dials this listener itself was going to it; passed on, that would never end.
        itself = tcp_chain("egress", [(names.NOWHERE, 1)], NO_LIMIT_MS, logs)
        rows.append({**itself, "filter_chain_match": {"destination_port": {"value": EGRESS_PORT}}})
        fields["default_filter_chain"] = tcp_chain("egress", [(name, 1)], NO_LIMIT_MS, logs)
    yield pb.Listener(
        name=names.EGRESS_CAPTURE,
        listener_filters=[original_destination(), tls_inspector_on([TLS_PORT])],
        filter_chains=rows,
        enable_reuse_port={"value": True},
        **loopback_addresses(sidecar.ip_preference, EGRESS_PORT),
        **fields,
    )


def _dialled(
    sidecar: Sidecar,
    node_class: NodeClass,
    address: str,
    chains: dict[int, Fields],
    clusters: CalledClusters,
) -> Iterator[pb.Message]:
    """A listener for each port, to be connected to by name, and one that is an HTTP proxy."""
    if sidecar.open:
        yield forward_cluster(names.allow_all(sidecar), sidecar.ip_preference)
    for port, chain in chains.items():
        local = Address(address, node_class.egress_port(port))
        yield _listener(names.egress_listener(port), local, chain)
    hosts = tuple(_proxied(sidecar, clusters))
    if not hosts:
        return
    configuration = pb.RouteConfiguration(name=names.EGRESS_PROXY, virtual_hosts=hosts)
    routes = route_specifier(configuration, node_class.wire)
    if node_class.wire != "static":
        yield configuration
    backends = [backend for item in sidecar.egress for backend in item.http]
    chain = _http_chain(sidecar, "egress", EGRESS_PORT, routes, node_class, backends)
    local = Address(address, node_class.egress_port(EGRESS_PORT))
    yield _listener(names.EGRESS_CAPTURE, local, chain)


def _listener(name: str, address: Address, chain: Fields) -> pb.Message:
    return pb.Listener(
        name=name,
        address=socket_address(address),
        filter_chains=[chain],
        enable_reuse_port={"value": True},
    )


def _proxied(sidecar: Sidecar, clusters: CalledClusters) -> Iterator[pb.Message]:
    """Every service by name and port, as a client asks for it that uses an HTTP proxy."""
    ports: dict[str, list[int]] = {}
    for item in sidecar.egress:
        for backend in item.http:
            ports.setdefault(backend.service.name, []).append(item.port)
    for item in sidecar.egress:
        for backend in item.http:
            name = backend.service.name
            domains = [f"{name}:{item.port}"]
            if item.port == HTTP_PORT or (len(ports[name]) == 1 and HTTP_PORT not in ports[name]):
                domains.append(name)
            naming = clusters.named_for(backend.tls)
            yield service_host(backend.service, domains[0], domains, naming)
    if sidecar.open:
        yield allow_all_host(names.allow_all(sidecar))


def _chain(
    sidecar: Sidecar,
    item: EgressPort,
    table: pb.Message | None,
    node_class: NodeClass,
    clusters: CalledClusters,
) -> Fields:
    """The chain of a port for what is not told apart by address: its HTTP services, or one of TCP.

    A proxy that is called by name knows no addresses: a port has one TCP service there.
    """
    prefix = names.egress_stat_prefix(item.port, len(sidecar.egress))
    if table is None:
        rest = item.tcp[-1] if not item.tcp[-1].addresses else item.tcp[0]
        return _tcp_chain(sidecar, rest, prefix, clusters)
    routes = route_specifier(table, node_class.wire)
    return _http_chain(sidecar, prefix, item.port, routes, node_class, item.http)


def _http_chain(
    sidecar: Sidecar,
    prefix: str,
    port: int,
    routes: Fields,
    node_class: NodeClass,
    backends: Iterable[HttpBackend],
) -> Fields:
    used = {name for backend in backends for name in used_by_service(backend.service)}
    passes = sidecar.open and node_class.egress is not None
    filters = http_filters(used, None, forward_filter(sidecar.ip_preference) if passes else None)
    # Services on one port may speak HTTP/1.1 and HTTP/2: the connection tells.
    logs = http_logs(sidecar, node_class, port, out=True)
    traces = tracing(sidecar)
    return http_chain(prefix, "http", routes, logs, Place.APPLICATION, filters, traces=traces)


def _tcp_chain(
    sidecar: Sidecar, backend: TcpBackend, prefix: str, clusters: CalledClusters
) -> Fields:
    name_of = clusters.named_for(backend.tls)
    targets = [(name_of(item.cluster), item.weight) for item in backend.targets]
    sticky = any(item.cluster.balancing.stickiness for item in backend.targets)
    logs = access_log(sidecar)
    return tcp_chain(prefix, targets, backend.idle_ms, logs, sticky=sticky)


def _routes(sidecar: Sidecar, item: EgressPort, clusters: CalledClusters) -> pb.Message:
    hosts = [_host(backend, item.port, clusters) for backend in item.http]
    if sidecar.open:
        hosts.append(allow_all_host(names.allow_all(sidecar)))
    return pb.RouteConfiguration(name=names.egress_routes(item.port), virtual_hosts=hosts)


def _host(backend: HttpBackend, port: int, clusters: CalledClusters) -> pb.Message:
    name = backend.service.name
    domains = [name, f"{name}:{port}"]
    return service_host(backend.service, name, domains, clusters.named_for(backend.tls))
