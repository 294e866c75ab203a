"""Clusters: how Envoy finds and watches the endpoints of a virtual node's port."""

from pointsman.envoy import pb
from pointsman.envoy.actions import duration
from pointsman.envoy.balancing import choice
from pointsman.envoy.config_source import ADS, HTTP_OPTIONS
from pointsman.envoy.matchers import Fields
from pointsman.envoy.node_class import Wire
from pointsman.envoy.tls import HTTP2, upstream_socket
from pointsman.graph.model.cluster import Address, Cluster, discovered_as, is_ip
from pointsman.graph.tls import UpstreamTls
from pointsman.resources.kinds.listeners import HealthCheck
from pointsman.resources.kinds.virtual_gateway import GatewayConnectionPool
from pointsman.resources.kinds.virtual_node import (
    CloudMapServiceDiscovery,
    DnsServiceDiscovery,
    NodeConnectionPool,
    OutlierDetection,
)

UNLIMITED = 2_147_483_647
"""App Mesh's client circuit breakers (user guide, "Envoy defaults"); Envoy's own are 1024."""
LOOKUP = {
    "IPv4_ONLY": "V4_ONLY",
    "IPv6_ONLY": "V6_ONLY",
    "IPv4_PREFERRED": "V4_PREFERRED",
    "IPv6_PREFERRED": "AUTO",
    None: "AUTO",
}
"""Envoy's `DnsLookupFamily` by App Mesh's IP preference (user guide, "virtual nodes")."""
_TWO = pb.pack(pb.HttpProtocolOptions(explicit_http_config={"http2_protocol_options": {}}))
_ONE = pb.pack(pb.HttpProtocolOptions(explicit_http_config={"http_protocol_options": {}}))


def cluster(name: str, item: Cluster, wire: Wire, tls: UpstreamTls | None = None) -> pb.Message:
    """`envoy.config.cluster.v3.Cluster` of a virtual node's port.

    Args:
        name: what the proxy calls it.
        item: the virtual node's port.
        wire: how the proxy gets its configuration.
        tls: TLS of the connections; None for plaintext.
    """
    fields: Fields = {
        "name": name,
        "circuit_breakers": {"thresholds": [_limits(UNLIMITED, UNLIMITED, UNLIMITED)]},
        "typed_extension_protocol_options": {HTTP_OPTIONS: protocol_options(item.protocol)},
        **_discovery(name, item, wire),
        **choice(item.balancing),
    }
    if tls is not None:
        fields["transport_socket"] = upstream_socket(tls, item.protocol, wire)
    if item.health_check is not None:
        fields["health_checks"] = [_health_check(item, item.health_check)]
        # Without it, an endpoint that left discovery but still answers is kept forever.
        fields["ignore_health_on_host_removal"] = True
    if item.outlier_detection is not None:
        fields["outlier_detection"] = _outlier_detection(item.outlier_detection)
    return pb.Cluster(**fields)


def is_supplied(item: Cluster, wire: Wire) -> bool:
    """Whether the control plane supplies the endpoints, beside the cluster."""
    found = isinstance(item.discovery, CloudMapServiceDiscovery)
    return found and item.endpoints is None and wire != "static"


def internal_cluster(
    name: str, listener: str, protocol: str, pool: GatewayConnectionPool | None
) -> pb.Message:
    """A cluster whose one endpoint is an internal listener, limited by a connection pool."""
    endpoint = {"address": {"envoy_internal_address": {"server_listener_name": listener}}}
    transport = pb.InternalUpstreamTransport(
        transport_socket={
            "name": "envoy.transport_sockets.raw_buffer",
            "typed_config": pb.pack(pb.RawBuffer()),
        }
    )
    return pb.Cluster(
        name=name,
        connect_timeout=duration(10_000),
        type="STATIC",
        load_assignment={
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}],
        },
        circuit_breakers={"thresholds": [pool_limits(pool)]},
        typed_extension_protocol_options={HTTP_OPTIONS: protocol_options(protocol)},
        transport_socket={
            "name": "envoy.transport_sockets.internal_upstream",
            "typed_config": pb.pack(transport),
        },
    )


def protocol_options(protocol: str) -> pb.Message:
    """`HttpProtocolOptions` for what an upstream is known to speak."""
    return _TWO if protocol in HTTP2 else _ONE


def _limits(connections: int, pending: int, requests: int) -> Fields:
    return {
        "max_connections": {"value": connections},
        "max_pending_requests": {"value": pending},
        "max_requests": {"value": requests},
        "max_retries": {"value": UNLIMITED},
    }


