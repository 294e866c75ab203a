"""A proxy's own statistics for Prometheus, and nothing else of its administration.

The administration can stop a proxy and shows what it is configured with, so it is never on the
network. One listener of the bootstrap leads to the one page that Prometheus reads. It is
there from the first configuration on, like all listeners, and a hot restart hands it over.
"""

from typing import Any, Final

from pointsman.proxy.xds_cluster import TYPE

PATH: Final = "/stats/prometheus"
_NAME: Final = "stats_page"
_MOST_CONNECTIONS: Final = 64
_AT_ONCE: Final = 2
"""Whoever can reach the page must not be able to use up what the proxy has for its clients: Envoy
writes the page in its main thread, as a whole, so few are asked for at a time."""


def stats_listener(host: str, port: int) -> dict[str, Any]:
    """`envoy.config.listener.v3.Listener` that answers `GET /stats/prometheus`."""
    manager = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    get = {"name": ":method", "string_match": {"exact": "GET"}}
    route = {
        "match": {"path": PATH, "headers": [get]},
        "route": {"cluster": _NAME, "timeout": "10s"},
    }
    http = {
        "@type": TYPE + manager,
        "stat_prefix": _NAME,
        # One request at a time on a connection.
        "codec_type": "HTTP1",
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{TYPE}envoy.extensions.filters.http.router.v3.Router"},
            }
        ],
        "route_config": {
            "name": _NAME,
            "virtual_hosts": [{"name": _NAME, "domains": ["*"], "routes": [route]}],
        },
        "common_http_protocol_options": {"idle_timeout": "120s"},
        "stream_idle_timeout": "15s",
        "request_timeout": "15s",
    }
    chain = {
        "filters": [
            {
                "name": "envoy.filters.network.connection_limit",
                "typed_config": {
                    "@type": f"{TYPE}envoy.extensions.filters.network.connection_limit.v3"
                    ".ConnectionLimit",
                    "stat_prefix": _NAME,
                    "max_connections": _MOST_CONNECTIONS,
                },
            },
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": http},
        ]
    }
    return {
        "name": _NAME,
        "address": {"socket_address": {"address": host, "port_value": port}},
        "filter_chains": [chain],
    }


def stats_cluster(admin: dict[str, Any]) -> dict[str, Any]:
    """`envoy.config.cluster.v3.Cluster` of the administration.

    Args:
        admin: its `envoy.config.core.v3.Address`.
    """
    endpoint = {"endpoint": {"address": admin}}
    return {
        "name": _NAME,
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": _AT_ONCE,
                    "max_pending_requests": _AT_ONCE,
                    "max_requests": _AT_ONCE,
                    "max_retries": 0,
                }
            ]
        },
        "load_assignment": {"cluster_name": _NAME, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
