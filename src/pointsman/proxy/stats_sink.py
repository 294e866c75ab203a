"""How a proxy reports what it counts: to the control plane, by OTLP.

Envoy sends, every five seconds, what changed since the last time, of the statistics that
`envoy.stats` wants and of no others. Each report is a call of its own. Envoy 1.40 waits for its
answer for ever, whatever `grpc_service.timeout` says, so the deadline is that of a cluster: when
the control plane is slow or away, reports end by it and are forgotten. The cluster is not the one
of the configuration, whose streams live long, and which reports must not hold up.
"""

from typing import Any, Final

from pointsman.envoy.names import METRICS_CLUSTER
from pointsman.envoy.stats import BUCKETS_MS, CONSUMER_TIME, CONSUMERS, TIME, UNWANTED, WANTED
from pointsman.proxy.xds_cluster import Xds, reports_cluster

OLDEST: Final = (1, 40, 0)
"""Envoys before may not know how to leave out what is not wanted, and would not start."""
NODE: Final = "pointsman.node"
"""The attribute with the node id."""
FLUSH: Final = "5s"
IDLE: Final = "600s"
"""Statistics of consumers go after so long, or twice as long, without a request."""
_LONGEST: Final = "4s"
_MOST_CALLS: Final = 64
"""Reports, or parts of one, under way."""
_MOST_NUMBERS: Final = 2_000
"""Numbers in one call; more than so many take several. The control plane turns to others between
two of them."""
_TYPE: Final = "type.googleapis.com/"
_SINK: Final = "envoy.extensions.stat_sinks.open_telemetry.v3.SinkConfig"
_NAME_INPUT: Final = "envoy.extensions.matching.common_inputs.stats.v3.StatFullNameMatchInput"
_DETECTOR: Final = (
    "envoy.extensions.tracers.opentelemetry.resource_detectors.v3."
    "StaticConfigResourceDetectorConfig"
)


def stats_sink(node_id: str) -> dict[str, Any]:
    """Fields of `envoy.config.bootstrap.v3.Bootstrap`: where statistics go, and how often."""
    wanted = {"not_matcher": _name_is(WANTED)}
    sink = {
        "@type": _TYPE + _SINK,
        "grpc_service": {"envoy_grpc": {"cluster_name": METRICS_CLUSTER}},
        "resource_detectors": [
            {
                "name": "envoy.tracers.opentelemetry.resource_detectors.static_config",
                "typed_config": {"@type": _TYPE + _DETECTOR, "attributes": {NODE: node_id}},
            }
        ],
        "report_counters_as_deltas": True,
        "report_histograms_as_deltas": True,
        # Envoy's tags cannot be undone: what they take out of a name may have dots itself.
        "emit_tags_as_attributes": False,
        "use_tag_extracted_name": False,
        "custom_metric_conversions": {
            "matcher_list": {"matchers": [_dropped(_name_is(UNWANTED)), _dropped(wanted)]}
        },
        "max_data_points_per_request": _MOST_NUMBERS,
    }
    return {
        "stats_flush_interval": FLUSH,
        "stats_eviction_interval": IDLE,
        "stats_sinks": [{"name": "envoy.stat_sinks.open_telemetry", "typed_config": sink}],
    }


def metrics_cluster(xds: Xds) -> dict[str, Any]:
    """`envoy.config.cluster.v3.Cluster` that reports go to."""
    return reports_cluster(xds, METRICS_CLUSTER, _LONGEST, _MOST_CALLS)


def latency_buckets() -> list[dict[str, Any]]:
    """`envoy.config.metrics.v3.HistogramBucketSettings` of all latencies of requests."""
    buckets = list(map(float, BUCKETS_MS))
    named = ({"suffix": TIME}, {"prefix": f"{CONSUMERS}.{CONSUMER_TIME}."})
    return [{"match": match, "buckets": buckets} for match in named]


def _name_is(regex: str) -> dict[str, Any]:
    name = {"name": "name", "typed_config": {"@type": _TYPE + _NAME_INPUT}}
    match = {"safe_regex": {"google_re2": {}, "regex": regex}}
    return {"single_predicate": {"input": name, "value_match": match}}


def _dropped(predicate: dict[str, Any]) -> dict[str, Any]:
    drop = {"name": "drop", "typed_config": {"@type": f"{_TYPE}{_SINK}.DropAction"}}
    return {"predicate": predicate, "on_match": {"action": drop}}
