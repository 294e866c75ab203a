"""The configuration an Envoy is born with: who it is, and where it hears the rest.

Everything else arrives over ADS. The result is a plain dict in Envoy's JSON form
(envoy.config.bootstrap.v3.Bootstrap), so this module needs no protobuf and can be read beside
Envoy's manual. Each setting that is not Envoy's default has its reason next to it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pointsman.envoy.config_source import SDS_SOCKET, sds_cluster
from pointsman.envoy.names import XDS_CLUSTER
from pointsman.proxy.stats_page import stats_cluster, stats_listener
from pointsman.proxy.stats_sink import latency_buckets, metrics_cluster, stats_sink
from pointsman.proxy.xds_cluster import TYPE, Xds, XdsAddress, xds_cluster
from pointsman.resources.rules.matching import MAX_PROGRAM

DEFAULT_CONNECTION_LIMIT: Final = 50_000

Dialect = Literal["delta", "sotw"]
Envoy = Literal["current", "app-mesh"]
"""Which Envoy the bootstrap is for: one that Pointsman supports (1.34 or newer), or that of an App
Mesh image. For the latter only fields are used that Envoy has had since 1.24."""


def bootstrap(
    *,
    node_id: str,
    node_cluster: str,
    xds: Xds | XdsAddress,
    admin: Path | int,
    metadata: Mapping[str, Any] | None = None,
    zone: str = "",
    dialect: Dialect = "delta",
    envoy: Envoy = "current",
    patient: bool = False,
    sds_socket: Path = Path(SDS_SOCKET),
    connection_limit: int = DEFAULT_CONNECTION_LIMIT,
    metrics: bool = False,
    prometheus: tuple[str, int] | None = None,
    runtime: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """An Envoy bootstrap fed by ADS.

    Args:
        node_id: Envoy's `node.id`, by which the control plane knows the proxy.
        node_cluster: Envoy's `node.cluster`.
        xds: the control plane.
        admin: where Envoy makes its administration socket, mode 0600, or a port on loopback.
        metadata: Envoy's `node.metadata`.
        zone: availability zone, Envoy's `node.locality.zone`; "" when unknown.
        dialect: incremental or state-of-the-world xDS.
        envoy: which Envoy it is for.
        patient: whether Envoy waits for its first configuration as long as it takes, instead of
            going on without one.
        sds_socket: Unix socket of the secret discovery service beside the proxy, if there is one.
        connection_limit: connections from clients, over all listeners, before new ones are refused.
        metrics: whether it reports what it counts to the control plane; `stats_sink.OLDEST` says
            which Envoys can.
        prometheus: address and port at which its own statistics are read, if anywhere.
        runtime: values of Envoy's runtime besides the usual ones.
    """
    control = xds if isinstance(xds, Xds) else Xds((xds,))
    node: dict[str, Any] = {
        "id": node_id,
        "cluster": node_cluster,
        "metadata": {**(metadata or {})},
    }
    if zone:
        node["locality"] = {"zone": zone}
    clusters = [xds_cluster(control), sds_cluster(str(sds_socket))]
    made: dict[str, Any] = {
        "node": node,
        "admin": _admin(admin),
        "dynamic_resources": _dynamic_resources(dialect, envoy, patient=patient),
        "static_resources": {"clusters": clusters},
        "bootstrap_extensions": [_internal_listeners()],
        "stats_config": {"stats_tags": _stats_tags(node_id)},
        # Naming any layer removes Envoy's implicit admin layer, and with it /runtime_modify.
        "layered_runtime": {
            "layers": [
                # App Mesh's own limit. Envoy's is 100, which an expression of 100 letters exceeds.
                {
                    "name": "static",
                    "static_layer": {
                        "re2.max_program_size.error_level": MAX_PROGRAM,
                        **(runtime or {}),
                    },
                },
                {"name": "admin", "admin_layer": {}},
            ]
        },
    }
    if envoy == "current":
        made["overload_manager"] = _overload_manager(connection_limit)
        # Counters of a cluster come into being with its first request. A mesh has many clusters
        # that one proxy never calls, and each costs some 200 counters.
        made["deferred_stat_options"] = {"enable_deferred_creation_stats": True}
    if metrics:
        made["stats_config"]["histogram_bucket_settings"] = latency_buckets()
        clusters.append(metrics_cluster(control))
        made.update(stats_sink(node_id))
    if prometheus is not None:
        made["static_resources"]["listeners"] = [stats_listener(*prometheus)]
        clusters.append(stats_cluster(made["admin"]["address"]))
    return made


def _admin(where: Path | int) -> dict[str, Any]:
    if isinstance(where, int):
        return {"address": {"socket_address": {"address": "127.0.0.1", "port_value": where}}}
    # The administration can stop the proxy and shows secrets' names; a Unix socket of mode 0600
    # keeps it from other users of the machine and from web pages that call loopback ports.
    return {"address": {"pipe": {"path": str(where), "mode": 0o600}}}


def _dynamic_resources(dialect: Dialect, envoy: Envoy, *, patient: bool) -> dict[str, Any]:
    over_ads: dict[str, Any] = {"ads": {}, "resource_api_version": "V3"}
    if patient:
        over_ads["initial_fetch_timeout"] = "0s"
    service: dict[str, Any] = {"cluster_name": XDS_CLUSTER}
    if envoy == "current":
        # Envoy's default waits up to 30 s. A restarted control plane should have its proxies back
        # sooner; the wait is jittered, so they do not stampede.
        service["retry_policy"] = {
            "retry_back_off": {"base_interval": "0.250s", "max_interval": "5s"}
        }
    return {
        "ads_config": {
            "api_type": "DELTA_GRPC" if dialect == "delta" else "GRPC",
            "transport_api_version": "V3",
            # Otherwise each acknowledgement carries 61 KB of node, mostly extension names.
            "set_node_on_first_message_only": True,
            "grpc_services": [{"envoy_grpc": service}],
        },
        "cds_config": over_ads,
        "lds_config": over_ads,
    }


def _stats_tags(node_id: str) -> list[dict[str, str]]:
    """App Mesh's tags: whose statistics they are, and of which listener.

    They become labels for Prometheus; the names of statistics in the administration stay.
    """
    parts = node_id.rpartition(":")[2].split("/")
    kinds = {"virtualNode": "appmesh.virtual_node", "virtualGateway": "appmesh.virtual_gateway"}
    tags = [
        {
            "tag_name": "appmesh.listener_protocol",
            "regex": r"^(?:http|tcp)\.ingress\.((http2?|grpc|tcp)\.)\d+\.",
        },
        {
            "tag_name": "appmesh.listener_port",
            "regex": r"^(?:http|tcp)\.(?:ingress\.(?:http2?|grpc|tcp)|egress)\.((\d+)\.)",
        },
    ]
    if len(parts) != 4 or parts[2] not in kinds:
        return tags
    _, mesh, kind, name = parts
    whose = {"appmesh.mesh": mesh.partition("@")[0], kinds[kind]: name}
    return [*({"tag_name": tag, "fixed_value": value} for tag, value in whose.items()), *tags]


def _internal_listeners() -> dict[str, Any]:
    # Without this extension a listener with `internal_listener` is rejected; translation uses one
    # where a gateway route needs a second pass.
    name = "envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
    return {"name": "envoy.bootstrap.internal_listener", "typed_config": {"@type": TYPE + name}}


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
                    "@type": f"{TYPE}{monitor}.DownstreamConnectionsConfig",
                    "max_active_downstream_connections": str(connection_limit),
                },
            }
        ],
    }
