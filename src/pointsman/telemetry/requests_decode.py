"""From Envoy's records to ours: `HTTPAccessLogEntry` to `Request`, secrets left behind.

What is not copied here is kept nowhere: values of queries, headers besides those Envoy was asked
for, claims of tokens among the dynamic metadata.
"""

from collections.abc import Iterator
from typing import Any, Final

from pointsman.envoy.filters.identity import METADATA
from pointsman.envoy.requests import API_VERSION, LISTENER
from pointsman.telemetry.requests import Phases, Request, masked

LONGEST: Final = 512
"""Characters of a text that are kept."""
_ORIGINAL_HOST: Final = "x-envoy-original-host"
LONGEST_PATH: Final = 2048
"""Characters of a path that are kept."""


def decode(entry: Any, node: str) -> Request:
    """A record.

    Args:
        entry: `envoy.data.accesslog.v3.HTTPAccessLogEntry`.
        node: id of the proxy's node.
    """
    common, request, response = entry.common_properties, entry.request, entry.response
    tags = common.custom_tags
    way, _, port = tags.get(LISTENER, "").partition(":")
    who = common.metadata.filter_metadata[METADATA].fields if _has_caller(common) else {}
    return Request(
        id=_cut(request.request_id),
        start=common.start_time.seconds + common.start_time.nanos / 1e9,
        node=node,
        way=_cut(way),
        port=int(port) if port.isdigit() else 0,
        method=_METHODS.get(request.request_method, ""),
        scheme=_cut(request.scheme),
        authority=_cut(request.request_headers.get(_ORIGINAL_HOST, "") or request.authority),
        path=masked(request.original_path or request.path)[:LONGEST_PATH],
        protocol=_told(tags.get("protocol", "")),
        status=response.response_code.value,
        flags=tuple(filter(None, _told(tags.get("flags", "")).split(","))),
        details=_cut(response.response_code_details),
        termination=_cut(common.connection_termination_details),
        failure=_cut(common.upstream_transport_failure_reason),
        route=_cut(common.route_name),
        cluster=_cut(common.upstream_cluster),
        endpoint=_address(common.upstream_remote_address),
        tries=common.upstream_request_attempt_count,
        duration=_ms(common, "duration") or 0.0,
        received=request.request_body_bytes,
        sent=response.response_body_bytes,
        consumer=_text(who, "consumer"),
        credential=_text(who, "credential"),
        agent=_cut(request.user_agent),
        client=_address(common.downstream_remote_address),
        forwarded=_cut(request.forwarded_for),
        server_name=_cut(common.tls_properties.tls_sni_hostname),
        headers=tuple(_headers(request, response)),
        phases=_phases(common, tags),
        api_version=_told(tags.get(API_VERSION, "")),
    )


_METHODS: Final = dict(
    enumerate(("", "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"))
)
"""`envoy.config.core.v3.RequestMethod`, which knows no other methods."""


def _has_caller(common: Any) -> bool:
    return METADATA in common.metadata.filter_metadata


def _text(fields: Any, name: str) -> str:
    return _cut(fields[name].string_value) if name in fields else ""


def _phases(common: Any, tags: Any) -> Phases:
    connect = _told(tags.get("connect_us", ""))
    return Phases(
        request=_ms(common, "time_to_last_rx_byte"),
        sent=_ms(common, "time_to_first_upstream_tx_byte"),
        sent_whole=_ms(common, "time_to_last_upstream_tx_byte"),
        answered=_ms(common, "time_to_first_upstream_rx_byte"),
        answered_whole=_ms(common, "time_to_last_upstream_rx_byte"),
        returned=_ms(common, "time_to_first_downstream_tx_byte"),
        returned_whole=_ms(common, "time_to_last_downstream_tx_byte"),
        connect=int(connect) / 1000 if connect.isdigit() else None,
    )


def _ms(common: Any, field: str) -> float | None:
    if not common.HasField(field):
        return None
    value = getattr(common, field)
    return round(float(value.seconds * 1000 + value.nanos / 1e6), 3)


def _headers(request: Any, response: Any) -> Iterator[tuple[str, str]]:
    for name, value in sorted(request.request_headers.items()):
        if name != _ORIGINAL_HOST:
            yield name, _cut(value)
    for name, value in sorted(response.response_headers.items()):
        yield f"response {name}", _cut(value)


def _address(address: Any) -> str:
    socket = address.socket_address
    if socket.address:
        host = f"[{socket.address}]" if ":" in socket.address else socket.address
        return f"{host}:{socket.port_value}"
    return _cut(address.pipe.path or address.envoy_internal_address.server_listener_name)


def _told(value: str) -> str:
    """What a command gave; Envoy says `-` for nothing."""
    return "" if value == "-" else _cut(value)


def _cut(text: str) -> str:
    return text[:LONGEST]
