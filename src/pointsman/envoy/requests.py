"""What proxies tell the control plane of requests, and which requests they tell of.

Envoy decides by itself and never waits: records are gathered in a buffer, go out over a stream
beside that of the configuration, and are dropped when nobody takes them. What becomes of them is
up to `telemetry`.

Those are told of that failed, that the proxy itself answered or cut off, that took long, and a
sample of the rest, but for health checks that went well; and all for versions of APIs that are on
their way out. The sample is drawn by the request's id,
so that every proxy on a request's way draws the same.
"""

from typing import Final

from pointsman.envoy import pb
from pointsman.envoy.access_log import access_log
from pointsman.envoy.config_source import XDS_GRPC
from pointsman.envoy.consumer_stats import consumer_log
from pointsman.envoy.matchers import Fields
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.traces import record_log
from pointsman.envoy.versions import METADATA, NAME, TOLD
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.sidecar import Sidecar

SLOW_MS: Final = 1000
"""From when on a request counts as slow, unless the proxy's runtime says otherwise."""
SAMPLE_PERCENT: Final = 1
"""The part of the rest that is told of, unless the proxy's runtime says otherwise."""
SLOW_KEY: Final = "pointsman.requests.slow_ms"
SAMPLE_KEY: Final = "pointsman.requests.sample_percent"
FAILED_KEY: Final = "pointsman.requests.failed_status"
REFUSED_KEY: Final = "pointsman.requests.refused_status"
"""Keys of Envoy's runtime, by which a proxy's sampling is changed while it runs."""
FLUSH_S: Final = 1
"""Seconds for which a proxy gathers records at the most."""
BUFFER_BYTES: Final = 64 * 1024
"""Bytes of records a worker of a proxy gathers; what comes when it is full is dropped."""
REQUEST_HEADERS: Final = (
    "accept",
    "content-type",
    "traceparent",
    "x-envoy-original-host",
    "x-forwarded-proto",
)
"""Request headers that are told of beside those every record has a field for."""
RESPONSE_HEADERS: Final = (
    "content-type",
    "grpc-status",
    "retry-after",
    "x-envoy-upstream-service-time",
)
"""Response headers that are told of."""
TAGS: Final = {
    "flags": "%RESPONSE_FLAGS%",
    "protocol": "%PROTOCOL%",
    "connect_us": "%COMMON_DURATION(US_CX_BEG:US_CX_END:us)%",
}
"""What Envoy's record has no field for, or not in words."""
LISTENER: Final = "listener"
"""One more tag: the way and the port, as `in:8080` or `out:80`."""

API_VERSION: Final = "api_version"
"""One more tag, where there are versions of APIs: which one the route serves."""
_LEFT_BEHIND: Final = f"'{TOLD}' in xds.route_metadata.filter_metadata['{METADATA}']"
"""Requests for versions that are on their way out: whoever still calls them is to be known."""

_NOT_THE_APPLICATION: Final = "response.code_details != 'via_upstream'"


def http_logs(
    proxy: Gateway | Sidecar,
    node_class: NodeClass,
    port: int,
    only_flags: tuple[str, ...] = (),
    *,
    written: bool = True,
    out: bool = False,
) -> list[Fields]:
    """The access logs of a listener that reads HTTP: the file, and what the control plane hears.

    Args:
        proxy: whose listener it is.
        node_class: how the proxy is configured, and what it can. Only over delta it tells of
            requests: what is configured by a file has no control plane, and state of the world is
            for the older Envoys of App Mesh images, which do not know all that is asked here.
        port: the port in the manifest.
        only_flags: log only requests that end with one of these response flags.
        written: whether requests go to the file, too.
        out: whether the requests are those of the application beside the proxy.
    """
    file = access_log(proxy, only_flags) if written else []
    if written and not only_flags:
        file += record_log(proxy)
    tells = node_class.wire == "delta"
    if tells and node_class.counts and not out:
        file += consumer_log(proxy)
    return (
        [*file, _record(f"{'out' if out else 'in'}:{port}", only_flags, _has_versions(proxy))]
        if tells
        else file
    )


def _has_versions(proxy: Gateway | Sidecar) -> bool:
    return isinstance(proxy, Gateway) and any(rule.version is not None for rule in proxy.rules)


def _record(listener: str, only_flags: tuple[str, ...], versions: bool) -> Fields:
    tags: list[Fields] = [{"tag": tag, "value": command} for tag, command in TAGS.items()]
    tags.append({"tag": LISTENER, "literal": {"value": listener}})
    if versions:
        tags.append({"tag": API_VERSION, "value": f"%METADATA(ROUTE:{METADATA}:{NAME})%"})
    common: Fields = {
        "log_name": "requests",
        "transport_api_version": "V3",
        "grpc_service": XDS_GRPC,
        "buffer_flush_interval": {"seconds": FLUSH_S},
        "buffer_size_bytes": {"value": BUFFER_BYTES},
        "custom_tags": tags,
    }
    config = pb.HttpGrpcAccessLog(
        common_config=common,
        additional_request_headers_to_log=REQUEST_HEADERS,
        additional_response_headers_to_log=RESPONSE_HEADERS,
    )
    flags = {"response_flag_filter": {"flags": list(only_flags)}}
    return {
        "name": "envoy.access_loggers.http_grpc",
        "filter": flags if only_flags else _told(versions),
        "typed_config": pb.pack(config),
    }


def _cel(expression: str) -> Fields:
    cel = pb.pack(pb.CelFilter(expression=expression))
    name = "envoy.access_loggers.extension_filters.cel"
    return {"extension_filter": {"name": name, "typed_config": cel}}


def _told(versions: bool) -> Fields:
    """Which requests are told of (`AccessLogFilter`)."""
    own = _cel(_NOT_THE_APPLICATION)
    refused: Fields = {"and_filter": {"filters": [_status(400, REFUSED_KEY), own]}}
    slow = {"default_value": SLOW_MS, "runtime_key": SLOW_KEY}
    sample = {
        "runtime_key": SAMPLE_KEY,
        "percent_sampled": {"numerator": SAMPLE_PERCENT, "denominator": "HUNDRED"},
    }
    filters: list[Fields] = [
        _status(500, FAILED_KEY),
        {"response_flag_filter": {}},
        refused,
        {"duration_filter": {"comparison": {"op": "GE", "value": slow}}},
        {"and_filter": {"filters": [_no_health_check(), {"runtime_filter": sample}]}},
    ]
    if versions:
        filters.append(_cel(_LEFT_BEHIND))
    return {"or_filter": {"filters": filters}}


def _no_health_check() -> Fields:
    agent = {
        "name": "user-agent",
        "string_match": {"exact": "Envoy/HC"},
        "invert_match": True,
        "treat_missing_header_as_empty": True,
    }
    return {"header_filter": {"header": agent}}


def _status(least: int, key: str) -> Fields:
    value = {"default_value": least, "runtime_key": key}
    return {"status_code_filter": {"comparison": {"op": "GE", "value": value}}}
