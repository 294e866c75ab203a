"""Access logs of a proxy: the file a manifest names.

Where a manifest gives no format, a line is one JSON object with the fields of `FIELDS`, documented
in docs/requests.md. What proxies tell the control plane of requests is `envoy/requests.py`.
"""

from typing import Final

from pointsman.envoy import pb
from pointsman.envoy.filters.identity import METADATA
from pointsman.envoy.matchers import Fields
from pointsman.envoy.versions import METADATA as VERSION
from pointsman.envoy.versions import NAME as VERSION_NAME
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.sidecar import Sidecar

PATH: Final = "%PATH(NQ:ORIG_OR_PATH)%"
"""The path as it came, without its query, which may hold keys."""
FIELDS: Final = {
    "start_time": "%START_TIME%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "method": "%REQ(:METHOD)%",
    "authority": "%REQ(X-ENVOY-ORIGINAL-HOST?:AUTHORITY)%",
    "path": PATH,
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "request_ms": "%REQUEST_DURATION%",
    "before_upstream_ms": "%COMMON_DURATION(DS_RX_BEG:US_TX_BEG:ms)%",
    "connect_ms": "%COMMON_DURATION(US_CX_BEG:US_CX_END:ms)%",
    "upstream_wait_ms": "%COMMON_DURATION(US_TX_END:US_RX_BEG:ms)%",
    "upstream_body_ms": "%COMMON_DURATION(US_RX_BEG:US_RX_END:ms)%",
    "upstream_service_ms": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "tries": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": "%UPSTREAM_CLUSTER%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "route_name": "%ROUTE_NAME%",
    "trace_id": "%TRACE_ID%",
    "api_version": f"%METADATA(ROUTE:{VERSION}:{VERSION_NAME})%",
    "consumer": f"%DYNAMIC_METADATA({METADATA}:consumer)%",
    "credential": f"%DYNAMIC_METADATA({METADATA}:credential)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "x_forwarded_for": "%REQ(X-FORWARDED-FOR)%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
}
"""Envoy's commands by field; before them stand the mesh and the virtual gateway or node."""


def access_log(proxy: Gateway | Sidecar, only_flags: tuple[str, ...] = ()) -> list[Fields]:
    """`envoy.config.accesslog.v3.AccessLog` entries for the file a manifest names, if it does.

    Args:
        proxy: whose log it is.
        only_flags: log only requests that end with one of these response flags.
    """
    log = proxy.access_log
    if log is None:
        return []
    fields: Fields = {"path": log.path}
    if log.format is not None and log.format.text is not None:
        fields["log_format"] = {"text_format_source": {"inline_string": log.format.text}}
    elif log.format is not None and log.format.json is not None:
        fields["log_format"] = {"json_format": {item.key: item.value for item in log.format.json}}
    else:
        fields["log_format"] = {"json_format": fields_of(proxy)}
    entry: Fields = {
        "name": "envoy.access_loggers.file",
        "typed_config": pb.pack(pb.FileAccessLog(**fields)),
    }
    if only_flags:
        entry["filter"] = {"response_flag_filter": {"flags": list(only_flags)}}
    return [entry]


def fields_of(proxy: Gateway | Sidecar) -> dict[str, str]:
    """All fields of a record with Envoy's commands: whose it is, and `FIELDS`."""
    return {**_whose(proxy), **FIELDS}


def _whose(proxy: Gateway | Sidecar) -> dict[str, str]:
    kind = "virtual_gateway" if isinstance(proxy, Gateway) else "virtual_node"
    return {"mesh": _literal(proxy.mesh), kind: _literal(proxy.name)}


def _literal(text: str) -> str:
    return text.replace("%", "%%")
