"""Where a proxy finds what a resource refers to by name.

Plain dicts in Envoy's JSON form, because bootstraps are made of them, too.
"""

from typing import Any

from pointsman.envoy import names

ADS: dict[str, Any] = {"ads": {}, "resource_api_version": "V3"}
"""Over the stream that brought the resource itself."""
XDS_GRPC: dict[str, Any] = {"envoy_grpc": {"cluster_name": names.XDS_CLUSTER}}
"""Another service of the control plane."""
LOCAL_SDS: dict[str, Any] = {
    "api_config_source": {
        "api_type": "GRPC",
        "transport_api_version": "V3",
        "grpc_services": [{"envoy_grpc": {"cluster_name": names.SDS_CLUSTER}}],
    },
    "resource_api_version": "V3",
}
"""From the secret discovery service beside the proxy."""
SDS_SOCKET = "/run/spire/sockets/agent.sock"
"""Where SPIRE's agent listens; the App Mesh controller had the same default (`sds.udsPath`)."""

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def sds_cluster(socket: str = SDS_SOCKET) -> dict[str, Any]:
    """The cluster of the secret discovery service beside the proxy.

    Envoy takes secrets only from clusters it was born with, so this belongs to the bootstrap.

    Args:
        socket: path of the service's Unix socket; nothing has to be there until it is called.
    """
    endpoint = {"address": {"pipe": {"path": socket}}}
    http2 = {
        "@type": f"type.googleapis.com/{HTTP_OPTIONS}",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    return {
        "name": names.SDS_CLUSTER,
        "type": "STATIC",
        "connect_timeout": "5s",
        "typed_extension_protocol_options": {HTTP_OPTIONS: http2},
        "load_assignment": {
            "cluster_name": names.SDS_CLUSTER,
            "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}],
        },
    }
