"""The configuration an Envoy is born with: who it is, and where it hears the rest.

Everything else arrives over ADS. The result is a plain dict in Envoy's JSON form
(envoy.config.bootstrap.v3.Bootstrap), so this module needs no protobuf and can be read beside
Envoy's manual. Each setting that is not Envoy's default has its reason next to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pointsman.envoy.config_source import SDS_SOCKET, sds_cluster
from pointsman.graph.model.cluster import is_ip
from pointsman.resources.rules.matching import MAX_PROGRAM

XDS_CLUSTER: Final = "pointsman_xds"
DEFAULT_CONNECTION_LIMIT: Final = 50_000

_TYPE: Final = "type.googleapis.com/"

Dialect = Literal["delta", "sotw"]


@dataclass(frozen=True)
class XdsAddress:
    """Where the control plane listens.

    Attributes:
        host: name or IP address, or "" for a Unix socket.
        port: TCP port, or 0 for a Unix socket.
        path: Unix socket, or None for TCP.
    """

    host: str = ""
    port: int = 0
    path: Path | None = None


def bootstrap(
    *,
    node_id: str,
    node_cluster: str,
    xds: XdsAddress,
    admin_socket: Path,
    metadata: Mapping[str, Any] | None = None,
    dialect: Dialect = "delta",
    connection_limit: int = DEFAULT_CONNECTION_LIMIT,
    sds_socket: str = SDS_SOCKET,
) -> dict[str, Any]:
    """An Envoy bootstrap fed by ADS.

    Args:
        node_id: Envoy's `node.id`, by which the control plane knows the proxy.
        node_cluster: Envoy's `node.cluster`.
        xds: the control plane.
        admin_socket: where Envoy makes its administration socket, mode 0600.
        metadata: Envoy's `node.metadata`.
        dialect: incremental or state-of-the-world xDS.
        connection_limit: connections from clients, over all listeners, before new ones are refused.
        sds_socket: Unix socket of the secret discovery service beside the proxy, if there is one.
    """
    return {
        "node": {"id": node_id, "cluster": node_cluster, "metadata": dict(metadata or {})},
        "admin": _admin(admin_socket),
        "dynamic_resources": _dynamic_resources(dialect),
        "static_resources": {"clusters": [_xds_cluster(xds), sds_cluster(sds_socket)]},
        "bootstrap_extensions": [_internal_listeners()],
        "overload_manager": _overload_manager(connection_limit),
        # Counters of a cluster come into being with its first request. A mesh has many clusters
        # that one proxy never calls, and each costs some 200 counters.
        "deferred_stat_options": {"enable_deferred_creation_stats": True},
        # Naming any layer removes Envoy's implicit admin layer, and with it /runtime_modify.
        "layered_runtime": {
            "layers": [
                # App Mesh's own limit. Envoy's is 100, which an expression of 100 letters exceeds.
                {
                    "name": "static",
                    "static_layer": {"re2.max_program_size.error_level": MAX_PROGRAM},
                },
                {"name": "admin", "admin_layer": {}},
            ]
        },
    }


def _admin(socket: Path) -> dict[str, Any]:
    # The administration can stop the proxy and shows secrets' names; a Unix socket of mode 0600
    # keeps it from other users of the machine and from web pages that call loopback ports.
    return {"address": {"pipe": {"path": str(socket), "mode": 0o600}}}


def _dynamic_resources(dialect: Dialect) -> dict[str, Any]:
    over_ads = {"ads": {}, "resource_api_version": "V3"}
    return {
        "ads_config": {
            "api_type": "DELTA_GRPC" if dialect == "delta" else "GRPC",
            "transport_api_version": "V3",
            # Otherwise each acknowledgement carries 61 KB of node, mostly extension names.
            "set_node_on_first_message_only": True,
            "grpc_services": [
                {
                    "envoy_grpc": {
                        "cluster_name": XDS_CLUSTER,
                        # Envoy's default waits up to 30 s. A restarted control plane should have
                        # its proxies back sooner; the wait is jittered, so they do not stampede.
                        "retry_policy": {
                            "retry_back_off": {"base_interval": "0.250s", "max_interval": "5s"}
                        },
                    }
                }
            ],
        },
        "cds_config": over_ads,
        "lds_config": over_ads,
    }


def _xds_cluster(xds: XdsAddress) -> dict[str, Any]:
    cluster: dict[str, Any] = {
        "name": XDS_CLUSTER,
        "type": _discovery_type(xds),
        "connect_timeout": "5s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {
                    "http2_protocol_options": {
                        # A stream that only listens never notices a peer that vanished; the ping
                        # does, also through a NAT or balancer that forgot the connection.
                        "connection_keepalive": {"interval": "30s", "timeout": "5s"}
                    }
                },
            }
        },
        "load_assignment": {
            "cluster_name": XDS_CLUSTER,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(xds)}}]}],
        },
    }
    return cluster


def _discovery_type(xds: XdsAddress) -> str:
    return "STATIC" if xds.path is not None or is_ip(xds.host) else "STRICT_DNS"


def _address(xds: XdsAddress) -> dict[str, Any]:
    if xds.path is not None:
        return {"pipe": {"path": str(xds.path)}}
    return {"socket_address": {"address": xds.host, "port_value": xds.port}}


def _internal_listeners() -> dict[str, Any]:
    # Without this extension a listener with `internal_listener` is rejected; translation uses one
    # where a gateway route needs a second pass.
    name = "envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
    return {"name": "envoy.bootstrap.internal_listener", "typed_config": {"@type": _TYPE + name}}


def _overload_manager(connection_limit: int) -> dict[str, Any]:
    # Envoy without any limit warns at each start, and rightly: it would accept until the process
    # has no descriptors left and then fail in less clear places.
    monitor = "envoy.extensions.resource_monitors.downstream_connections.v3"
    return {
        "refresh_interval": "0.250s",
        "resource_monitors": [
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {
                    "@type": f"{_TYPE}{monitor}.DownstreamConnectionsConfig",
                    "max_active_downstream_connections": str(connection_limit),
                },
            }
        ],
    }