def pool_limits(pool: GatewayConnectionPool | NodeConnectionPool | None) -> Fields:
    """`CircuitBreakers.Thresholds` of a connection pool; what it does not limit is unlimited."""
    if isinstance(pool, NodeConnectionPool) and pool.tcp is not None:
        return _limits(pool.tcp.max_connections, UNLIMITED, UNLIMITED)
    if pool is not None and pool.http is not None:
        pending = pool.http.max_pending_requests
        return _limits(
            pool.http.max_connections, UNLIMITED if pending is None else pending, UNLIMITED
        )
    limit = (pool.http2 or pool.grpc) if pool is not None else None
    return _limits(UNLIMITED, UNLIMITED, UNLIMITED if limit is None else limit.max_requests)


def _discovery(name: str, item: Cluster, wire: Wire) -> Fields:
    if is_supplied(item, wire):
        return {"type": "EDS", "eds_cluster_config": {"eds_config": ADS}}
    if item.endpoints is not None:
        return {"type": _static_type(item.endpoints), **loads(name, item.endpoints)}
    if isinstance(item.discovery, DnsServiceDiscovery):
        every = item.discovery.response_type == "ENDPOINTS"
        address = Address(item.discovery.hostname, item.port)
        return {
            "type": "STRICT_DNS" if every else "LOGICAL_DNS",
            "dns_lookup_family": LOOKUP[item.ip_preference],
            **loads(name, (address,)),
        }
    return {"type": "STATIC", **loads(name, ())}


def _static_type(endpoints: tuple[Address, ...]) -> str:
    numeric = all(is_ip(address.host) for address in endpoints)
    return "STATIC" if numeric else "STRICT_DNS"


def loads(name: str, endpoints: tuple[Address, ...]) -> Fields:
    """The endpoints of a cluster that has them from the start."""
    return {"load_assignment": _assignment(name, endpoints)}


def _assignment(name: str, endpoints: tuple[Address, ...]) -> Fields:
    loads = [{"endpoint": {"address": socket_address(address)}} for address in endpoints]
    return {
        "cluster_name": name,
        "endpoints": [{"lb_endpoints": loads}] if loads else [],
    }


def socket_address(address: Address) -> Fields:
    """`envoy.config.core.v3.Address` of a TCP address."""
    return {"socket_address": {"address": address.host, "port_value": address.port}}


def _health_check(item: Cluster, check: HealthCheck) -> Fields:
    interval = duration(check.interval_millis)
    fields: Fields = {
        "timeout": duration(check.timeout_millis),
        "interval": interval,
        # Envoy checks a cluster without traffic every 60 s only; App Mesh names one interval.
        "no_traffic_interval": interval,
        "healthy_threshold": {"value": check.healthy_threshold},
        "unhealthy_threshold": {"value": check.unhealthy_threshold},
    }
    match check.protocol:
        case "tcp":
            fields["tcp_health_check"] = {}
        case "grpc":
            fields["grpc_health_check"] = {"authority": _health_host(item)}
        case "http" | "http2":
            # A port of HTTP/2 would refuse a check by HTTP/1.1, whatever the application does.
            newer = check.protocol == "http2" or item.protocol in HTTP2
            codec = "HTTP2" if newer else "HTTP1"
            fields["http_health_check"] = {
                "host": _health_host(item),
                "path": check.path or "/",
                "codec_client_type": codec,
                # Without it one bad answer is enough, whatever the threshold says.
                "retriable_statuses": [{"start": 100, "end": 600}],
            }
    return fields


def _health_host(item: Cluster) -> str:
    if isinstance(item.discovery, DnsServiceDiscovery):
        return discovered_as(item.discovery)
    return item.node_name


def _outlier_detection(detection: OutlierDetection) -> Fields:
    return {
        "consecutive_5xx": {"value": detection.max_server_errors},
        "interval": duration(detection.interval.ms),
        "base_ejection_time": duration(detection.base_ejection_duration.ms),
        "max_ejection_percent": {"value": detection.max_ejection_percent},
        "enforcing_consecutive_5xx": {"value": 100},
        # App Mesh ejects on server errors in a row and on nothing else.
        "enforcing_success_rate": {"value": 0},
        "enforcing_consecutive_gateway_failure": {"value": 0},
        "always_eject_one_host": {"value": True},
    }
