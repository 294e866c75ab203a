"""Where a proxy finds what a resource refers to by name."""

from typing import Any

from pointsman.envoy import names

ADS: dict[str, Any] = {"ads": {}, "resource_api_version": "V3"}
"""Over the stream that brought the resource itself."""
LOCAL_SDS: dict[str, Any] = {
    "api_config_source": {
        "api_type": "GRPC",
        "transport_api_version": "V3",
        "grpc_services": [{"envoy_grpc": {"cluster_name": names.SDS_CLUSTER}}],
    },
    "resource_api_version": "V3",
}
"""From the secret discovery service beside the proxy, for example SPIRE's agent."""
