"""Samples as OpenTelemetry sends them: OTLP 1.x, metrics, cumulative.

Names, labels and units are those Prometheus gets. What is about one gateway or node is a resource
of its own, with the `service.name` that its traces have, too.

The package `xds-protos` calls `scope_metrics` by its old name; on the wire both are the same.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from pointsman.envoy import pb
from pointsman.telemetry.family import Distribution, Family, Labels, Number

_PROXY: Final = "proxy"
MOST: Final = 1_000
"""Samples in one request: half a megabyte of histograms. A collector takes 4 MiB by default."""
_CUMULATIVE: Final = 2
"""`AGGREGATION_TEMPORALITY_CUMULATIVE`."""
Fields = dict[str, Any]


def metrics_requests(
    families: Iterable[Family], instance: str, since_ns: int, now_ns: int, most: int = MOST
) -> Iterator[pb.Message]:
    """`opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest`s, none too large.

    Args:
        families: samples that each have the label `proxy`.
        instance: tells this control plane from others that send the same names:
            `service.instance.id`.
        since_ns: when counting began, in ns since the epoch; samples that began later say so.
        now_ns: when it was read.
        most: samples in one request.
    """
    samples = (
        (family, sample.labels[_PROXY], _point(sample, since_ns, now_ns))
        for family in families
        for sample in family.samples
    )
    while part := tuple(islice(samples, most)):
        yield _request(part, instance)


def _request(part: Iterable[tuple[Family, str, Fields]], instance: str) -> pb.Message:
    by_proxy: dict[str, dict[str, tuple[Family, list[Fields]]]] = {}
    for family, proxy, point in part:
        families = by_proxy.setdefault(proxy, {})
        families.setdefault(family.name, (family, []))[1].append(point)
    return pb.MetricsRequest(
        resource_metrics=[
            {
                "resource": {
                    "attributes": _attributes(
                        {"service.name": proxy, "service.instance.id": instance}
                    )
                },
                "instrumentation_library_metrics": [
                    {
                        "instrumentation_library": {"name": "pointsman"},
                        "metrics": [_metric(*found) for found in families.values()],
                    }
                ],
            }
            for proxy, families in by_proxy.items()
        ]
    )


def _metric(family: Family, points: list[Fields]) -> Fields:
    data: Fields = {"data_points": points}
    match family.kind:
        case "counter":
            data |= {"aggregation_temporality": _CUMULATIVE, "is_monotonic": True}
            kind = "sum"
        case "histogram":
            data["aggregation_temporality"] = _CUMULATIVE
            kind = "histogram"
        case "gauge":
            kind = "gauge"
    return {
        "name": family.name,
        "description": family.about,
        "unit": family.unit or "1",
        kind: data,
    }


def _point(sample: Number | Distribution, since_ns: int, now_ns: int) -> Fields:
    point: Fields = {
        "attributes": _attributes(sample.labels),
        "start_time_unix_nano": max(since_ns, int(sample.since * 1e9)),
        "time_unix_nano": now_ns,
    }
    if isinstance(sample, Number):
        return {**point, "as_int": round(sample.value)}
    return {
        **point,
        "count": sum(sample.counts),
        "sum": sample.total,
        "bucket_counts": sample.counts,
        "explicit_bounds": sample.bounds,
    }


def _attributes(labels: Labels) -> list[Fields]:
    return [{"key": key, "value": {"string_value": text}} for key, text in labels.items()]
